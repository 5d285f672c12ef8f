package ai.epitome.text;

/// Finds the ids of tokens of up to 15 bytes, which are nearly all, with one access to memory: open addressing on the
/// bytes themselves, packed into two longs.
final class ShortTokens {
    static final int ABSENT = -1;
    static final int LONGEST = 2 * Long.BYTES - 1;

    /// In the second long, above bytes 8 to 14: the length, which is never 0.
    static final int LENGTH_SHIFT = Long.SIZE - Byte.SIZE;

    /// Longs of an entry: bytes 0 to 7; bytes 8 to 14 and the length; the id.
    private static final int ENTRY = 3;

    private final long[] entries;
    private final int mask;

    /// @param tokens bytes by id; null where there is nothing to find. Two equal entries: the lower id is found.
    ShortTokens(byte[][] tokens) {
        int places = Integer.highestOneBit(Math.max(tokens.length, 8)) * 4;
        this.entries = new long[places * ENTRY];
        this.mask = places - 1;
        for (int id = 0; id < tokens.length; id++) {
            byte[] token = tokens[id];
            if (token != null && token.length <= LONGEST) {
                put(pack(token, 0, Math.min(token.length, Long.BYTES)), high(token, 0, token.length), id);
            }
        }
    }

    private void put(long low, long high, int id) {
        int place = (int) hash(low, high) & mask;
        while (entries[place * ENTRY + 1] != 0) {
            if (entries[place * ENTRY] == low && entries[place * ENTRY + 1] == high) {
                return;
            }
            place = place + 1 & mask;
        }
        entries[place * ENTRY] = low;
        entries[place * ENTRY + 1] = high;
        entries[place * ENTRY + 2] = id;
    }

    /// The id of the token with these bytes and this length, or [#ABSENT].
    int find(long low, long high, long hash) {
        int place = (int) hash & mask;
        while (true) {
            int at = place * ENTRY;
            long found = entries[at + 1];
            if (found == high && entries[at] == low) {
                return (int) entries[at + 2];
            }
            if (found == 0) {
                return ABSENT;
            }
            place = place + 1 & mask;
        }
    }

    /// The second long of `text[from, to)`.
    static long high(byte[] text, int from, int to) {
        return (long) (to - from) << LENGTH_SHIFT | pack(text, Math.min(to, from + Long.BYTES), to);
    }

    /// Up to eight bytes, the first one lowest.
    static long pack(byte[] text, int from, int to) {
        long packed = 0;
        for (int at = to - 1; at >= from; at--) {
            packed = packed << Byte.SIZE | text[at] & 0xFF;
        }
        return packed;
    }

    static long hash(long low, long high) {
        long product = (low ^ high * TokenTable.GOLDEN) * TokenTable.GOLDEN;
        return product ^ product >>> 32;
    }
}
