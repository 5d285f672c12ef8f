package ai.epitome.text;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/// Encodes pieces one after another into a growing list of ids: by cache, by look-up of the whole piece, or by merging.
///
/// Words repeat, so pieces of up to 15 bytes go through a direct-mapped cache whose key is the piece itself: 15 bytes
/// and the length packed into two longs. Its value is one id, or where the ids stand in a pool. One per thread.
final class PieceEncoder implements PieceSink {
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private static final int LONGEST_CACHED = 2 * Long.BYTES - 1;
    private static final int LENGTH_SHIFT = Long.SIZE - Byte.SIZE;
    /// 2^14 entries of 16 bytes: 256 KB of keys, which stays in a second-level cache.
    private static final int CACHE_BITS = 14;
    /// Ids of pieces that are several tokens; when it is full the cache starts anew.
    private static final int POOL = 1 << 17;

    private final BytePairVocabulary vocabulary;
    private final PieceMerger merger;
    private final IntList output;

    /// Two longs an entry. A packed piece is never 0, since its length is not.
    private final long[] keys = new long[2 << CACHE_BITS];
    /// An id, or `~` the place of `count, id, id, ...` in the pool.
    private final int[] values = new int[1 << CACHE_BITS];

    private final int[] pool = new int[POOL];
    private int poolSize;

    PieceEncoder(BytePairVocabulary vocabulary) {
        this.vocabulary = vocabulary;
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
            encodeAnew(text, from, to);
            return;
        }
        long low;
        long high;
        if (from <= text.length - 2 * Long.BYTES) {
            low = (long) LONG.get(text, from);
            high = (long) LONG.get(text, from + Long.BYTES);
            if (length <= Long.BYTES) {
                low &= -1L >>> (Long.SIZE - Byte.SIZE * length);
                high = 0;
            } else {
                high &= -1L >>> (2 * Long.SIZE - Byte.SIZE * length);
            }
        } else {
            low = bytes(text, from, Math.min(to, from + Long.BYTES));
            high = bytes(text, from + Long.BYTES, to);
        }
        high |= (long) length << LENGTH_SHIFT;
        int slot = (int) (TokenTable.mix(low ^ TokenTable.mix(high)) >>> (Long.SIZE - CACHE_BITS));
        if (keys[2 * slot] == low && keys[2 * slot + 1] == high) {
            appendCached(values[slot]);
        } else {
            encodeAndCache(text, from, to, slot);
            keys[2 * slot] = low;
            keys[2 * slot + 1] = high;
        }
    }

    private static long bytes(byte[] text, int from, int to) {
        long packed = 0;
        for (int at = to - 1; at >= from; at--) {
            packed = packed << Byte.SIZE | text[at] & 0xFF;
        }
        return packed;
    }

    private void appendCached(int value) {
        if (value >= 0) {
            output.add(value);
        } else {
            output.addAll(pool, ~value + 1, pool[~value]);
        }
    }

    private void encodeAndCache(byte[] text, int from, int to, int slot) {
        int before = output.size();
        encodeAnew(text, from, to);
        int count = output.size() - before;
        if (count == 1) {
            values[slot] = output.get(before);
            return;
        }
        if (poolSize + count + 1 > POOL) {
            Arrays.fill(keys, 0);
            poolSize = 0;
        }
        values[slot] = ~poolSize;
        pool[poolSize] = count;
        System.arraycopy(output.items(), before, pool, poolSize + 1, count);
        poolSize += count + 1;
    }

    private void encodeAnew(byte[] text, int from, int to) {
        TokenTable pieces = vocabulary.pieces();
        if (to - from <= pieces.longest()) {
            int id = pieces.find(text, from, to);
            if (id != TokenTable.ABSENT) {
                output.add(id);
                return;
            }
        }
        merger.merge(text, from, to);
    }
}
