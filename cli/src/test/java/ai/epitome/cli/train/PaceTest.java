package ai.epitome.cli.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class PaceTest {
    private static Pace pace(OptionalDouble epochs, OptionalInt batch, long rows) {
        return Pace.of(epochs, batch, rows, 8, 3, 10);
    }

    @Test
    void fewDataAreReadMoreOftenInSmallerSteps() {
        OptionalDouble anyEpochs = OptionalDouble.empty();
        OptionalInt anyBatch = OptionalInt.empty();
        assertThat(pace(anyEpochs, anyBatch, 1_000)).isEqualTo(new Pace(8, 3));
        assertThat(pace(anyEpochs, anyBatch, 100)).isEqualTo(new Pace(5, 3));
        assertThat(pace(anyEpochs, anyBatch, 10)).isEqualTo(new Pace(1, 6));
        assertThat(pace(anyEpochs, anyBatch, 2)).isEqualTo(new Pace(1, 10));
        assertThat(pace(OptionalDouble.of(2), anyBatch, 10)).isEqualTo(new Pace(1, 2));
        assertThat(pace(anyEpochs, OptionalInt.of(16), 100)).isEqualTo(new Pace(16, 10));
        assertThat(pace(OptionalDouble.of(50), OptionalInt.of(2), 29).steps(29)).isEqualTo(725);
    }
}
