package ai.epitome.tensor.format;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// How GGUF files hold numbers: rows of blocks of equal size, each with scales of its own. Half floats are
/// little-endian, the lower four bits of a byte come first.
///
/// ```text
/// Q8_0    32 values   d f16, 32 x i8                                           d * q
/// Q4_0    32 values   d f16, 16 x u8                                           d * (q - 8)
/// Q4_1    32 values   d f16, m f16, 16 x u8                                    d * q + m
/// Q5_0    32 values   d f16, fifth bits u32, 16 x u8                           d * (q - 16)
/// Q4_K   256 values   d f16, m f16, 12 x u8, 128 x u8                          d * scale * q - m * least
/// Q5_K   256 values   d f16, m f16, 12 x u8, fifth bits 32 x u8, 128 x u8      d * scale * q - m * least
/// Q6_K   256 values   128 x u8, upper two bits 64 x u8, scales 16 x i8, d f16  d * scale * (q - 32)
/// ```
///
/// In the first four, byte `i` has values `i` and `i + 16`. Scale and least value of each 32 in Q4_K and Q5_K are
/// six bits wide, packed in 12 bytes; of each 64 values, the lower halves of 32 bytes are the first 32.
///
/// Source: ggml, `ggml-common.h` and `dequantize_row_*` in `ggml-quants.c`.
public enum BlockFormat {
    /// Plain numbers, for which a block is one value.
    F32(0, 1, 4),
    F16(1, 1, 2),
    BF16(30, 1, 2),
    Q4_0(2, 32, 18),
    Q4_1(3, 32, 20),
    Q5_0(6, 32, 22),
    Q8_0(8, 32, 34),
    Q4_K(12, 256, 144),
    Q5_K(13, 256, 176),
    Q6_K(14, 256, 210);

    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final int number;
    private final int values;
    private final int bytes;

    BlockFormat(int number, int values, int bytes) {
        this.number = number;
        this.values = values;
        this.bytes = bytes;
    }

    /// The number of the format in GGUF files.
    public int number() {
        return number;
    }

    /// Values of one block.
    public int blockValues() {
        return values;
    }

    /// Bytes of one block.
    public int blockBytes() {
        return bytes;
    }

    /// Whether values are quantised: whole numbers of 8 bits or less, with scales of groups of them.
    public boolean quantised() {
        return values > 1;
    }

    /// Values that share a scale.
    public int group() {
        return this == Q6_K ? 16 : 32;
    }

    /// Whether a group has something that is added to each of its values.
    public boolean hasLeast() {
        return this == Q4_1 || this == Q4_K || this == Q5_K;
    }

    /// Bytes of `count` values, a whole number of blocks.
    public long bytesOf(long count) {
        return count / values * bytes;
    }

    /// Expands `count` values, a whole number of blocks, from byte `offset` of `source` on into `target[0, count)`.
    public void expand(MemorySegment source, long offset, int count, float[] target) {
        if (count % values != 0) {
            throw new IllegalArgumentException("%d values are no whole blocks of %s".formatted(count, this));
        }
        if (values == 1) {
            expandNumbers(source, offset, count, target);
            return;
        }
        long at = offset;
        for (int to = 0; to < count; to += values, at += bytes) {
            switch (this) {
                case Q4_0 -> fourBits(source, at, target, to);
                case Q4_1 -> fourBitsAbove(source, at, target, to);
                case Q5_0 -> fiveBits(source, at, target, to);
                case Q8_0 -> eightBits(source, at, target, to);
                case Q4_K -> fourBitsScaled(source, at, target, to);
                case Q5_K -> fiveBitsScaled(source, at, target, to);
                case Q6_K -> sixBitsScaled(source, at, target, to);
                case F32, F16, BF16 -> throw new IllegalStateException(name());
            }
        }
    }

    private void expandNumbers(MemorySegment source, long offset, int count, float[] target) {
        switch (this) {
            case F32 -> MemorySegment.copy(source, FLOAT, offset, target, 0, count);
            case F16 -> {
                for (int i = 0; i < count; i++) {
                    target[i] = half(source, offset + 2L * i);
                }
            }
            default -> {
                for (int i = 0; i < count; i++) {
                    target[i] = Float.intBitsToFloat(source.get(SHORT, offset + 2L * i) << 16);
                }
            }
        }
    }

    private static float half(MemorySegment source, long at) {
        return Float.float16ToFloat(source.get(SHORT, at));
    }

    private static int unsigned(MemorySegment source, long at) {
        return source.get(ValueLayout.JAVA_BYTE, at) & 0xFF;
    }

    private static void fourBits(MemorySegment source, long at, float[] target, int to) {
        float d = half(source, at);
        for (int i = 0; i < 16; i++) {
            int both = unsigned(source, at + 2 + i);
            target[to + i] = d * ((both & 15) - 8);
            target[to + 16 + i] = d * ((both >> 4) - 8);
        }
    }

    private static void fourBitsAbove(MemorySegment source, long at, float[] target, int to) {
        float d = half(source, at);
        float m = half(source, at + 2);
        for (int i = 0; i < 16; i++) {
            int both = unsigned(source, at + 4 + i);
            target[to + i] = d * (both & 15) + m;
            target[to + 16 + i] = d * (both >> 4) + m;
        }
    }

    private static void fiveBits(MemorySegment source, long at, float[] target, int to) {
        float d = half(source, at);
        int fifth = source.get(INT, at + 2);
        for (int i = 0; i < 16; i++) {
            int both = unsigned(source, at + 6 + i);
            target[to + i] = d * ((both & 15 | (fifth >>> i & 1) << 4) - 16);
            target[to + 16 + i] = d * ((both >> 4 | (fifth >>> 16 + i & 1) << 4) - 16);
        }
    }

    private static void eightBits(MemorySegment source, long at, float[] target, int to) {
        float d = half(source, at);
        for (int i = 0; i < 32; i++) {
            target[to + i] = d * source.get(ValueLayout.JAVA_BYTE, at + 2 + i);
        }
    }

    /// The six-bit scale of group `j` of eight. Those of groups 0 to 3 are the lower bits of bytes 0 to 3; those of
    /// the others have four bits in bytes 8 to 11 and two above the first ones.
    private static int scale(MemorySegment source, long scales, int j) {
        return j < 4
                ? unsigned(source, scales + j) & 63
                : unsigned(source, scales + j + 4) & 15 | unsigned(source, scales + j - 4) >> 6 << 4;
    }

    /// The six-bit least value of group `j`: likewise, from byte 4 on and in the upper halves.
    private static int least(MemorySegment source, long scales, int j) {
        return j < 4
                ? unsigned(source, scales + j + 4) & 63
                : unsigned(source, scales + j + 4) >> 4 | unsigned(source, scales + j) >> 6 << 4;
    }

    private static void fourBitsScaled(MemorySegment source, long at, float[] target, int to) {
        float d = half(source, at);
        float m = half(source, at + 2);
        for (int group = 0; group < 8; group++) {
            float scale = d * scale(source, at + 4, group);
            float least = m * least(source, at + 4, group);
            int shift = 4 * (group & 1);
            long from = at + 16 + 32 * (group >> 1);
            for (int i = 0; i < 32; i++) {
                target[to + 32 * group + i] = scale * (unsigned(source, from + i) >> shift & 15) - least;
            }
        }
    }

    private static void fiveBitsScaled(MemorySegment source, long at, float[] target, int to) {
        float d = half(source, at);
        float m = half(source, at + 2);
        for (int group = 0; group < 8; group++) {
            float scale = d * scale(source, at + 4, group);
            float least = m * least(source, at + 4, group);
            int shift = 4 * (group & 1);
            long from = at + 48 + 32 * (group >> 1);
            for (int i = 0; i < 32; i++) {
                int fifth = unsigned(source, at + 16 + i) >> group & 1;
                int value = unsigned(source, from + i) >> shift & 15 | fifth << 4;
                target[to + 32 * group + i] = scale * value - least;
            }
        }
    }

    /// Each half of 128 values has 64 bytes of lower bits: value `32 q + i` is in byte `32 (q & 1) + i`, in its lower
    /// bits for `q` of 0 and 1; its upper two bits are the pair `q` of byte `i` of 32.
    private static void sixBitsScaled(MemorySegment source, long at, float[] target, int to) {
        float d = half(source, at + 208);
        for (int quarter = 0; quarter < 8; quarter++) {
            int half = quarter >> 2;
            int q = quarter & 3;
            long lower = at + 64 * half + 32 * (q & 1);
            long upper = at + 128 + 32 * half;
            for (int i = 0; i < 32; i++) {
                float scale = d * source.get(ValueLayout.JAVA_BYTE, at + 192 + 2 * quarter + (i >> 4));
                int value = unsigned(source, lower + i) >> 4 * (q >> 1) & 15
                        | (unsigned(source, upper + i) >> 2 * q & 3) << 4;
                target[to + 32 * quarter + i] = scale * (value - 32);
            }
        }
    }
}
