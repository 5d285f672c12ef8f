package ai.epitome.model.generation;

import java.util.Arrays;

/// The tokens that restrictions leave, fewer and fewer. Nothing is sorted but the few at a border: a histogram of the
/// weights tells which ones are surely in.
final class Candidates {
    /// Weights of a bucket differ by an eighth or less: sign, exponent and three bits of a float. The largest is 1.
    private static final int SHIFT = 20;
    private static final int BUCKETS = (Float.floatToIntBits(1) >>> SHIFT) + 1;

    /// Null while these are all tokens, in their order.
    private int[] ids;
    private float[] weights;
    private int count;
    private double total;

    /// @param weights by id, what each token's probability is proportional to; the likeliest has 1
    Candidates(float[] weights) {
        this.weights = weights;
        this.count = weights.length;
    }

    /// Top-k, top-p, min-p, typical.
    Candidates restrict(Sampling sampling) {
        if (sampling.topK() > 0) {
            keepLikeliest(sampling.topK(), 1);
        }
        if (sampling.topP() < 1) {
            keepLikeliest(count, sampling.topP());
        }
        keepAbove((float) sampling.minP());
        if (sampling.typical() < 1) {
            keepTypical(sampling.typical());
        }
        return this;
    }

    private int id(int i) {
        return ids == null ? i : ids[i];
    }

    private static int bucket(float weight) {
        return Float.floatToRawIntBits(weight) >>> SHIFT;
    }

    /// Keeps the likeliest until they are `most`, or have `share` of the probability.
    private void keepLikeliest(int most, double share) {
        int[] counts = new int[BUCKETS];
        double[] sums = new double[BUCKETS];
        for (int i = 0; i < count; i++) {
            int bucket = bucket(weights[i]);
            counts[bucket]++;
            sums[bucket] += weights[i];
        }
        double whole = share == 1
                ? Double.POSITIVE_INFINITY
                : share * Arrays.stream(sums).sum();
        int border = BUCKETS - 1;
        int above = 0;
        double sum = 0;
        while (border > 0 && above + counts[border] < most && sum + sums[border] < whole) {
            above += counts[border];
            sum += sums[border--];
        }
        Kept kept = new Kept(above + counts[border]);
        int[] atBorder = new int[counts[border]];
        int waiting = 0;
        for (int i = 0; i < count; i++) {
            int bucket = bucket(weights[i]);
            if (bucket > border) {
                kept.add(i);
            } else if (bucket == border) {
                atBorder[waiting++] = i;
            }
        }
        addRanked(kept, atBorder, most, whole);
        kept.replace();
    }

    private void addRanked(Kept kept, int[] atBorder, int most, double whole) {
        float[] ranked = new float[atBorder.length];
        for (int i = 0; i < ranked.length; i++) {
            ranked[i] = weights[atBorder[i]];
        }
        Ranking ranking = new Ranking(ranked);
        for (int rank = 0; rank < ranked.length && kept.size < most && kept.sum < whole; rank++) {
            kept.add(atBorder[ranking.id(rank)]);
        }
    }

    /// Leaves out what has no weight, too.
    private void keepAbove(float least) {
        Kept kept = new Kept(ids == null ? 1024 : count);
        for (int i = 0; i < count; i++) {
            if (weights[i] >= least && weights[i] > 0) {
                kept.add(i);
            }
        }
        kept.replace();
    }

    /// Meister et al. 2022, equation 9: the tokens whose surprise is nearest to the entropy, until they have the
    /// probability.
    private void keepTypical(double probability) {
        double[] surprise = new double[count];
        double entropy = 0;
        for (int i = 0; i < count; i++) {
            surprise[i] = Math.log(total / weights[i]);
            entropy += weights[i] / total * surprise[i];
        }
        float[] nearness = new float[count];
        for (int i = 0; i < count; i++) {
            nearness[i] = (float) -Math.abs(surprise[i] - entropy);
        }
        Ranking nearest = new Ranking(nearness);
        Kept kept = new Kept(1024);
        for (int rank = 0; rank < count && kept.sum < probability * total; rank++) {
            kept.add(nearest.id(rank));
        }
        kept.replace();
    }

    /// Some of the candidates, on the way to be all.
    private final class Kept {
        private int[] keptIds;
        private float[] keptWeights;
        private int size;
        private double sum;

        Kept(int expected) {
            keptIds = new int[expected];
            keptWeights = new float[expected];
        }

        void add(int i) {
            if (size == keptIds.length) {
                keptIds = Arrays.copyOf(keptIds, 2 * size + 1);
                keptWeights = Arrays.copyOf(keptWeights, 2 * size + 1);
            }
            keptIds[size] = id(i);
            keptWeights[size++] = weights[i];
            sum += weights[i];
        }

        void replace() {
            ids = keptIds;
            weights = keptWeights;
            count = size;
            total = sum;
        }
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
