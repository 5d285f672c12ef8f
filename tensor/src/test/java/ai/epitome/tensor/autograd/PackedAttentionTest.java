package ai.epitome.tensor.autograd;

import static ai.epitome.tensor.autograd.GradientCheck.parameter;
import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.tensor.DType;
import ai.epitome.tensor.StepArena;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.Workers;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.tensor.backend.MatrixProduct;
import ai.epitome.tensor.backend.NaiveProduct;
import ai.epitome.tensor.backend.VectorProduct;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/// Attention on packed panels against attention by products of three loops, both ways.
class PackedAttentionTest {
    private record Pass(float[] result, float[] gradient) {}

    private static Pass run(MatrixProduct product, int threads, DType compute, AttentionShape shape, int[] starts) {
        Parameter qkv = parameter(5, shape.batch() * shape.queries(), shape.fusedColumns());
        try (Workers workers = new Workers(threads);
                StepArena arena = new StepArena()) {
            Tape tape = new Tape(new Backend(product, workers, compute), arena, true);
            Tensor rows = tape.parameter(qkv);
            Tensor inCompute = compute == DType.F32 ? rows : rounded(tape, rows);
            Tensor attended = tape.attention(inCompute, shape, starts);
            float[] result = attended.toFloats();
            // Weights that differ, and a second use, so that the gradient of the rows is added to.
            float[] weights = new float[result.length];
            for (int i = 0; i < weights.length; i++) {
                weights[i] = (i * 7919 % 101 - 50) / 50f;
            }
            Tensor sum = tape.weightedSum(attended, weights);
            Tensor again = tape.weightedSum(tape.attention(inCompute, shape, null), weights);
            tape.backward(tape.add(sum, again));
            return new Pass(result, qkv.gradient().toFloats());
        }
    }

    private static Tensor rounded(Tape tape, Tensor x) {
        Tensor zeros = tape.allocate(DType.BF16, x.shape());
        zeros.data().fill((byte) 0);
        return tape.add(zeros, x);
    }

    private static void compare(AttentionShape shape, int[] starts) {
        assertThat(PackedAttention.fits(new Backend(new VectorProduct(), null, DType.F32), shape))
                .isEqualTo(VectorProduct.WIDE);
        Pass expected = run(new NaiveProduct(), 1, DType.F32, shape, starts);
        Pass found = run(new VectorProduct(), 2, DType.F32, shape, starts);
        assertClose(shape + " result", found.result, expected.result, 1e-5);
        assertClose(shape + " gradient", found.gradient, expected.gradient, 1e-5);
        Pass alone = run(new VectorProduct(), 1, DType.F32, shape, starts);
        assertThat(alone.result).isEqualTo(found.result);
        assertThat(alone.gradient).isEqualTo(found.gradient);
        Pass bf16 = run(new VectorProduct(), 2, DType.BF16, shape, starts);
        assertClose(shape + " result in bf16", bf16.result, expected.result, 0.02);
        assertClose(shape + " gradient in bf16", bf16.gradient, expected.gradient, 0.02);
    }

    private static void assertClose(String what, float[] actual, float[] expected, double relative) {
        double largest = 0;
        for (float x : expected) {
            largest = Math.max(largest, Math.abs(x));
        }
        for (int i = 0; i < expected.length; i++) {
            if (!(Math.abs(actual[i] - expected[i]) <= relative * largest)) {
                assertThat(actual[i]).as("%s at %d", what, i).isEqualTo(expected[i]);
            }
        }
    }

    @Test
    void lengthsAndWidthsOfNoWholePanel() {
        for (int length : new int[] {1, 5, 12, 18, 31, 32, 33, 67, 100}) {
            compare(AttentionShape.training(2, length, 2, 2, 16), null);
        }
        compare(AttentionShape.training(1, 45, 2, 2, 32), null);
        compare(AttentionShape.training(1, 45, 1, 1, 64), null);
        compare(AttentionShape.training(1, 45, 1, 1, 80), null);
    }

    @Test
    void sharedKeyHeadsWindowsAndSegments() {
        compare(AttentionShape.training(2, 70, 4, 2, 16), null);
        compare(new AttentionShape(2, 100, 100, 100, 2, 1, 16, 17), null);
        compare(new AttentionShape(1, 130, 130, 130, 3, 1, 32, 1), null);
        int[] starts = new int[2 * 90];
        for (int n = 0; n < starts.length; n++) {
            starts[n] = n % 90 / 37 * 37;
        }
        compare(AttentionShape.training(2, 90, 2, 1, 16), starts);
    }

    /// More queries than a task has, and more keys than a tile goes over at once.
    @Test
    void longSequences() {
        compare(AttentionShape.training(1, 600, 1, 1, 16), null);
        compare(new AttentionShape(1, 700, 700, 700, 1, 1, 16, 300), null);
        int[] starts = new int[640];
        Arrays.fill(starts, 530, 640, 530);
        compare(AttentionShape.training(1, 640, 2, 1, 32), starts);
    }
}
