package ai.epitome.tensor.autograd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.epitome.tensor.Bf16;
import ai.epitome.tensor.DType;
import ai.epitome.tensor.StepArena;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.Workers;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.tensor.backend.MatrixProduct;
import ai.epitome.tensor.backend.OwnProducts;
import ai.epitome.tensor.backend.VectorProduct;
import java.lang.foreign.Arena;
import java.util.Random;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// The kernels that work on bf16 memory, against the same operation in f32 on the same numbers.
public class Bf16OperationTest {
    /// bf16 has 8 significant bits; a value is rounded at most three times on its way.
    private static final double RELATIVE = 3.0 / 256;

    @Test
    public void geluAgreesWithF32() {
        compare(5, 48, Tape::gelu);
        compare(129, 64, Tape::gelu);
    }

    @Test
    void swigluAgreesWithF32() {
        compare(5, 2 * 48, Tape::swiglu);
        compare(65, 2 * 64, Tape::swiglu);
    }

    /// The residual stream is f32, its norm bf16.
    @Test
    void normsAgreeWithF32() {
        for (boolean centred : new boolean[] {false, true}) {
            compare(21, 48, 0.01, (tape, x) -> {
                Tensor stream = tape.add(zeros(tape, x), x);
                return centred ? tape.layerNorm(stream, null, null, 1e-5f) : tape.rmsNorm(stream, null, 1e-5f);
            });
        }
    }

    @Test
    void attentionAgreesWithF32() {
        AttentionShape shape = new AttentionShape(2, 45, 45, 45, 2, 1, 16, Integer.MAX_VALUE);
        compare(90, shape.fusedColumns(), 0.01, (tape, x) -> tape.attention(x, shape, null));
        int[] starts = new int[90];
        java.util.Arrays.fill(starts, 20, 45, 20);
        compare(90, shape.fusedColumns(), 0.01, (tape, x) -> tape.attention(x, shape, starts));
        AttentionShape window = new AttentionShape(2, 150, 150, 150, 2, 1, 16, 7);
        compare(300, window.fusedColumns(), 0.01, (tape, x) -> tape.attention(x, window, null));
    }

    /// Heads of no whole register; windows and segments of more than one chunk of keys, or that begin beyond the first;
    /// several blocks of queries; shared key heads.
    @Test
    public void attentionAgreesAtItsEdges() {
        AttentionShape odd = new AttentionShape(2, 37, 37, 37, 4, 2, 20, Integer.MAX_VALUE);
        compare(74, odd.fusedColumns(), 0.02, (tape, x) -> tape.attention(quarter(tape, x), odd, null));
        AttentionShape chunks = new AttentionShape(1, 1200, 1200, 1200, 2, 1, 16, 601);
        compare(1200, chunks.fusedColumns(), 0.02, (tape, x) -> tape.attention(quarter(tape, x), chunks, null));
        AttentionShape segments = new AttentionShape(1, 700, 700, 700, 2, 2, 32, Integer.MAX_VALUE);
        int[] starts = new int[700];
        java.util.Arrays.fill(starts, 130, 601, 130);
        java.util.Arrays.fill(starts, 601, 700, 601);
        compare(700, segments.fusedColumns(), 0.02, (tape, x) -> tape.attention(quarter(tape, x), segments, starts));
    }

    private static Stream<MatrixProduct> products() {
        return OwnProducts.all();
    }

    /// A quarter of `x`, exact in bf16: scores small enough that many keys have weight.
    private static Tensor quarter(Tape tape, Tensor x) {
        return tape.combine(x, 0.25f, x, 0f);
    }

    /// Zeros in f32, which want no gradient: `zeros + x` is the stream.
    private static Tensor zeros(Tape tape, Tensor x) {
        Tensor zeros = tape.allocate(DType.F32, x.shape());
        zeros.data().fill((byte) 0);
        return zeros;
    }

    /// A row length that is no whole number of registers takes the general way.
    @Test
    void oddLengthsAgreeToo() {
        compare(3, 2 * 19, Tape::swiglu);
        compare(7, 13, Tape::gelu);
    }

    private static void compare(int rows, int columns, BiFunction<Tape, Tensor, Tensor> operation) {
        compare(rows, columns, 1e-5, operation);
    }

    /// @param absolute allowed difference, as a part of the largest value: sums of rounded numbers may cancel
    private static void compare(int rows, int columns, double absolute, BiFunction<Tape, Tensor, Tensor> operation) {
        float[] values = rounded(new Random(rows), rows * columns);
        try (Workers workers = new Workers(2)) {
            float[][] expected =
                    run(new Backend(new VectorProduct(), workers, DType.F32), values, rows, columns, operation);
            products().forEach(product -> {
                float[][] actual = run(new Backend(product, workers, DType.BF16), values, rows, columns, operation);
                compare(product.describe() + ", value", actual[0], expected[0], absolute);
                compare(product.describe() + ", gradient", actual[1], expected[1], absolute);
            });
        }
    }

    private static void compare(String what, float[] actual, float[] expected, double absolute) {
        assertThat(actual).hasSameSizeAs(expected);
        double largest = 0;
        for (float value : expected) {
            largest = Math.max(largest, Math.abs(value));
        }
        assertThat(largest).isPositive();
        for (int i = 0; i < expected.length; i++) {
            assertThat((double) actual[i])
                    .as("%s %d", what, i)
                    .isCloseTo(expected[i], within(absolute * largest + RELATIVE * Math.abs(expected[i])));
        }
    }

    /// The operation's values, and the gradient of their sum with weights 1, 2, 3, 1, 2, ...
    private static float[][] run(
            Backend backend, float[] values, int rows, int columns, BiFunction<Tape, Tensor, Tensor> operation) {
        try (Arena arena = Arena.ofShared();
                StepArena step = new StepArena()) {
            Tape tape = new Tape(backend, step, true);
            Tensor x = Tensor.zeros(arena, backend.compute(), rows, columns);
            x.set(values);
            x.requireGradient();
            Tensor y = operation.apply(tape, x);
            float[] result = y.toFloats();
            float[] weights = new float[result.length];
            for (int i = 0; i < weights.length; i++) {
                weights[i] = 1 + i % 3;
            }
            tape.backward(tape.weightedSum(y, weights));
            return new float[][] {result, x.gradient().toFloats()};
        }
    }

    /// Numbers around zero and a few far ones, exact in bf16.
    private static float[] rounded(Random random, int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            float value = (float) random.nextGaussian() * (i % 11 == 0 ? 20 : 2);
            values[i] = Float.intBitsToFloat(Bf16.fromFloat(value) << 16);
        }
        return values;
    }
}
