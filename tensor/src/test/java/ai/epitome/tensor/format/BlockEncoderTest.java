package ai.epitome.tensor.format;

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

    /// Sums of four numbers that a linear congruential generator draws: nearly normal, and the same in every language.
    private static float[] bellShaped() {
        int state = 1;
        float[] values = new float[COUNT];
        for (int i = 0; i < COUNT; i++) {
            double sum = 0;
            for (int j = 0; j < 4; j++) {
                state = state * 1664525 + 1013904223;
                sum += (state >>> 8) / 0x1p24;
            }
            values[i] = (float) (sum - 2);
        }
        return values;
    }

    private static double relativeError(float[] values, float[] back) {
        double off = 0;
        double all = 0;
        for (int i = 0; i < values.length; i++) {
            off += Math.pow(back[i] - (double) values[i], 2);
            all += Math.pow(values[i], 2);
        }
        return Math.sqrt(off / all);
    }

    /// The errors are those that ggml's own encoders make of the same values (`ggml_quantize_chunk` of the build in
    /// node-llama-cpp 3.22.1), and ours have to be smaller.
    @ParameterizedTest
    @CsvSource({"Q4_K, 0.0691015", "Q5_K, 0.0347654", "Q6_K, 0.0172264"})
    void errorsAreSmallerThanThoseOfGgml(BlockFormat format, double ggml) {
        float[] values = bellShaped();
        assertThat(relativeError(values, expand(format, encode(format, values), COUNT)))
                .isBetween(0.9 * ggml, ggml);
    }

    /// However the rows are cut, and however many blocks share the registers, a block's bytes are its own.
    @ParameterizedTest
    @CsvSource({"Q4_K", "Q5_K", "Q6_K"})
    void blocksDoNotTouchEachOther(BlockFormat format) {
        float[] values = bellShaped();
        byte[] all = encode(format, values);
        for (int block = 0; block < COUNT / 256; block++) {
            byte[] alone = encode(format, Arrays.copyOfRange(values, 256 * block, 256 * (block + 1)));
            int at = block * format.blockBytes();
            assertThat(Arrays.copyOfRange(all, at, at + format.blockBytes()))
                    .as("block %d", block)
                    .isEqualTo(alone);
        }
    }

    /// Groups of one value, of zeros, of huge and of tiny values, beside each other.
    @ParameterizedTest
    @CsvSource({"Q4_K, 0.04", "Q5_K, 0.02", "Q6_K, 0.02"})
    void unusualGroups(BlockFormat format, float part) {
        float[] values = bellShaped();
        for (int i = 0; i < 256; i++) {
            values[i] = 0;
            values[256 + i] = -0.75f;
            values[512 + i] = 0.75f;
            values[768 + i] = i % 32 == 0 ? 1000 : 0;
            values[1024 + i] = i < 32 ? -5 : 1e-30f;
            values[1280 + i] = i % 2 == 0 ? 1e-12f : -1e-12f;
        }
        float[] back = expand(format, encode(format, values), COUNT);
        for (int i = 0; i < 1536; i++) {
            float largest = 0;
            for (int j = i / 256 * 256; j < i / 256 * 256 + 256; j++) {
                largest = Math.max(largest, Math.abs(values[j]));
            }
            assertThat(Math.abs(back[i] - values[i])).as("value %d", i).isLessThanOrEqualTo(part * largest + 1e-11f);
        }
    }

    @Test
    void valuesThatNoFormatHoldsAreRefused() {
        for (float wrong : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
            float[] values = new float[256];
            values[7] = wrong;
            for (BlockFormat format : new BlockFormat[] {
                BlockFormat.Q8_0, BlockFormat.Q4_0, BlockFormat.Q4_K, BlockFormat.Q6_K, BlockFormat.F16
            }) {
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
