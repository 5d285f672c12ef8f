package ai.epitome.compress.mix;

import ai.epitome.compress.BitPredictor;
import java.util.Arrays;

/// Probabilities that are learned: entry by entry, the average of the bits that came, then (beyond a limit of
/// counts) one that decays. An entry holds 22 bits of probability over 10 bits of count.
final class AdaptiveMap {
    private static final int COUNT_BITS = 10;
    private static final int COUNT_MASK = (1 << COUNT_BITS) - 1;
    /// `2^16 / (n + 1.5)`: by how much the n-th bit moves an average.
    private static final int[] SHARES = shares();

    private final int[] entries;
    private final int limit;

    /// @param limit counts beyond which an entry averages no longer, 1,023 at most
    AdaptiveMap(int size, int limit) {
        this.entries = new int[size];
        this.limit = limit;
        Arrays.fill(entries, 1 << 31);
    }

    /// @param count bits that the prior probability is worth
    void prior(int index, int probability, int count) {
        entries[index] = probability << 16 | count;
    }

    /// In `1 .. ONE - 1`.
    int probability(int index) {
        return probabilityOf(entries[index]);
    }

    static int probabilityOf(int entry) {
        int probability = entry >>> 16;
        return probability == 0 ? 1 : probability;
    }

    void update(int index, int bit) {
        entries[index] = updated(entries[index], bit, limit);
    }

    static int updated(int entry, int bit, int limit) {
        int count = entry & COUNT_MASK;
        int probability = entry >>> COUNT_BITS;
        int error = (bit << 22) - bit - probability;
        probability += (int) ((long) error * SHARES[count] >> 16);
        return probability << COUNT_BITS | (count < limit ? count + 1 : count);
    }

    int[] entries() {
        return entries;
    }

    int limit() {
        return limit;
    }

    private static int[] shares() {
        int[] shares = new int[1 << COUNT_BITS];
        for (int n = 0; n < shares.length; n++) {
            shares[n] = 2 * BitPredictor.ONE / (2 * n + 3);
        }
        return shares;
    }
}
