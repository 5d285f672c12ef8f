package ai.epitome.text;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/// Finds a token's id by its bytes: open addressing with linear probing over a power-of-two table at most half full.
public final class TokenTable {
    static final int ABSENT = -1;

    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    /// 2^64 divided by the golden ratio: spreads nearby keys (Knuth, The Art of Computer Programming, 6.4).
    static final long GOLDEN = 0x9E3779B97F4A7C15L;

    private final byte[][] tokens;
    private final int[] slots;
    private final int shift;
    private final int longest;

    /// @param tokens bytes by id; null where there is nothing to find. Two equal entries: the lower id is found.
    public TokenTable(byte[][] tokens) {
        this.tokens = tokens;
        int bits = 33 - Integer.numberOfLeadingZeros(Math.max(tokens.length, 8));
        this.slots = new int[1 << bits];
        this.shift = Long.SIZE - bits;
        Arrays.fill(slots, ABSENT);
        int most = 0;
        for (int id = 0; id < tokens.length; id++) {
            byte[] token = tokens[id];
            if (token != null && find(token) == ABSENT) {
                most = Math.max(most, token.length);
                slots[freeSlot(token)] = id;
            }
        }
        this.longest = most;
    }

    private int freeSlot(byte[] token) {
        int slot = (int) (hash(token, 0, token.length) >>> shift);
        while (slots[slot] != ABSENT) {
            slot = slot + 1 & slots.length - 1;
        }
        return slot;
    }

    /// The id of a token with these bytes, or [#ABSENT].
    public int find(byte[] token) {
        return find(token, 0, token.length);
    }

    /// The id of the token that is exactly `text[from, to)`, or [#ABSENT].
    int find(byte[] text, int from, int to) {
        int slot = (int) (hash(text, from, to) >>> shift);
        while (slots[slot] != ABSENT) {
            byte[] token = tokens[slots[slot]];
            if (token.length == to - from && Arrays.equals(token, 0, token.length, text, from, to)) {
                return slots[slot];
            }
            slot = slot + 1 & slots.length - 1;
        }
        return ABSENT;
    }

    /// The length of the longest token in the table, in bytes.
    int longest() {
        return longest;
    }

    /// A 64-bit hash of `text[from, to)` whose upper bits are well mixed.
    static long hash(byte[] text, int from, int to) {
        long hash = to - from;
        int at = from;
        for (; at + Long.BYTES <= to; at += Long.BYTES) {
            hash = mix(hash ^ (long) LONG.get(text, at));
        }
        long rest = 0;
        for (int shift = 0; at < to; at++, shift += Byte.SIZE) {
            rest |= (text[at] & 0xFFL) << shift;
        }
        return mix(hash ^ rest);
    }

    static long mix(long value) {
        long product = value * GOLDEN;
        return (product ^ product >>> 32) * GOLDEN;
    }
}
