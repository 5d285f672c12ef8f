package ai.epitome.text;

import java.util.Arrays;

/// The merges by pair of ids: open addressing, key and value side by side, so that a look-up touches one cache line.
///
/// Encoding a word asks for more pairs than there are merges, and the table is larger than the nearer caches. So pairs
/// of bytes, with which every word begins, have a table of their own, and a small bitmap tells most absent pairs.
final class MergeTable {
    /// The rank of a pair that does not merge: above all others.
    static final int NO_RANK = BytePairVocabulary.MOST_MERGES;

    static final long ABSENT = (long) NO_RANK << Integer.SIZE;

    private static final long NO_KEY = -1;
    /// Bits of the bitmap for each place of the table: between one in 16 and one in 32 is set.
    private static final int BITMAP_BITS = 3;

    /// Even places: `left << 32 | right`. Odd places: `rank << 32 | merged`.
    private final long[] entries;

    private final int shift;
    private final long[] bitmap;
    /// The values by `left << 8 | right`.
    private final long[] byBytes = new long[1 << 2 * Byte.SIZE];

    /// @param count how many merges will be put
    MergeTable(int count) {
        int bits = 33 - Integer.numberOfLeadingZeros(Math.max(count, 8));
        this.entries = new long[2 << bits];
        this.shift = Long.SIZE - bits;
        this.bitmap = new long[Math.max(1, 1 << bits + BITMAP_BITS - 6)];
        Arrays.fill(entries, NO_KEY);
    }

    /// Adds a merge; the last one put for a pair counts.
    void put(int left, int right, int rank, int merged) {
        long key = key(left, right);
        long hash = TokenTable.mix(key);
        int at = start(hash);
        while (entries[at] != NO_KEY && entries[at] != key) {
            at = at + 2 & entries.length - 1;
        }
        entries[at] = key;
        entries[at + 1] = (long) rank << Integer.SIZE | merged;
        bitmap[word(hash)] |= bit(hash);
    }

    /// Tells which ids are bytes, -1 where a byte has none, after all merges were put.
    void setBytes(int[] idOfByte) {
        for (int i = 0; i < byBytes.length; i++) {
            int left = idOfByte[i >>> Byte.SIZE];
            int right = idOfByte[i & 0xFF];
            byBytes[i] = left < 0 || right < 0 ? ABSENT : find(left, right);
        }
    }

    /// `rank << 32 | merged` of the pair, or [#ABSENT].
    long find(int left, int right) {
        long key = key(left, right);
        long hash = TokenTable.mix(key);
        if ((bitmap[word(hash)] & bit(hash)) == 0) {
            return ABSENT;
        }
        int at = start(hash);
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

    /// The same for two bytes.
    long ofBytes(byte left, byte right) {
        return byBytes[(left & 0xFF) << Byte.SIZE | right & 0xFF];
    }

    private int start(long hash) {
        return (int) (hash >>> shift) << 1;
    }

    /// The place in the bitmap follows from the upper bits too, the bit from the next six.
    private int word(long hash) {
        return (int) (hash >>> shift - BITMAP_BITS + 6);
    }

    private long bit(long hash) {
        return 1L << (hash >>> shift - BITMAP_BITS);
    }

    private static long key(int left, int right) {
        return (long) left << Integer.SIZE | right;
    }
}
