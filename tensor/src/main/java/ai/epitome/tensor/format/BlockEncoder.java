package ai.epitome.tensor.format;

import ai.epitome.tensor.Bf16;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// Writes numbers in the formats of [BlockFormat], which draws them.
///
/// Q8_0, Q5_0 and Q4_0 scale each block by its largest value, to the bit as ggml's reference does
/// (`quantize_row_*_ref` in `ggml-quants.c`; without fused multiplication, as gguf-py). Q4_K, Q5_K and Q6_K
/// look for better scales ([SuperBlockEncoder]). Q4_1 is not written.
public final class BlockEncoder {
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;
    /// Beyond the largest half float, where rounding would give infinity.
    private static final float HALF_OVERFLOW = 65_520;

    private BlockEncoder() {}

    /// Writes `source[0, count)`, a whole number of blocks, from byte `offset` of `target` on.
    ///
    /// @throws IllegalArgumentException if a value is infinite, no number, or too large for the format
    public static void encode(BlockFormat format, float[] source, int count, MemorySegment target, long offset) {
        if (count % format.blockValues() != 0) {
            throw new IllegalArgumentException("%d values are no whole blocks of %s".formatted(count, format));
        }
        switch (format) {
            case Q4_K, Q5_K, Q6_K -> {
                requireFinite(source, count);
                new SuperBlockEncoder(format).encode(source, count, target, offset);
                return;
            }
            default -> {}
        }
        long at = offset;
        for (int from = 0; from < count; from += format.blockValues(), at += format.blockBytes()) {
            switch (format) {
                case F32 -> target.set(FLOAT, at, source[from]);
                case F16 -> target.set(SHORT, at, half(source[from]));
                case BF16 -> target.set(SHORT, at, Bf16.fromFloat(source[from]));
                case Q8_0 -> eightBits(source, from, target, at);
                case Q5_0 -> fiveBits(source, from, target, at);
                case Q4_0 -> fourBits(source, from, target, at);
                default -> throw new IllegalArgumentException(format + " is not written");
            }
        }
    }

    /// The nearest half float, ties to even.
    static short half(float value) {
        if (!(Math.abs(value) < HALF_OVERFLOW)) {
            throw new IllegalArgumentException("the value " + value + " is beyond what 16 bits hold, 65504");
        }
        return Float.floatToFloat16(value);
    }

    /// What values are multiplied with; nothing where all are zero, or too small to be told from it.
    private static float inverse(float scale) {
        float inverse = 1 / scale;
        return Float.isFinite(inverse) ? inverse : 0;
    }

    private static void eightBits(float[] source, int from, MemorySegment target, long at) {
        float scale = Math.abs(furthest(source, from)) / 127;
        float inverse = inverse(scale);
        target.set(SHORT, at, half(scale));
        for (int i = 0; i < 32; i++) {
            float value = source[from + i] * inverse;
            float size = Math.abs(value);
            int whole = (int) size;
            int rounded = whole + (int) (2 * (size - whole)); // halves away from zero
            target.set(BYTE, at + 2 + i, (byte) (value < 0 ? -rounded : rounded));
        }
    }

    private static void fourBits(float[] source, int from, MemorySegment target, long at) {
        float scale = furthest(source, from) / -8;
        float inverse = inverse(scale);
        target.set(SHORT, at, half(scale));
        for (int i = 0; i < 16; i++) {
            int first = Math.min(15, (int) (source[from + i] * inverse + 8.5f));
            int second = Math.min(15, (int) (source[from + 16 + i] * inverse + 8.5f));
            target.set(BYTE, at + 2 + i, (byte) (first | second << 4));
        }
    }

    private static void fiveBits(float[] source, int from, MemorySegment target, long at) {
        float scale = furthest(source, from) / -16;
        float inverse = inverse(scale);
        target.set(SHORT, at, half(scale));
        int fifth = 0;
        for (int i = 0; i < 16; i++) {
            int first = Math.min(31, (int) (source[from + i] * inverse + 16.5f));
            int second = Math.min(31, (int) (source[from + 16 + i] * inverse + 16.5f));
            fifth |= first >> 4 << i | second >> 4 << 16 + i;
            target.set(BYTE, at + 6 + i, (byte) (first & 15 | (second & 15) << 4));
        }
        target.set(INT, at + 2, fifth);
    }

    private static void requireFinite(float[] source, int count) {
        float sum = 0;
        for (int i = 0; i < count; i++) {
            sum += source[i] * 0;
        }
        if (sum != 0) {
            throw new IllegalArgumentException("a value is infinite or no number");
        }
    }

    /// The value of a block that is furthest from zero, the first of equals.
    private static float furthest(float[] source, int from) {
        float furthest = 0;
        float sum = 0;
        for (int i = from; i < from + 32; i++) {
            sum += source[i] * 0;
            if (Math.abs(source[i]) > Math.abs(furthest)) {
                furthest = source[i];
            }
        }
        if (sum != 0) {
            throw new IllegalArgumentException("a value is infinite or no number");
        }
        return furthest;
    }
}
