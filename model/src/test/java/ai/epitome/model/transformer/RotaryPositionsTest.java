package ai.epitome.model.transformer;

import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.tensor.autograd.RotaryTable;
import org.junit.jupiter.api.Test;

class RotaryPositionsTest {
    private static final float[] FREQUENCIES = RotaryTable.frequencies(10_000, 8);

    @Test
    void growsWithThePositionsAndNotWithTheContext() {
        RotaryPositions rotary = new RotaryPositions(FREQUENCIES, 1, 1 << 20);
        RotaryTable first = rotary.covering(new int[] {3, 4095, 7});
        assertThat(first.length()).isEqualTo(RotaryPositions.FEW);
        assertThat(rotary.covering(new int[] {0})).isSameAs(first);
        assertThat(rotary.covering(new int[] {4096, 0}).length()).isEqualTo(8192);
        assertThat(rotary.covering(new int[] {1}).length()).isEqualTo(8192);
        assertThat(rotary.covering(new int[] {100_000}).length()).isEqualTo(100_001);
    }

    @Test
    void endsWithTheContext() {
        assertThat(new RotaryPositions(FREQUENCIES, 1, 32)
                        .covering(new int[] {5})
                        .length())
                .isEqualTo(32);
        RotaryPositions rotary = new RotaryPositions(FREQUENCIES, 1, 5000);
        assertThat(rotary.covering(new int[] {4999}).length()).isEqualTo(5000);
        assertThat(rotary.covering(new int[] {5000}).length()).isEqualTo(5000); // for the kernel to refuse
    }
}
