package ai.epitome.tensor.block;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

class PackedMemoryTest {
    @Test
    void placesLieApartOnLinesUntilThereAreNoMore() {
        Assumptions.assumeTrue(Files.exists(Path.of("/proc/meminfo")));
        PackedMemory closed;
        try (PackedMemory memory = new PackedMemory((4 << 20) - 64, 1)) {
            closed = memory;
            long first = memory.take(100);
            long second = memory.take(3 << 20);
            assertThat(first).isNotZero().matches(address -> address % 64 == 0);
            assertThat(second).isEqualTo(first + 128);
            assertThat(memory.take(1 << 20)).isZero();
            assertThat(memory.take((1 << 20) - 128)).isEqualTo(second + (3 << 20));
        }
        assertThat(closed.take(64)).isZero();
    }

    @Test
    void moreThanThereIsIsNotTaken() {
        try (PackedMemory memory = new PackedMemory(1L << 50, 1)) {
            assertThat(memory.take(64)).isZero();
        }
    }
}
