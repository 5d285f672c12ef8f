package ai.epitome.text;

/// Pairs by their tokens: open addressing on the two ids, without boxes. Pairs are never taken out.
final class TokenPairs {
    private static final long MIX = 0x9E3779B97F4A7C15L;

    private long[] keys = new long[1 << 17];
    private TokenPair[] pairs = new TokenPair[1 << 17];
    private int size;

    /// The pair, or null.
    TokenPair get(int left, int right) {
        return pairs[find(key(left, right))];
    }

    void add(TokenPair pair) {
        if (2 * size >= pairs.length) {
            grow();
        }
        put(pair);
        size++;
    }

    private void put(TokenPair pair) {
        long key = key(pair.left, pair.right);
        int slot = find(key);
        keys[slot] = key;
        pairs[slot] = pair;
    }

    private static long key(int left, int right) {
        return (long) left << Integer.SIZE | right;
    }

    private int find(long key) {
        int slot = (int) (key * MIX >>> Integer.SIZE) & pairs.length - 1;
        while (pairs[slot] != null && keys[slot] != key) {
            slot = slot + 1 & pairs.length - 1;
        }
        return slot;
    }

    private void grow() {
        TokenPair[] before = pairs;
        keys = new long[2 * before.length];
        pairs = new TokenPair[2 * before.length];
        for (TokenPair pair : before) {
            if (pair != null) {
                put(pair);
            }
        }
    }
}
