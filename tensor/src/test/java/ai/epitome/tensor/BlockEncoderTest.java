package ai.epitome.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

class BlockEncoderTest {
    private static final int COUNT = 4096;

    /// Values whose bits are the same in every language: sixteenths of whole numbers, blocks of zeros, halves to round.
    private static float[] values() {
        float[] values = new float[COUNT];
        for (int i = 0; i < COUNT; i++) {
            int drawn = (i * i * 31 + i * 7 + 11 >> 2) % 2001 - 1000;
            values[i] = i / 32 % 7 == 3 ? 0 : drawn * (1 + i / 512) / 1024f;
        }
        return values;
    }

    static byte[] encode(BlockFormat format, float[] values) {
        byte[] bytes = new byte[(int) format.bytesOf(values.length)];
        BlockEncoder.encode(format, values, values.length, MemorySegment.ofArray(bytes), 0);
        return bytes;
    }

    static float[] expand(BlockFormat format, byte[] bytes, int count) {
        float[] values = new float[count];
        format.expand(MemorySegment.ofArray(bytes), 0, count, values);
        return values;
    }

    /// The hash of the bytes that gguf-py 0.19 (`gguf.quants.quantize`) makes of the same values.
    @ParameterizedTest
    @CsvSource({"Q8_0, 0x7ad5fbb", "Q4_0, 0xc02c566c", "Q5_0, 0xd9603be1", "F16, 0xffd6d546", "BF16, 0x92553a3c"})
    void bytesAreThoseOfGgufPy(BlockFormat format, String hash) {
        assertThat(Arrays.hashCode(encode(format, values()))).isEqualTo((int) (long) Long.decode(hash));
    }

    /// What a format can say comes back as it was.
    @ParameterizedTest
    @EnumSource(
            mode = Mode.INCLUDE,
            names = {"F32", "F16", "BF16", "Q8_0", "Q5_0", "Q4_0"})
    void whatWasExpandedIsEncodedToTheSameValues(BlockFormat format) {
        float[] once = expand(format, encode(format, values()), COUNT);
        assertThat(expand(format, encode(format, once), COUNT)).containsExactly(once);
    }

    @ParameterizedTest
    @CsvSource({"Q8_0, 0.0043", "Q5_0, 0.063", "Q4_0, 0.126", "F16, 0.0005", "BF16, 0.004"})
    void errorsAreSmallBesideTheLargestValue(BlockFormat format, float part) {
        Random random = new Random(1);
        float[] values = new float[COUNT];
        for (int i = 0; i < COUNT; i++) {
            values[i] = (float) random.nextGaussian();
        }
        float[] back = expand(format, encode(format, values), COUNT);
        for (int i = 0; i < COUNT; i++) {
            int block = i / 32 * 32;
            float largest = 0;
            for (int j = block; j < block + 32; j++) {
                largest = Math.max(largest, Math.abs(values[j]));
            }
            assertThat(Math.abs(back[i] - values[i])).as("value %d", i).isLessThanOrEqualTo(part * largest);
        }
    }

    @Test
    void valuesThatNoFormatHoldsAreRefused() {
        for (float wrong : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
            float[] values = new float[32];
            values[7] = wrong;
            for (BlockFormat format : new BlockFormat[] {BlockFormat.Q8_0, BlockFormat.Q4_0, BlockFormat.F16}) {
                assertThatThrownBy(() -> encode(format, values)).isInstanceOf(IllegalArgumentException.class);
            }
        }
        float[] large = new float[32];
        large[3] = 65_520;
        assertThatThrownBy(() -> encode(BlockFormat.F16, large)).hasMessageContaining("65504");
        assertThat(encode(BlockFormat.Q8_0, large)).isNotEmpty();
    }

    @Test
    void tinyValuesBecomeZero() {
        float[] values = new float[32];
        Arrays.fill(values, Float.MIN_VALUE);
        for (BlockFormat format : new BlockFormat[] {BlockFormat.Q8_0, BlockFormat.Q4_0}) {
            for (float value : expand(format, encode(format, values), 32)) {
                assertThat(value).isEqualTo(0f);
            }
        }
    }

    @Test
    void onlyWholeBlocksAreWritten() {
        assertThatThrownBy(() -> encode(BlockFormat.Q8_0, new float[33])).hasMessageContaining("no whole blocks");
    }
}
