package ai.epitome.tensor.autograd;

import ai.epitome.tensor.Elementwise;
import ai.epitome.tensor.Rows;
import ai.epitome.tensor.Scratch;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.VectorMath;
import ai.epitome.tensor.Workers;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// Functions applied to each element, and the gated unit of Shazeer 2020.
final class ActivationOperation {
    private static final VectorSpecies<Float> FLOATS = VectorMath.FLOATS;
    private static final int LANES = FLOATS.length();
    private static final float SQRT_2_OVER_PI = (float) Math.sqrt(2 / Math.PI);
    private static final float CUBIC = 0.044715f;

    private ActivationOperation() {}

    /// The elementwise functions there are.
    enum Function {
        SILU,
        GELU,
        RELU,
        RELU_SQUARED,
        SIGMOID,
        TANH,
        EXP
    }

    static Tensor apply(Tape tape, Function function, Tensor x) {
        Tensor y = tape.allocate(x.dtype(), x.shape());
        blocks(tape, x.size(), (from, count, scratch) -> {
            if (function == Function.GELU && Bf16Activation.fits(count, x, y)) {
                Bf16Activation.geluForward(x.data(), y.data(), from, count);
                return;
            }
            float[] values = scratch.floats(0, count);
            Rows.load(x, from, values, count);
            forward(function, values, count);
            Rows.store(values, y, from, count);
        });
        tape.record(y, x.requiresGradient(), () -> {
            boolean accumulate = x.gradient() != null;
            Tensor dx = tape.gradientOf(x);
            blocks(tape, x.size(), (from, count, scratch) -> {
                if (function == Function.GELU && !accumulate && Bf16Activation.fits(count, x, y)) {
                    Bf16Activation.geluBackward(x.data(), y.gradient().data(), dx.data(), from, count);
                    return;
                }
                float[] values = scratch.floats(0, count);
                float[] gradient = scratch.floats(1, count);
                Rows.load(x, from, values, count);
                Rows.load(y.gradient(), from, gradient, count);
                backward(function, values, gradient, count);
                Rows.put(gradient, dx, from, count, accumulate, values);
            });
        });
        return y;
    }

    /// `silu(gate) * up` with the gate in the first half of the columns.
    static Tensor swiglu(Tape tape, Tensor gateUp) {
        int hidden = gateUp.columns() / 2;
        Workers workers = tape.backend().workers();
        Tensor y = tape.allocate(gateUp.dtype(), gateUp.rows(), hidden);
        workers.rows(gateUp.rows(), Workers.worthwhile(hidden, 8), (from, to, scratch) -> {
            float[] row = scratch.floats(0, 2 * hidden);
            for (int n = from; n < to; n++) {
                if (Bf16Activation.fits(hidden, gateUp, y)) {
                    Bf16Activation.gateForward(gateUp.data(), 2L * n * hidden, hidden, y.data(), (long) n * hidden);
                    continue;
                }
                Rows.load(gateUp, 2L * n * hidden, row, 2 * hidden);
                gateForward(row, hidden);
                Rows.store(row, y, (long) n * hidden, hidden);
            }
        });
        tape.record(y, gateUp.requiresGradient(), () -> {
            boolean accumulate = gateUp.gradient() != null;
            Tensor dx = tape.gradientOf(gateUp);
            workers.rows(gateUp.rows(), 8, (from, to, scratch) -> {
                float[] row = scratch.floats(0, 2 * hidden);
                float[] gradient = scratch.floats(1, hidden);
                float[] sum = scratch.floats(2, 2 * hidden);
                for (int n = from; n < to; n++) {
                    long start = 2L * n * hidden;
                    if (!accumulate && Bf16Activation.fits(hidden, gateUp, y)) {
                        Bf16Activation.gateBackward(
                                gateUp.data(), start, hidden, y.gradient().data(), (long) n * hidden, dx.data());
                        continue;
                    }
                    Rows.load(gateUp, start, row, 2 * hidden);
                    Rows.load(y.gradient(), (long) n * hidden, gradient, hidden);
                    gateBackward(row, gradient, hidden);
                    Rows.put(row, dx, start, 2 * hidden, accumulate, sum);
                }
            });
        });
        return y;
    }

    /// Work on `count` elements from `from`.
    @FunctionalInterface
    interface Block {
        void run(long from, int count, Scratch scratch);
    }

    /// Runs `body` on all of `size` elements, in blocks that fit the first-level cache.
    static void blocks(Tape tape, long size, Block body) {
        int blocks = Math.toIntExact((size + Elementwise.BLOCK - 1) / Elementwise.BLOCK);
        tape.backend().workers().run(blocks, (block, scratch) -> {
            long from = (long) block * Elementwise.BLOCK;
            body.run(from, (int) Math.min(Elementwise.BLOCK, size - from), scratch);
        });
    }

    /// `x = f(x)`. Arrays of scratch memory are longer than `count` or padded by the caller: the last partial
    /// register is done by a scalar loop.
    private static void forward(Function function, float[] x, int count) {
        int bound = FLOATS.loopBound(count);
        switch (function) {
            case SILU -> siluForward(x, bound);
            case GELU -> geluForward(x, bound);
            case RELU -> reluForward(x, bound);
            case RELU_SQUARED -> reluSquaredForward(x, bound);
            case SIGMOID -> sigmoidForward(x, bound);
            case TANH -> tanhForward(x, bound);
            case EXP -> expForward(x, bound);
        }
        for (int i = bound; i < count; i++) {
            x[i] = value(function, x[i]);
        }
    }

    /// `gradient *= f'(x)`.
    private static void backward(Function function, float[] x, float[] gradient, int count) {
        int bound = FLOATS.loopBound(count);
        switch (function) {
            case SILU -> siluBackward(x, gradient, bound);
            case GELU -> geluBackward(x, gradient, bound);
            case RELU -> reluBackward(x, gradient, bound);
            case RELU_SQUARED -> reluSquaredBackward(x, gradient, bound);
            case SIGMOID -> sigmoidBackward(x, gradient, bound);
            case TANH -> tanhBackward(x, gradient, bound);
            case EXP -> expBackward(x, gradient, bound);
        }
        for (int i = bound; i < count; i++) {
            gradient[i] *= slope(function, x[i]);
        }
    }

    private static void siluForward(float[] x, int bound) {
        for (int i = 0; i < bound; i += LANES) {
            FloatVector v = FloatVector.fromArray(FLOATS, x, i);
            v.mul(VectorMath.sigmoid(v)).intoArray(x, i);
        }
    }

    private static void siluBackward(float[] x, float[] gradient, int bound) {
        for (int i = 0; i < bound; i += LANES) {
            FloatVector v = FloatVector.fromArray(FLOATS, x, i);
            FloatVector s = VectorMath.sigmoid(v);
            FloatVector slope = s.mul(v.mul(s.neg().add(1f)).add(1f));
            FloatVector.fromArray(FLOATS, gradient, i).mul(slope).intoArray(gradient, i);
        }
    }

    /// `0.5 x (1 + tanh(z)) = x sigmoid(2z)`, `z = sqrt(2/pi) (x + 0.044715 x^3)` (Hendrycks and Gimpel 2016).
    private static void geluForward(float[] x, int bound) {
        for (int i = 0; i < bound; i += LANES) {
            FloatVector v = FloatVector.fromArray(FLOATS, x, i);
            FloatVector z = v.mul(v).mul(CUBIC).add(1f).mul(v).mul(2 * SQRT_2_OVER_PI);
            v.mul(VectorMath.sigmoid(z)).intoArray(x, i);
        }
    }

    private static void geluBackward(float[] x, float[] gradient, int bound) {
        for (int i = 0; i < bound; i += LANES) {
            FloatVector v = FloatVector.fromArray(FLOATS, x, i);
            FloatVector square = v.mul(v);
            FloatVector s = VectorMath.sigmoid(square.mul(CUBIC).add(1f).mul(v).mul(2 * SQRT_2_OVER_PI));
            FloatVector dz = square.mul(3 * CUBIC).add(1f).mul(2 * SQRT_2_OVER_PI);
            FloatVector slope = s.neg().add(1f).mul(v).mul(dz).add(1f).mul(s);
            FloatVector.fromArray(FLOATS, gradient, i).mul(slope).intoArray(gradient, i);
        }
    }

    private static void reluForward(float[] x, int bound) {
        for (int i = 0; i < bound; i += LANES) {
            FloatVector.fromArray(FLOATS, x, i).max(0f).intoArray(x, i);
        }
    }

    private static void reluBackward(float[] x, float[] gradient, int bound) {
        for (int i = 0; i < bound; i += LANES) {
            FloatVector v = FloatVector.fromArray(FLOATS, x, i);
            FloatVector zero = FloatVector.zero(FLOATS);
            zero.blend(
                            FloatVector.fromArray(FLOATS, gradient, i),
                            v.compare(jdk.incubator.vector.VectorOperators.GT, 0f))
                    .intoArray(gradient, i);
        }
    }

    private static void reluSquaredForward(float[] x, int bound) {
        for (int i = 0; i < bound; i += LANES) {
            FloatVector v = FloatVector.fromArray(FLOATS, x, i).max(0f);
            v.mul(v).intoArray(x, i);
        }
    }

    private static void reluSquaredBackward(float[] x, float[] gradient, int bound) {
        for (int i = 0; i < bound; i += LANES) {
            FloatVector v = FloatVector.fromArray(FLOATS, x, i).max(0f);
            FloatVector.fromArray(FLOATS, gradient, i).mul(v.add(v)).intoArray(gradient, i);
        }
    }

    private static void sigmoidForward(float[] x, int bound) {
        for (int i = 0; i < bound; i += LANES) {
            VectorMath.sigmoid(FloatVector.fromArray(FLOATS, x, i)).intoArray(x, i);
        }
    }

    private static void sigmoidBackward(float[] x, float[] gradient, int bound) {
        for (int i = 0; i < bound; i += LANES) {
            FloatVector s = VectorMath.sigmoid(FloatVector.fromArray(FLOATS, x, i));
            FloatVector slope = s.sub(s.mul(s));
            FloatVector.fromArray(FLOATS, gradient, i).mul(slope).intoArray(gradient, i);
        }
    }

    private static void tanhForward(float[] x, int bound) {
        for (int i = 0; i < bound; i += LANES) {
            VectorMath.tanh(FloatVector.fromArray(FLOATS, x, i)).intoArray(x, i);
        }
    }

    private static void tanhBackward(float[] x, float[] gradient, int bound) {
        for (int i = 0; i < bound; i += LANES) {
            FloatVector t = VectorMath.tanh(FloatVector.fromArray(FLOATS, x, i));
            FloatVector slope = t.mul(t).neg().add(1f);
            FloatVector.fromArray(FLOATS, gradient, i).mul(slope).intoArray(gradient, i);
        }
    }

    private static void expForward(float[] x, int bound) {
        for (int i = 0; i < bound; i += LANES) {
            VectorMath.exp(FloatVector.fromArray(FLOATS, x, i)).intoArray(x, i);
        }
    }

    private static void expBackward(float[] x, float[] gradient, int bound) {
        for (int i = 0; i < bound; i += LANES) {
            FloatVector slope = VectorMath.exp(FloatVector.fromArray(FLOATS, x, i));
            FloatVector.fromArray(FLOATS, gradient, i).mul(slope).intoArray(gradient, i);
        }
    }

    private static void gateForward(float[] row, int hidden) {
        int i = 0;
        for (int bound = FLOATS.loopBound(hidden); i < bound; i += LANES) {
            FloatVector gate = FloatVector.fromArray(FLOATS, row, i);
            FloatVector up = FloatVector.fromArray(FLOATS, row, hidden + i);
            gate.mul(VectorMath.sigmoid(gate)).mul(up).intoArray(row, i);
        }
        for (; i < hidden; i++) {
            row[i] = value(Function.SILU, row[i]) * row[hidden + i];
        }
    }

    /// `row` holds gate and up and receives their gradients.
    private static void gateBackward(float[] row, float[] gradient, int hidden) {
        int i = 0;
        for (int bound = FLOATS.loopBound(hidden); i < bound; i += LANES) {
            FloatVector gate = FloatVector.fromArray(FLOATS, row, i);
            FloatVector up = FloatVector.fromArray(FLOATS, row, hidden + i);
            FloatVector dy = FloatVector.fromArray(FLOATS, gradient, i);
            FloatVector s = VectorMath.sigmoid(gate);
            FloatVector silu = gate.mul(s);
            FloatVector slope = s.add(silu).sub(silu.mul(s));
            dy.mul(up).mul(slope).intoArray(row, i);
            dy.mul(silu).intoArray(row, hidden + i);
        }
        for (; i < hidden; i++) {
            float gate = row[i];
            row[i] = gradient[i] * row[hidden + i] * slope(Function.SILU, gate);
            row[hidden + i] = gradient[i] * value(Function.SILU, gate);
        }
    }

    private static float value(Function function, float x) {
        return switch (function) {
            case SILU -> x * logistic(x);
            case GELU -> x * logistic(2 * SQRT_2_OVER_PI * (x + CUBIC * x * x * x));
            case RELU -> Math.max(x, 0f);
            case RELU_SQUARED -> Math.max(x, 0f) * Math.max(x, 0f);
            case SIGMOID -> logistic(x);
            case TANH -> (float) Math.tanh(x);
            case EXP -> (float) Math.exp(x);
        };
    }

    private static float slope(Function function, float x) {
        return switch (function) {
            case SILU -> logistic(x) * (1 + x * (1 - logistic(x)));
            case GELU -> {
                float s = logistic(2 * SQRT_2_OVER_PI * (x + CUBIC * x * x * x));
                yield s * (1 + x * (1 - s) * 2 * SQRT_2_OVER_PI * (1 + 3 * CUBIC * x * x));
            }
            case RELU -> x > 0f ? 1f : 0f;
            case RELU_SQUARED -> 2 * Math.max(x, 0f);
            case SIGMOID -> logistic(x) * (1 - logistic(x));
            case TANH -> (float) (1 - Math.tanh(x) * Math.tanh(x));
            case EXP -> (float) Math.exp(x);
        };
    }

    private static float logistic(float x) {
        return (float) (1 / (1 + Math.exp(-x)));
    }
}
