package ai.epitome.model;

import java.util.Arrays;

/// The tokens that restrictions leave, fewer and fewer.
final class Candidates {
    /// Null where no restriction asks for an order.
    private final Ranking ranking;
    /// Ids and weights, the likeliest first where there is an order; the likeliest has weight 1.
    private int[] ids = new int[64];
    private float[] weights = new float[64];
    private int count;
    private double total;

    Candidates(Sampling sampling, float[] scores) {
        ranking = sampling.topK() > 0 || sampling.topP() < 1 ? new Ranking(scores) : null;
    }

    /// Top-k, top-p, min-p, typical.
    ///
    /// @param weightOf by id: what each token's probability is proportional to
    Candidates restrict(Sampling sampling, float[] weightOf) {
        if (ranking == null) {
            keepAbove(sampling.minP(), weightOf);
        } else {
            keepLikeliest(sampling, weightOf);
        }
        if (sampling.typical() < 1) {
            keepTypical(sampling.typical());
        }
        return this;
    }

    private void keepAbove(double least, float[] weightOf) {
        for (int id = 0; id < weightOf.length; id++) {
            if (weightOf[id] >= least && weightOf[id] > 0) {
                add(id, weightOf[id]);
            }
        }
    }

    private void keepLikeliest(Sampling sampling, float[] weightOf) {
        int most = sampling.topK() == 0 ? ranking.size() : Math.min(sampling.topK(), ranking.size());
        double whole = sampling.topP() == 1 ? Double.POSITIVE_INFINITY : sampling.topP() * whole(weightOf, most);
        while (count < most && total < whole) {
            int id = ranking.id(count);
            float weight = weightOf[id];
            if (weight < sampling.minP() || weight == 0) {
                break;
            }
            add(id, weight);
        }
    }

    private double whole(float[] weightOf, int most) {
        double sum = 0;
        if (most == weightOf.length) {
            for (float weight : weightOf) {
                sum += weight;
            }
            return sum;
        }
        for (int rank = 0; rank < most; rank++) {
            sum += weightOf[ranking.id(rank)];
        }
        return sum;
    }

    private void add(int id, float weight) {
        if (count == ids.length) {
            ids = Arrays.copyOf(ids, 4 * count);
            weights = Arrays.copyOf(weights, 4 * count);
        }
        ids[count] = id;
        weights[count++] = weight;
        total += weight;
    }

    /// Meister et al. 2022, equation 9: the tokens whose surprise is nearest to the entropy, the likelier first among
    /// equals, until they have the probability.
    private void keepTypical(double probability) {
        double entropy = 0;
        for (int i = 0; i < count; i++) {
            entropy += weights[i] / total * surprise(i);
        }
        float[] nearness = new float[count];
        for (int i = 0; i < count; i++) {
            nearness[i] = (float) -Math.abs(surprise(i) - entropy);
        }
        Ranking nearest = new Ranking(nearness);
        double whole = probability * total;
        int[] keptIds = new int[count];
        float[] keptWeights = new float[count];
        int kept = 0;
        double sum = 0;
        while (kept < count && sum < whole) {
            int i = nearest.id(kept);
            keptIds[kept] = ids[i];
            keptWeights[kept++] = weights[i];
            sum += weights[i];
        }
        ids = keptIds;
        weights = keptWeights;
        count = kept;
        total = sum;
    }

    private double surprise(int i) {
        return Math.log(total / weights[i]);
    }

    /// @param draw uniform in [0, 1)
    int draw(double draw) {
        double threshold = draw * total;
        double passed = 0;
        for (int i = 0; i < count - 1; i++) {
            passed += weights[i];
            if (passed > threshold) {
                return ids[i];
            }
        }
        return ids[count - 1];
    }
}
