package ai.epitome.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

class HugePagesTest {
    private static final long BYTES = (5L << 20) + 3;

    @Test
    void memoryIsZeroAlignedAndWholeToItsEnd() {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment memory = HugePages.allocate(arena, BYTES);
            assertThat(memory.byteSize()).isGreaterThanOrEqualTo(BYTES);
            assertThat(memory.address() % Tensor.ALIGNMENT).isZero();
            assertThat(memory.mismatch(MemorySegment.ofArray(new byte[(int) memory.byteSize()])))
                    .isEqualTo(-1);
            memory.fill((byte) 1);
        }
    }

    @Test
    void itIsGivenBackWithItsArena() {
        Arena arena = Arena.ofShared();
        MemorySegment memory = HugePages.allocate(arena, BYTES);
        arena.close();
        assertThatThrownBy(() -> memory.fill((byte) 1)).isInstanceOf(IllegalStateException.class);
    }
}
