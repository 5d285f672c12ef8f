package ai.epitome.tensor.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class BlockFormatTest {
    private static final int COUNT = 512;

    /// The hash of all values that gguf-py 0.19 (`gguf.quants.dequantize`) gives for the same bytes.
    @ParameterizedTest
    @CsvSource({
        "Q4_0, 0x4b7b4401",
        "Q4_1, 0x901cb001",
        "Q5_0, 0xbe4d4001",
        "Q8_0, 0x44dc16c1",
        "Q4_K, 0x566d4139",
        "Q5_K, 0x980f9e09",
        "Q6_K, 0x102eeab3"
    })
    void valuesAreThoseOfGgufPy(BlockFormat format, String hash) {
        int blocks = COUNT / format.blockValues();
        ByteBuffer bytes = ByteBuffer.allocate(blocks * format.blockBytes()).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < bytes.capacity(); i++) {
            bytes.put(i, (byte) (i * i * 31 + i * 7 + 11 >> 2));
        }
        for (int block = 0; block < blocks; block++) {
            int at = block * format.blockBytes();
            float sign = block % 3 == 1 ? -1 : 1;
            boolean last = format == BlockFormat.Q6_K;
            bytes.putShort(at + (last ? 208 : 0), Float.floatToFloat16(sign * (float) (0.01 * (block + 1))));
            if (format == BlockFormat.Q4_1 || format == BlockFormat.Q4_K || format == BlockFormat.Q5_K) {
                bytes.putShort(at + 2, Float.floatToFloat16(sign * (float) (0.01 * (block + 1) + 0.3)));
            }
        }
        float[] values = expand(format, bytes.array());
        for (int i = 0; i < COUNT; i++) {
            values[i] += 0f; // one zero
        }
        assertThat(Arrays.hashCode(values)).isEqualTo((int) (long) Long.decode(hash));
    }

    /// Each value by its definition, from bits that are picked one by one.
    @ParameterizedTest
    @EnumSource
    void valuesAreThoseOfTheDefinition(BlockFormat format) {
        Random random = new Random(format.number());
        byte[] bytes = new byte[COUNT / format.blockValues() * format.blockBytes()];
        random.nextBytes(bytes);
        float[] values = expand(format, bytes);
        for (int i = 0; i < COUNT; i++) {
            int at = i / format.blockValues() * format.blockBytes();
            byte[] block = Arrays.copyOfRange(bytes, at, at + format.blockBytes());
            double expected = naive(format, block, i % format.blockValues());
            if (Double.isFinite(expected)) {
                assertThat((double) values[i]).as("value %d", i).isCloseTo(expected, within(tolerance(expected)));
            } else {
                assertThat(values[i]).as("value %d", i).isNotFinite();
            }
        }
    }

    private static double tolerance(double value) {
        return 1e-6 * Math.abs(value) + 0.02; // of differences of large halves
    }

    private static double naive(BlockFormat format, byte[] block, int i) {
        return switch (format) {
            case F32 -> ByteBuffer.wrap(block).order(ByteOrder.LITTLE_ENDIAN).getFloat();
            case F16 -> half(block, 0);
            case BF16 -> Float.intBitsToFloat((block[1] & 0xFF) << 24 | (block[0] & 0xFF) << 16);
            case Q4_0 -> half(block, 0) * (bits(block, 8 * (2 + i % 16) + i / 16 * 4, 4) - 8);
            case Q4_1 -> half(block, 0) * bits(block, 8 * (4 + i % 16) + i / 16 * 4, 4) + half(block, 2);
            case Q5_0 ->
                half(block, 0) * (bits(block, 8 * (6 + i % 16) + i / 16 * 4, 4) + 16 * bits(block, 16 + i, 1) - 16);
            case Q8_0 -> half(block, 0) * block[2 + i];
            case Q4_K ->
                half(block, 0) * scale(block, i / 32) * bits(block, 8 * (16 + i / 64 * 32 + i % 32) + i / 32 % 2 * 4, 4)
                        - half(block, 2) * least(block, i / 32);
            case Q5_K -> {
                int low = bits(block, 8 * (48 + i / 64 * 32 + i % 32) + i / 32 % 2 * 4, 4);
                int value = low + 16 * bits(block, 8 * (16 + i % 32) + i / 32, 1);
                yield half(block, 0) * scale(block, i / 32) * value - half(block, 2) * least(block, i / 32);
            }
            case Q6_K -> {
                int within = i % 128;
                int low = bits(block, 8 * (i / 128 * 64 + within % 64) + within / 64 * 4, 4);
                int high = bits(block, 8 * (128 + i / 128 * 32 + within % 32) + within / 32 * 2, 2);
                yield half(block, 208) * block[192 + i / 16] * (low + 16 * high - 32);
            }
        };
    }

    private static int scale(byte[] block, int group) {
        return group < 4
                ? bits(block, 8 * (4 + group), 6)
                : bits(block, 8 * (8 + group), 4) + 16 * bits(block, 8 * group + 6, 2);
    }

    private static int least(byte[] block, int group) {
        return group < 4
                ? bits(block, 8 * (8 + group), 6)
                : bits(block, 8 * (8 + group) + 4, 4) + 16 * bits(block, 8 * (4 + group) + 6, 2);
    }

    /// `count` bits from bit `from` on; the lowest of a byte first.
    private static int bits(byte[] block, int from, int count) {
        int value = 0;
        for (int i = 0; i < count; i++) {
            value |= (block[(from + i) / 8] >> (from + i) % 8 & 1) << i;
        }
        return value;
    }

    private static double half(byte[] block, int at) {
        return Float.float16ToFloat((short) (block[at] & 0xFF | block[at + 1] << 8));
    }

    private static float[] expand(BlockFormat format, byte[] bytes) {
        float[] values = new float[COUNT];
        format.expand(MemorySegment.ofArray(bytes), 0, COUNT, values);
        return values;
    }

    @Test
    void halfABlockIsRefused() {
        MemorySegment source = MemorySegment.ofArray(new byte[34]);
        assertThatThrownBy(() -> BlockFormat.Q8_0.expand(source, 0, 16, new float[16]))
                .hasMessage("16 values are no whole blocks of Q8_0");
        assertThatThrownBy(() -> BlockFormat.Q8_0.expand(source, 1, 32, new float[32]))
                .isInstanceOf(IndexOutOfBoundsException.class);
    }
}
