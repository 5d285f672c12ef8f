package ai.epitome.tensor.autograd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.epitome.tensor.DType;
import ai.epitome.tensor.StepArena;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.Workers;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.tensor.backend.VectorProduct;
import java.util.Random;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The head's loss with and without weights announced, where the logits take one chunk and where they take several.
class LossOperationTest {
    private static final int CHANNELS = 16;

    private final Workers workers = new Workers(2);

    @AfterEach
    void close() {
        workers.close();
    }

    private record Result(float[] losses, float[] dHidden, float[] dHead) {}

    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16"})
    void announcedWeightsChangeNothing(DType compute) {
        for (int[] shape : new int[][] {{40, 67}, {530, 1 << 14}}) { // one chunk; 512 rows and 18
            int rows = shape[0];
            float[] weights = GradientCheck.weights(rows);
            Parameter hidden = GradientCheck.parameter(1, rows, CHANNELS);
            Parameter head = GradientCheck.parameter(2, shape[1], CHANNELS);
            int[] targets = new Random(3).ints(rows, 0, shape[1]).toArray();
            targets[7] = -1;
            Result plain = run(compute, hidden, head, targets, weights, false);
            Result announced = run(compute, hidden, head, targets, weights, true);
            Offset<Float> near = within(compute == DType.F32 ? 2e-5f : 2e-2f);
            assertThat(announced.losses).containsExactly(plain.losses, within(2e-5f));
            assertThat(announced.losses[7]).isZero();
            assertThat(announced.dHidden).containsExactly(plain.dHidden, near);
            assertThat(announced.dHead).containsExactly(plain.dHead, near);
        }
    }

    @Test
    void otherWeightsThanAnnouncedAreRefused() {
        Parameter hidden = GradientCheck.parameter(1, 3, CHANNELS);
        Parameter head = GradientCheck.parameter(2, 5, CHANNELS);
        Backend backend = new Backend(new VectorProduct(), workers, DType.F32);
        try (StepArena arena = new StepArena()) {
            Tape tape = new Tape(backend, arena, true);
            Tensor x = tape.parameter(hidden);
            int[] targets = {0, 4, 2};
            Tensor losses = tape.tokenLosses(x, head, targets, new float[] {1, 2, 3});
            Tensor sum = tape.weightedSum(losses, new float[] {1, 2, 4});
            assertThatThrownBy(() -> tape.backward(sum))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("loss 2")
                    .hasMessageContaining("4.0");
            assertThatThrownBy(() -> tape.tokenLosses(x, head, targets, new float[2]))
                    .hasMessageContaining("2 weights for 3 rows");
        }
    }

    private Result run(
            DType compute, Parameter hidden, Parameter head, int[] targets, float[] weights, boolean announced) {
        hidden.zeroGradient();
        head.zeroGradient();
        try (StepArena arena = new StepArena()) {
            Tape tape = new Tape(new Backend(new VectorProduct(), workers, compute), arena, true);
            Tensor x = tape.parameter(hidden);
            Tensor losses =
                    announced ? tape.tokenLosses(x, head, targets, weights) : tape.tokenLosses(x, head, targets);
            float[] values = losses.toFloats();
            tape.backward(tape.weightedSum(losses, weights));
            return new Result(
                    values, hidden.gradient().toFloats(), head.gradient().toFloats());
        }
    }
}
