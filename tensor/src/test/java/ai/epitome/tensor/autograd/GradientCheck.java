package ai.epitome.tensor.autograd;

import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.tensor.DType;
import ai.epitome.tensor.StepArena;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.Workers;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.tensor.backend.NaiveProduct;
import java.lang.foreign.Arena;
import java.util.Random;
import java.util.function.Function;
import org.assertj.core.data.Offset;

/// Compares the gradients of an operation with central differences, in fp32.
///
/// The operation's result is weighed with fixed random numbers and summed, here in double precision. Differences of
/// step `h` carry an error of order `h²` from the third derivative and `1e-7 / h` from rounding; `h = 1e-2` balances.
public final class GradientCheck {
    private static final float STEP = 1e-2f;

    private GradientCheck() {}

    public static Backend backend() {
        return new Backend(new NaiveProduct(), new Workers(2), DType.F32);
    }

    /// A parameter of standard normal values.
    public static Parameter parameter(long seed, int... shape) {
        Parameter parameter = new Parameter(Arena.ofAuto(), "p" + seed, shape);
        Random random = new Random(seed);
        for (int i = 0; i < parameter.value().size(); i++) {
            parameter.value().set(i, (float) random.nextGaussian());
        }
        return parameter;
    }

    public static void check(Function<Tape, Tensor> operation, Parameter... parameters) {
        check(2e-3, operation, parameters);
    }

    /// @param tolerance allowed difference relative to the largest gradient of each parameter
    public static void check(double tolerance, Function<Tape, Tensor> operation, Parameter... parameters) {
        Backend backend = backend();
        try (StepArena arena = new StepArena()) {
            Tape tape = new Tape(backend, arena, true);
            for (Parameter parameter : parameters) {
                parameter.zeroGradient();
            }
            Tensor y = operation.apply(tape);
            float[] weights = weights(y.size());
            tape.backward(tape.weightedSum(y, weights));
            for (Parameter parameter : parameters) {
                checkOne(tolerance, backend, arena, operation, weights, parameter);
            }
        }
        backend.workers().close();
    }

    private static void checkOne(
            double tolerance,
            Backend backend,
            StepArena arena,
            Function<Tape, Tensor> operation,
            float[] weights,
            Parameter parameter) {
        float[] gradient = parameter.gradient().toFloats();
        double[] expected = new double[gradient.length];
        double largest = 1e-3;
        for (int i = 0; i < gradient.length; i++) {
            float value = parameter.value().get(i);
            double above = value(backend, arena, operation, weights, parameter, i, value + STEP);
            double below = value(backend, arena, operation, weights, parameter, i, value - STEP);
            parameter.value().set(i, value);
            expected[i] = (above - below) / ((double) (value + STEP) - (value - STEP));
            largest = Math.max(largest, Math.abs(expected[i]));
        }
        for (int i = 0; i < gradient.length; i++) {
            assertThat((double) gradient[i])
                    .as("gradient of %s at %d", parameter.name(), i)
                    .isCloseTo(expected[i], Offset.offset(tolerance * largest));
        }
    }

    private static double value(
            Backend backend,
            StepArena arena,
            Function<Tape, Tensor> operation,
            float[] weights,
            Parameter parameter,
            int index,
            float at) {
        parameter.value().set(index, at);
        arena.reset();
        float[] y = operation.apply(new Tape(backend, arena, false)).toFloats();
        double sum = 0;
        for (int i = 0; i < y.length; i++) {
            sum += (double) y[i] * weights[i];
        }
        return sum;
    }

    /// What the check weighs a result of `count` elements with.
    public static float[] weights(long count) {
        Random random = new Random(count);
        float[] weights = new float[(int) count];
        for (int i = 0; i < weights.length; i++) {
            weights[i] = (float) random.nextGaussian();
        }
        return weights;
    }
}
