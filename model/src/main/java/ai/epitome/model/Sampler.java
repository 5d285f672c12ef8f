package ai.epitome.model;

/// Draws tokens as a [Sampling] says. The same seed and the same logits give the same tokens. Not thread-safe: one
/// sequence's sampler.
public final class Sampler {
    private final Sampling sampling;
    private final SplitMix64 random;

    public Sampler(Sampling sampling) {
        this.sampling = sampling;
        this.random = new SplitMix64(sampling.seed());
    }

    /// The next token after logits (V). One number is drawn for each call unless the temperature is 0.
    ///
    /// @throws IllegalArgumentException when a logit is NaN or infinite, or all are -infinity
    public int sample(float[] logits) {
        int best = argmax(logits);
        if (sampling.temperature() == 0) {
            return best;
        }
        double draw = random.nextDouble();
        double[] weights = new double[logits.length];
        double total = 0;
        for (int id = 0; id < logits.length; id++) {
            weights[id] = Math.exp((logits[id] - logits[best]) / sampling.temperature());
            total += weights[id];
        }
        if (sampling.topK() == 0 && sampling.topP() == 1 && sampling.minP() == 0) {
            return drawInOrder(weights, draw * total);
        }
        return drawRestricted(new Ranking(logits), weights, total, draw);
    }

    /// The id of the largest logit, the lowest among equals.
    static int argmax(float[] logits) {
        int best = 0;
        for (int id = 0; id < logits.length; id++) {
            if (Float.isNaN(logits[id]) || logits[id] == Float.POSITIVE_INFINITY) {
                throw new IllegalArgumentException(
                        "the logit of token %d is %s: the model is broken".formatted(id, logits[id]));
            }
            if (logits[id] > logits[best]) {
                best = id;
            }
        }
        if (logits[best] == Float.NEGATIVE_INFINITY) {
            throw new IllegalArgumentException(
                    "all %d logits are -infinity: no token can be taken".formatted(logits.length));
        }
        return best;
    }

    private static int drawInOrder(double[] weights, double threshold) {
        double sum = 0;
        int last = 0;
        for (int id = 0; id < weights.length; id++) {
            if (weights[id] > 0) {
                sum += weights[id];
                last = id;
                if (sum > threshold) {
                    return id;
                }
            }
        }
        return last; // rounding left the threshold a hair above the sum
    }

    private int drawRestricted(Ranking ranking, double[] weights, double total, double draw) {
        int most = sampling.topK() == 0 ? ranking.size() : Math.min(sampling.topK(), ranking.size());
        double left = sampling.topK() == 0 ? total : sumOfRanks(ranking, weights, most);
        int count = 0;
        double sum = 0;
        while (count < most && sum < sampling.topP() * left) {
            double weight = weights[ranking.id(count)];
            if (weight < sampling.minP() || weight == 0) { // the likeliest has weight 1
                break;
            }
            sum += weight;
            count++;
        }
        double threshold = draw * sum;
        double passed = 0;
        for (int rank = 0; rank < count - 1; rank++) {
            passed += weights[ranking.id(rank)];
            if (passed > threshold) {
                return ranking.id(rank);
            }
        }
        return ranking.id(count - 1);
    }

    private static double sumOfRanks(Ranking ranking, double[] weights, int count) {
        double sum = 0;
        for (int rank = 0; rank < count; rank++) {
            sum += weights[ranking.id(rank)];
        }
        return sum;
    }
}
