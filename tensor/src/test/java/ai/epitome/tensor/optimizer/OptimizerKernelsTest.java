package ai.epitome.tensor.optimizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.epitome.tensor.DType;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.Workers;
import ai.epitome.tensor.optimizer.OptimizerKernels.AdamWStep;
import java.lang.foreign.Arena;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OptimizerKernelsTest {
    private final Arena arena = Arena.ofShared();
    private final Workers workers = new Workers(2);
    private final Random random = new Random(7);

    @AfterEach
    void close() {
        workers.close();
        arena.close();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 15, 16, 17, 1000, 16_384, 40_001})
    void adamWEqualsItsNaiveTwinBitForBit(int size) {
        Tensor value = normal(size);
        Tensor gradient = normal(size);
        Tensor mean = normal(size);
        Tensor square = normal(size);
        for (int i = 0; i < size; i++) {
            square.set(i, Math.abs(square.get(i)));
        }
        AdamWStep s = new AdamWStep(0.7f, 0.9999f, 0.9f, 0.95f, 1e-3f, 1.1f, 1e-8f);
        float[] w = value.toFloats();
        float[] m = mean.toFloats();
        float[] v = square.toFloats();
        for (int i = 0; i < size; i++) {
            float g = gradient.get(i) * s.gradientScale();
            m[i] = Math.fma(g - m[i], 1 - s.beta1(), m[i]);
            v[i] = Math.fma(g * (1 - s.beta2()), g, v[i] * s.beta2());
            w[i] = w[i] * s.keep() - m[i] * s.step() / Math.fma((float) Math.sqrt(v[i]), s.rootScale(), s.epsilon());
        }
        OptimizerKernels.adamW(value, gradient, mean, square, s, workers);
        assertThat(value.toFloats()).containsExactly(w);
        assertThat(mean.toFloats()).containsExactly(m);
        assertThat(square.toFloats()).containsExactly(v);
        assertThat(gradient.toFloats()).containsOnly(0f);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void momentumEqualsItsNaiveTwin(boolean nesterov) {
        int size = 16_384 + 21;
        Tensor gradient = normal(size);
        Tensor momentum = normal(size);
        float[] m = momentum.toFloats();
        float[] update = new float[size];
        for (int i = 0; i < size; i++) {
            float g = gradient.get(i) * 0.5f;
            m[i] += 0.05f * (g - m[i]);
            update[i] = nesterov ? g + 0.95f * (m[i] - g) : m[i];
        }
        OptimizerKernels.momentum(gradient, momentum, 0.5f, 0.95f, nesterov, workers);
        assertThat(momentum.toFloats()).containsExactly(m, within(1e-6f));
        assertThat(gradient.toFloats()).containsExactly(update, within(1e-6f));
    }

    @Test
    void applyAndAverageEqualTheirNaiveTwins() {
        int size = 16_384 + 5;
        Tensor value = normal(size);
        Tensor update = normal(size);
        Tensor average = normal(size);
        float[] w = value.toFloats();
        float[] a = average.toFloats();
        for (int i = 0; i < size; i++) {
            w[i] = Math.fma(update.get(i), -0.02f, w[i] * 0.99f);
            a[i] = Math.fma(w[i] - a[i], 0.01f, a[i]);
        }
        OptimizerKernels.apply(value, update, 0.99f, 0.02f, workers);
        OptimizerKernels.average(average, value, 0.01f, workers);
        assertThat(value.toFloats()).containsExactly(w);
        assertThat(average.toFloats()).containsExactly(a);
        assertThat(update.toFloats()).containsOnly(0f);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 33, 16_385, 100_003})
    void sumOfSquaresDoesNotDependOnThreads(int size) {
        Tensor tensor = normal(size);
        double naive = 0;
        for (int i = 0; i < size; i++) {
            naive += (double) tensor.get(i) * tensor.get(i);
        }
        double sum = OptimizerKernels.sumOfSquares(tensor, workers);
        assertThat(sum).isCloseTo(naive, within(1e-12 * (1 + naive)));
        assertThat(OptimizerKernels.sumOfSquares(tensor)).isEqualTo(sum);
        try (Workers five = new Workers(5)) {
            assertThat(OptimizerKernels.sumOfSquares(tensor, five)).isEqualTo(sum);
        }
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.NEGATIVE_INFINITY})
    void oneElementThatIsNotFiniteShowsInTheSum(float bad) {
        Tensor tensor = normal(50_001);
        tensor.set(50_000, bad);
        assertThat(OptimizerKernels.sumOfSquares(tensor, workers)).isNotFinite();
        tensor.set(50_000, 3e38f);
        assertThat(OptimizerKernels.sumOfSquares(tensor, workers)).isFinite();
    }

    @Test
    void treeSumAddsEverything() {
        assertThat(OptimizerKernels.treeSum()).isZero();
        for (int n = 1; n < 20; n++) {
            double[] values = new double[n];
            for (int i = 0; i < n; i++) {
                values[i] = 1 << i;
            }
            assertThat(OptimizerKernels.treeSum(values)).isEqualTo((1 << n) - 1);
        }
    }

    @Test
    void refusesTensorsThatDoNotBelongTogether() {
        assertThatThrownBy(() -> OptimizerKernels.apply(normal(3), normal(4), 1, 1, workers))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("F32[3]")
                .hasMessageContaining("F32[4]");
        Tensor reduced = Tensor.zeros(arena, DType.BF16, 4);
        assertThatThrownBy(() -> OptimizerKernels.sumOfSquares(reduced, workers))
                .hasMessageContaining("BF16");
    }

    private Tensor normal(int size) {
        Tensor tensor = Tensor.zeros(arena, DType.F32, size);
        for (int i = 0; i < size; i++) {
            tensor.set(i, (float) random.nextGaussian());
        }
        return tensor;
    }
}
