package ai.epitome.compress.mix;

import ai.epitome.compress.BitPredictor;
import ai.epitome.compress.ByteDistribution;

/// A given distribution over the next byte as a model of its bits: a bit's probability is the share of the
/// frequencies of the bytes that begin with the bits so far and a 1. Silent where no model is given.
final class GivenModel {
    static final int INPUTS = 3;
    /// Classes of confidence, 0: no model.
    static final int CLASSES = 8;
    private static final int LIMIT = 1023;
    private static final int KNOTS = 64;
    private static final int SPACING = 2 * Logistic.LIMIT / KNOTS + 1;

    private final ByteDistribution model;
    private final int[] frequencies = new int[256];
    /// Sums of frequencies over the binary tree of the byte's bits: node n over 2n and 2n + 1, bytes at 256 and on.
    private final int[] sums = new int[512];
    /// What probabilities turned out to be, by the stretched ones and the bit's place.
    private final AdaptiveMap calibrated = new AdaptiveMap(KNOTS * 8, LIMIT);
    private int at;
    private int confidence;
    private int expected;

    GivenModel(ByteDistribution model) {
        this.model = model;
        for (int i = 0; i < KNOTS * 8; i++) {
            int stretched = i / 8 * SPACING + SPACING / 2 - Logistic.LIMIT;
            calibrated.prior(i, Logistic.squash(stretched << Logistic.FINE_BITS), 20);
        }
    }

    void append(int value) {
        if (model != null) {
            model.append(value);
        }
    }

    /// Asks for the distribution over the byte that begins.
    void read() {
        if (model == null) {
            return;
        }
        model.frequencies(frequencies);
        System.arraycopy(frequencies, 0, sums, 256, 256);
        for (int node = 255; node > 0; node--) {
            sums[node] = sums[2 * node] + sums[2 * node + 1];
        }
        expected = 0;
        for (int value = 1; value < frequencies.length; value++) {
            expected = frequencies[value] > frequencies[expected] ? value : expected;
        }
        int greatest = frequencies[expected];
        // Eighths of the probability of the likeliest byte, finer near 1.
        int share = (int) ((long) greatest * 64 / ByteDistribution.TOTAL);
        confidence =
                share < 8 ? 1 : share < 16 ? 2 : share < 28 ? 3 : share < 40 ? 4 : share < 52 ? 5 : share < 61 ? 6 : 7;
    }

    boolean isPresent() {
        return model != null;
    }

    int confidence() {
        return confidence;
    }

    /// The likeliest byte.
    int expected() {
        return expected;
    }

    void predict(int partial, int[] inputs, int from) {
        if (model == null) {
            return;
        }
        long share = ((long) sums[2 * partial + 1] * BitPredictor.ONE + sums[partial] / 2) / sums[partial];
        int stretched = Logistic.stretch(Math.clamp(share, 1, BitPredictor.ONE - 1));
        int bit = 31 - Integer.numberOfLeadingZeros(partial);
        at = (stretched + Logistic.LIMIT) / SPACING * 8 + bit;
        inputs[from] = stretched;
        int probability = calibrated.probability(at);
        inputs[from + 1] = Logistic.stretch(probability);
        inputs[from + 2] = probability - (1 << 15) >> 6;
    }

    void update(int bit) {
        if (model != null) {
            calibrated.update(at, bit);
        }
    }
}
