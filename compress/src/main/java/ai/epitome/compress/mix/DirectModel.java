package ai.epitome.compress.mix;

import java.util.Arrays;

/// Contexts of orders 0 to 2 straight to probabilities, without histories: one that averages long and one that follows
/// fast.
final class DirectModel {
    static final int ORDERS = 3;
    static final int INPUTS = 2 * ORDERS;
    private static final int FAST = 4;
    private static final int LIMIT = 400;
    private static final int[] BITS = {8, 16, 22};

    private final AdaptiveMap[] slow = new AdaptiveMap[ORDERS];
    private final char[][] fast = new char[ORDERS][];
    private final int[] bases = new int[ORDERS];
    private final int[] at = new int[ORDERS];

    /// @param hashBits that order 2 has, 22 at most
    DirectModel(int hashBits) {
        for (int o = 0; o < ORDERS; o++) {
            int bits = Math.min(BITS[o], hashBits);
            slow[o] = new AdaptiveMap(1 << bits, LIMIT);
            fast[o] = new char[1 << bits];
            Arrays.fill(fast[o], (char) (1 << 15));
        }
    }

    /// At the start of a byte.
    void find(int last, int secondLast) {
        bases[1] = last << 8;
        bases[2] = (last << 8 | secondLast) * 0x9E3779B1 >>> 8;
    }

    void predict(int partial, int[] inputs, int from) {
        for (int o = 0; o < ORDERS; o++) {
            int index = (bases[o] + partial * (o < 2 ? 1 : 0x3D4D51)) & (fast[o].length - 1);
            at[o] = index;
            inputs[from + 2 * o] = Logistic.stretch(slow[o].probability(index));
            inputs[from + 2 * o + 1] = Logistic.stretch(fast[o][index]);
        }
    }

    void update(int bit) {
        int target = bit == 1 ? (1 << 16) - 1 : 0;
        for (int o = 0; o < ORDERS; o++) {
            slow[o].update(at[o], bit);
            fast[o][at[o]] += (char) ((target - fast[o][at[o]]) >> FAST);
        }
    }
}
