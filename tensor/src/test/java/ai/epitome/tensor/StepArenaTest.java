package ai.epitome.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class StepArenaTest {
    private final StepArena arena = new StepArena();

    @AfterEach
    void close() {
        arena.close();
    }

    @Test
    void releasedNeighboursServeALargerRequest() {
        Tensor first = arena.allocate(DType.F32, 100);
        Tensor second = arena.allocate(DType.F32, 100);
        Tensor third = arena.allocate(DType.F32, 100);
        arena.allocate(DType.F32, 100);
        arena.release(first);
        arena.release(third);
        arena.release(second);
        Tensor large = arena.allocate(DType.F32, 300);
        assertThat(large.data().address()).isEqualTo(first.data().address());
    }

    @Test
    void theSmallestRangeThatFitsIsTaken() {
        Tensor large = arena.allocate(DType.F32, 1000);
        arena.allocate(DType.F32, 16);
        Tensor small = arena.allocate(DType.F32, 100);
        arena.allocate(DType.F32, 16);
        arena.release(large);
        arena.release(small);
        assertThat(arena.allocate(DType.F32, 90).data().address())
                .isEqualTo(small.data().address());
        assertThat(arena.allocate(DType.F32, 900).data().address())
                .isEqualTo(large.data().address());
    }

    @Test
    void aRepeatedStepTakesTheSameAddressesAndNoNewMemory() {
        List<Long> addresses = randomStep();
        long reserved = arena.reservedBytes();
        arena.reset();
        assertThat(randomStep()).isEqualTo(addresses);
        assertThat(arena.reservedBytes()).isEqualTo(reserved);
    }

    /// Requests of random sizes, some larger than a chunk, with random releases in between. No living tensor may lose
    /// what was written to it.
    private List<Long> randomStep() {
        Random random = new Random(7);
        List<Tensor> alive = new ArrayList<>();
        List<Long> addresses = new ArrayList<>();
        for (int i = 0; i < 600; i++) {
            if (!alive.isEmpty() && random.nextInt(5) < 2) {
                Tensor tensor = alive.remove(random.nextInt(alive.size()));
                assertHolds(tensor);
                arena.release(tensor);
            } else {
                int bound = i % 100 == 50 ? 6_000_000 : 200_000;
                Tensor tensor = arena.allocate(DType.F32, random.nextInt(bound));
                float[] values = new float[(int) tensor.size()];
                Arrays.fill(values, values.length);
                tensor.set(values);
                assertThat(tensor.data().address() % Tensor.ALIGNMENT).isZero();
                alive.add(tensor);
                addresses.add(tensor.data().address());
            }
        }
        alive.forEach(StepArenaTest::assertHolds);
        return addresses;
    }

    private static void assertHolds(Tensor tensor) {
        for (float value : tensor.toFloats()) {
            if (value != tensor.size()) {
                throw new AssertionError("%s holds %s".formatted(tensor, value));
            }
        }
    }

    @Test
    void releasingTwiceOrWhatIsForeignIsAnError() {
        Tensor tensor = arena.allocate(DType.F32, 10);
        arena.allocate(DType.F32, 10);
        arena.release(tensor);
        assertThatThrownBy(() -> arena.release(tensor)).hasMessageContaining("released twice");
        try (StepArena other = new StepArena()) {
            Tensor foreign = other.allocate(DType.F32, 10);
            assertThatThrownBy(() -> arena.release(foreign)).hasMessageContaining("not of this arena");
        }
    }
}
