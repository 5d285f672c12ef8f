package ai.epitome.compress.mix;

import ai.epitome.compress.BitPredictor;

/// The logistic function and its inverse, by tables. `StrictMath` gives the same bits everywhere.
final class Logistic {
    /// Greatest stretched probability: `ln(65535) * 256` is 2,839.
    static final int LIMIT = 2840;
    /// Finer units of a mixer's sum: this many fractional bits more than a stretched probability has.
    static final int FINE_BITS = 4;

    private static final int UNIT = 256;
    private static final char[] SQUASHED = squashed();
    private static final short[] STRETCHED = stretched();

    private Logistic() {}

    /// `ln(p / (1 - p))`, in units of 1/256.
    static int stretch(int probability) {
        return STRETCHED[probability];
    }

    /// Probability of a sum in units of 1/4096, between table entries by a straight line.
    static int squash(int fine) {
        int limit = LIMIT << FINE_BITS;
        int shifted = Math.clamp(fine, -limit, limit) + limit;
        int index = shifted >> FINE_BITS;
        int fraction = shifted & ((1 << FINE_BITS) - 1);
        int low = SQUASHED[index];
        return low + ((SQUASHED[index + 1] - low) * fraction >> FINE_BITS);
    }

    private static char[] squashed() {
        char[] table = new char[2 * LIMIT + 2];
        for (int i = 0; i < table.length; i++) {
            double probability = BitPredictor.ONE / (1 + StrictMath.exp((LIMIT - i) / (double) UNIT));
            table[i] = (char) Math.clamp(StrictMath.rint(probability), 1, BitPredictor.ONE - 1);
        }
        return table;
    }

    private static short[] stretched() {
        short[] table = new short[BitPredictor.ONE];
        for (int p = 1; p < table.length; p++) {
            table[p] = (short) StrictMath.rint(UNIT * StrictMath.log(p / (double) (BitPredictor.ONE - p)));
        }
        table[0] = table[1];
        return table;
    }
}
