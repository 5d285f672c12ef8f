package ai.epitome.tensor.attention;

import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

class HalfTest {
    private static final int ALL = 1 << 16;

    @Test
    void everyNumberIsReadAsTheLanguageReadsIt() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment halves = arena.allocate(2L * ALL, 64);
            for (int bits = 0; bits < ALL; bits++) {
                halves.setAtIndex(Tensor.SHORT, bits, (short) bits);
            }
            for (int from : new int[] {0, 5}) {
                float[] read = new float[ALL - 8];
                Half.load(halves, from, read, read.length);
                for (int i = 0; i < read.length; i++) {
                    assertThat(read[i]).as("%x", from + i).isEqualTo(Float.valueOf(Float.float16ToFloat((short)
                            (from + i))));
                }
            }
        }
    }

    @Test
    void finiteNumbersStayFinite() {
        for (float x : new float[] {65504, 65519, 65520, 1e9f, Float.MAX_VALUE}) {
            assertThat(Float.float16ToFloat(Half.fromFloat(x))).isEqualTo(65504);
            assertThat(Float.float16ToFloat(Half.fromFloat(-x))).isEqualTo(-65504);
        }
        assertThat(Float.float16ToFloat(Half.fromFloat(Float.NaN))).isNaN();
        assertThat(Float.float16ToFloat(Half.fromFloat(Float.NEGATIVE_INFINITY)))
                .isEqualTo(Float.NEGATIVE_INFINITY);
        assertThat(Float.float16ToFloat(Half.fromFloat(1 + 0x1.8p-11f))).isEqualTo(1 + 0x1p-10f);
        assertThat(Float.float16ToFloat(Half.fromFloat(0x1p-24f))).isEqualTo(0x1p-24f);
    }
}
