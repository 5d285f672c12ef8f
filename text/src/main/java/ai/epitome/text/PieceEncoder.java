package ai.epitome.text;

import ai.epitome.text.split.PieceSink;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/// Encodes pieces one after another into a growing list of ids: most pieces are tokens, which [ShortTokens]
/// knows; of the others the ids are remembered, since words repeat; what is new is merged.
///
/// The memory is a direct-mapped cache for pieces of up to 15 bytes and four ids. An entry is four longs:
///
/// ```
/// bytes 0 to 7 | bytes 8 to 14, length | id, id | id, id, count
/// ```
///
/// It starts small, since most texts are, and doubles while it fills. One per thread.
final class PieceEncoder implements PieceSink {
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private static final int LONGEST_CACHED = ShortTokens.LONGEST;
    private static final int MOST_CACHED_IDS = 4;
    /// Ids are below 2^22, so the count has room above the fourth.
    private static final int COUNT_SHIFT = Long.SIZE - Byte.SIZE;

    /// Which bytes of the first and of the second long belong to a piece of some length.
    private static final long[] LOW_MASK = new long[LONGEST_CACHED + 1];

    private static final long[] HIGH_MASK = new long[LONGEST_CACHED + 1];

    static {
        for (int length = 1; length <= LONGEST_CACHED; length++) {
            LOW_MASK[length] = -1L >>> Math.max(0, Long.SIZE - Byte.SIZE * length);
            HIGH_MASK[length] = length <= Long.BYTES ? 0 : -1L >>> 2 * Long.SIZE - Byte.SIZE * length;
        }
    }

    private static final int ENTRY = 4;
    private static final int LEAST_BITS = 10;
    /// 2^17 entries are 4 MB: merging a word anew costs more than reaching beyond the second-level cache.
    private static final int MOST_BITS = 17;

    private final ShortTokens shortTokens;
    private final TokenTable tokens;
    private final PieceMerger merger;
    private final IntList output;

    private long[] cache = new long[ENTRY << LEAST_BITS];
    private int bits = LEAST_BITS;
    /// Entries put since the cache has its size.
    private int put;

    PieceEncoder(BytePairVocabulary vocabulary) {
        this.shortTokens = vocabulary.shortPieces();
        this.tokens = vocabulary.pieces();
        this.merger = new PieceMerger(vocabulary);
        this.output = merger.output();
    }

    /// The ids appended so far.
    IntList output() {
        return output;
    }

    @Override
    public void piece(byte[] text, int from, int to) {
        int length = to - from;
        if (length > LONGEST_CACHED) {
            encodeLong(text, from, to);
            return;
        }
        long low;
        long high;
        if (from <= text.length - 2 * Long.BYTES) {
            low = (long) LONG.get(text, from) & LOW_MASK[length];
            high = (long) LONG.get(text, from + Long.BYTES) & HIGH_MASK[length];
        } else {
            low = ShortTokens.pack(text, from, Math.min(to, from + Long.BYTES));
            high = ShortTokens.pack(text, Math.min(to, from + Long.BYTES), to);
        }
        high |= (long) length << ShortTokens.LENGTH_SHIFT;
        long hash = ShortTokens.hash(low, high);
        int id = shortTokens.find(low, high, hash);
        if (id != ShortTokens.ABSENT) {
            output.add(id);
            return;
        }
        int at = place(hash);
        if (cache[at] == low && cache[at + 1] == high) {
            long last = cache[at + 3];
            output.addUpToFour(cache[at + 2], last & -1L >>> Byte.SIZE, (int) (last >>> COUNT_SHIFT));
        } else {
            mergeAndCache(text, from, to, low, high);
        }
    }

    private void encodeLong(byte[] text, int from, int to) {
        int id = to - from <= tokens.longest() ? tokens.find(text, from, to) : TokenTable.ABSENT;
        if (id != TokenTable.ABSENT) {
            output.add(id);
        } else {
            merger.merge(text, from, to);
        }
    }

    private int place(long hash) {
        return (int) (hash >>> Long.SIZE - bits) * ENTRY;
    }

    private void mergeAndCache(byte[] text, int from, int to, long low, long high) {
        int before = output.size();
        merger.merge(text, from, to);
        int count = output.size() - before;
        if (count <= MOST_CACHED_IDS) {
            put(low, high, ids(before), ids(before + 2) | (long) count << COUNT_SHIFT);
            if (put > 1 << bits - 1 && bits < MOST_BITS) {
                grow();
            }
        }
    }

    /// Two ids of the output in one long; 0 for what is not there.
    private long ids(int at) {
        long first = at < output.size() ? output.get(at) : 0;
        long second = at + 1 < output.size() ? output.get(at + 1) : 0;
        return second << Integer.SIZE | first;
    }

    private void put(long low, long high, long first, long last) {
        int at = place(ShortTokens.hash(low, high));
        cache[at] = low;
        cache[at + 1] = high;
        cache[at + 2] = first;
        cache[at + 3] = last;
        put++;
    }

    private void grow() {
        long[] old = cache;
        cache = new long[2 * old.length];
        bits++;
        put = 0;
        for (int at = 0; at < old.length; at += ENTRY) {
            // An empty entry has no length.
            if (old[at + 1] != 0) {
                put(old[at], old[at + 1], old[at + 2], old[at + 3]);
            }
        }
    }
}
