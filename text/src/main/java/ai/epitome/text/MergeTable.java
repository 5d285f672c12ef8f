package ai.epitome.text;

import java.util.Arrays;

/// The merges by pair of ids: open addressing, key and value side by side, so that a look-up touches one cache line.
final class MergeTable {
    static final long ABSENT = -1;

    private static final long NO_KEY = -1;

    /// Even places: `left << 32 | right`. Odd places: `rank << 32 | merged`.
    private final long[] entries;

    private final int shift;

    /// @param count how many merges will be put
    MergeTable(int count) {
        int bits = 33 - Integer.numberOfLeadingZeros(Math.max(count, 8));
        this.entries = new long[2 << bits];
        this.shift = Long.SIZE - bits;
        Arrays.fill(entries, NO_KEY);
    }

    /// Adds a merge; the last one put for a pair counts.
    void put(int left, int right, int rank, int merged) {
        long key = key(left, right);
        int at = start(key);
        while (entries[at] != NO_KEY && entries[at] != key) {
            at = at + 2 & entries.length - 1;
        }
        entries[at] = key;
        entries[at + 1] = (long) rank << Integer.SIZE | merged;
    }

    /// `rank << 32 | merged` of the pair, or [#ABSENT].
    long find(int left, int right) {
        long key = key(left, right);
        int at = start(key);
        while (true) {
            long found = entries[at];
            if (found == key) {
                return entries[at + 1];
            }
            if (found == NO_KEY) {
                return ABSENT;
            }
            at = at + 2 & entries.length - 1;
        }
    }

    private int start(long key) {
        return (int) (TokenTable.mix(key) >>> shift) << 1;
    }

    private static long key(int left, int right) {
        return (long) left << Integer.SIZE | right;
    }
}
