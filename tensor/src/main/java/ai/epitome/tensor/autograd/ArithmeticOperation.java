package ai.epitome.tensor.autograd;

import ai.epitome.tensor.DType;
import ai.epitome.tensor.Elementwise;
import ai.epitome.tensor.Rows;
import ai.epitome.tensor.Tensor;

/// Sums, products, parts and joins of tensors of matching shape: what losses, gates of recurrent cells and adapters
/// are made of.
final class ArithmeticOperation {
    private ArithmeticOperation() {}

    /// `x + y` in the dtype of `x`.
    static Tensor add(Tape tape, Tensor x, Tensor y) {
        return combine(tape, x, 1f, y, 1f);
    }

    /// `a x + b y` in the dtype of `x`.
    static Tensor combine(Tape tape, Tensor x, float a, Tensor y, float b) {
        requireSameSize(x, y);
        Tensor sum = tape.allocate(x.dtype(), x.shape());
        boolean plain = a == 1f && b == 1f;
        ActivationOperation.blocks(tape, x.size(), (from, count, scratch) -> {
            if (plain && Elementwise.rounds(x, y, count)) {
                Elementwise.add(x.data(), y.data(), sum.data(), from, count);
                return;
            }
            float[] left = scratch.floats(0, count);
            float[] right = scratch.floats(1, count);
            Rows.load(x, from, left, count);
            Rows.load(y, from, right, count);
            Elementwise.scale(left, a, count);
            Elementwise.addScaled(left, b, right, count);
            Rows.store(left, sum, from, count);
        });
        tape.record(sum, x.requiresGradient() || y.requiresGradient(), () -> {
            giveScaled(tape, y, sum.gradient(), b);
            giveOnly(tape, x, sum, a);
        });
        return sum;
    }

    /// `x * y` elementwise in the dtype of `x`.
    static Tensor multiply(Tape tape, Tensor x, Tensor y) {
        requireSameSize(x, y);
        Tensor product = tape.allocate(x.dtype(), x.shape());
        ActivationOperation.blocks(tape, x.size(), (from, count, scratch) -> {
            float[] left = scratch.floats(0, count);
            float[] right = scratch.floats(1, count);
            Rows.load(x, from, left, count);
            Rows.load(y, from, right, count);
            NormKernels.multiply(left, right, count);
            Rows.store(left, product, from, count);
        });
        tape.record(product, x.requiresGradient() || y.requiresGradient(), () -> {
            giveProduct(tape, x, product.gradient(), y);
            giveProduct(tape, y, product.gradient(), x);
        });
        return product;
    }

    /// Elementwise minimum (or maximum) in the dtype of `x`; the gradient goes to the one chosen, to `x` where they
    /// are equal.
    static Tensor select(Tape tape, Tensor x, Tensor y, boolean minimum) {
        requireSameSize(x, y);
        Tensor chosen = tape.allocate(x.dtype(), x.shape());
        ActivationOperation.blocks(tape, x.size(), (from, count, scratch) -> {
            float[] left = scratch.floats(0, count);
            float[] right = scratch.floats(1, count);
            Rows.load(x, from, left, count);
            Rows.load(y, from, right, count);
            for (int i = 0; i < count; i++) {
                left[i] = minimum ? Math.min(left[i], right[i]) : Math.max(left[i], right[i]);
            }
            Rows.store(left, chosen, from, count);
        });
        tape.record(chosen, x.requiresGradient() || y.requiresGradient(), () -> {
            giveSelected(tape, x, chosen.gradient(), x, y, minimum, true);
            giveSelected(tape, y, chosen.gradient(), x, y, minimum, false);
        });
        return chosen;
    }

    /// `x` limited to `[low, high]`; no gradient passes where it was limited.
    static Tensor clamp(Tape tape, Tensor x, float low, float high) {
        Tensor limited = tape.allocate(x.dtype(), x.shape());
        ActivationOperation.blocks(tape, x.size(), (from, count, scratch) -> {
            float[] values = scratch.floats(0, count);
            Rows.load(x, from, values, count);
            for (int i = 0; i < count; i++) {
                values[i] = Math.clamp(values[i], low, high);
            }
            Rows.store(values, limited, from, count);
        });
        tape.record(limited, x.requiresGradient(), () -> {
            boolean accumulate = x.gradient() != null;
            Tensor dx = tape.gradientOf(x);
            ActivationOperation.blocks(tape, x.size(), (from, count, scratch) -> {
                float[] values = scratch.floats(0, count);
                float[] gradient = scratch.floats(1, count);
                Rows.load(x, from, values, count);
                Rows.load(limited.gradient(), from, gradient, count);
                for (int i = 0; i < count; i++) {
                    gradient[i] = values[i] < low || values[i] > high ? 0f : gradient[i];
                }
                Rows.put(gradient, dx, from, count, accumulate, values);
            });
        });
        return limited;
    }

    /// Columns `from` (inclusive) to `to` (exclusive), copied.
    static Tensor columns(Tape tape, Tensor x, int from, int to) {
        if (from < 0 || to <= from || to > x.columns()) {
            throw new IndexOutOfBoundsException("columns %d to %d of %s".formatted(from, to, x));
        }
        int width = to - from;
        Tensor part = tape.allocate(x.dtype(), x.rows(), width);
        copyColumns(tape, x, from, part, 0, width);
        tape.record(part, x.requiresGradient(), () -> {
            if (x.gradient() == null) {
                tape.gradientOf(x).data().fill((byte) 0);
            }
            addColumns(tape, part.gradient(), 0, x.gradient(), from, width);
        });
        return part;
    }

    /// Tensors of equal rows side by side, in the dtype of the first.
    static Tensor concatenate(Tape tape, Tensor... parts) {
        int width = 0;
        boolean needed = false;
        for (Tensor part : parts) {
            width += part.columns();
            needed |= part.requiresGradient();
        }
        Tensor joined = tape.allocate(parts[0].dtype(), parts[0].rows(), width);
        int column = 0;
        for (Tensor part : parts) {
            copyColumns(tape, part, 0, joined, column, part.columns());
            column += part.columns();
        }
        tape.record(joined, needed, () -> {
            int start = 0;
            for (Tensor part : parts) {
                if (part.requiresGradient()) {
                    if (part.gradient() == null) {
                        tape.gradientOf(part).data().fill((byte) 0);
                    }
                    addColumns(tape, joined.gradient(), start, part.gradient(), 0, part.columns());
                }
                start += part.columns();
            }
        });
        return joined;
    }

    /// A parameter as an activation of the tape, in f32: its gradient flows to the parameter.
    static Tensor parameter(Tape tape, Parameter parameter) {
        Tensor value = tape.allocate(DType.F32, parameter.value().shape());
        value.data().copyFrom(parameter.value().data());
        tape.record(
                value,
                parameter.trainable(),
                () -> addColumns(tape, value.gradient(), 0, parameter.gradient(), 0, value.columns()));
        return value;
    }

    private static void giveScaled(Tape tape, Tensor x, Tensor dy, float factor) {
        if (!x.requiresGradient()) {
            return;
        }
        boolean accumulate = x.gradient() != null;
        Tensor dx = tape.gradientOf(x);
        boolean plain = factor == 1f && !accumulate;
        ActivationOperation.blocks(tape, x.size(), (from, count, scratch) -> {
            if (plain && Elementwise.rounds(dy, dx, count)) {
                Elementwise.round(dy.data(), dx.data(), from, count);
                return;
            }
            float[] gradient = scratch.floats(0, count);
            Rows.load(dy, from, gradient, count);
            if (factor != 1f) {
                Elementwise.scale(gradient, factor, count);
            }
            Rows.put(gradient, dx, from, count, accumulate, scratch.floats(1, count));
        });
    }

    /// Like [#giveScaled], and hands over the memory itself where nothing is there to add to: the residual stream's
    /// gradient runs through a whole network without a copy. Must be the last to read the gradient of `result`.
    private static void giveOnly(Tape tape, Tensor x, Tensor result, float factor) {
        if (x.requiresGradient() && x.gradient() == null && factor == 1f && x.dtype() == result.dtype()) {
            x.gradient(result.gradient());
            result.gradient(null);
        } else {
            giveScaled(tape, x, result.gradient(), factor);
        }
    }

    private static void giveProduct(Tape tape, Tensor x, Tensor dy, Tensor other) {
        if (!x.requiresGradient()) {
            return;
        }
        boolean accumulate = x.gradient() != null;
        Tensor dx = tape.gradientOf(x);
        ActivationOperation.blocks(tape, x.size(), (from, count, scratch) -> {
            float[] gradient = scratch.floats(0, count);
            float[] factor = scratch.floats(1, count);
            Rows.load(dy, from, gradient, count);
            Rows.load(other, from, factor, count);
            NormKernels.multiply(gradient, factor, count);
            Rows.put(gradient, dx, from, count, accumulate, factor);
        });
    }

    private static void giveSelected(
            Tape tape, Tensor target, Tensor dy, Tensor x, Tensor y, boolean minimum, boolean left) {
        if (!target.requiresGradient()) {
            return;
        }
        boolean accumulate = target.gradient() != null;
        Tensor dx = tape.gradientOf(target);
        ActivationOperation.blocks(tape, x.size(), (from, count, scratch) -> {
            float[] gradient = scratch.floats(0, count);
            float[] a = scratch.floats(1, count);
            float[] b = scratch.floats(2, count);
            Rows.load(dy, from, gradient, count);
            Rows.load(x, from, a, count);
            Rows.load(y, from, b, count);
            for (int i = 0; i < count; i++) {
                boolean tookLeft = minimum ? a[i] <= b[i] : a[i] >= b[i];
                gradient[i] = tookLeft == left ? gradient[i] : 0f;
            }
            Rows.put(gradient, dx, from, count, accumulate, a);
        });
    }

    private static void copyColumns(Tape tape, Tensor source, int from, Tensor target, int to, int width) {
        tape.backend().workers().rows(source.rows(), 64, (first, last, scratch) -> {
            float[] row = scratch.floats(0, width);
            for (int n = first; n < last; n++) {
                Rows.load(source, (long) n * source.columns() + from, row, width);
                Rows.store(row, target, (long) n * target.columns() + to, width);
            }
        });
    }

    private static void addColumns(Tape tape, Tensor source, int from, Tensor target, int to, int width) {
        tape.backend().workers().rows(source.rows(), 64, (first, last, scratch) -> {
            float[] row = scratch.floats(0, width);
            float[] sum = scratch.floats(1, width);
            for (int n = first; n < last; n++) {
                Rows.load(source, (long) n * source.columns() + from, row, width);
                Rows.add(row, target, (long) n * target.columns() + to, width, sum);
            }
        });
    }

    private static void requireSameSize(Tensor x, Tensor y) {
        if (x.size() != y.size() || x.columns() != y.columns()) {
            throw new IllegalArgumentException("shapes differ: %s and %s".formatted(x, y));
        }
    }

    /// `sum of weights[i] * x[i]` as an f32 scalar, summed in double precision.
    static Tensor weightedSum(Tape tape, Tensor x, float[] weights) {
        if (weights.length != x.size()) {
            throw new IllegalArgumentException("%d weights for %s".formatted(weights.length, x));
        }
        Tensor total = tape.allocate(DType.F32, 1);
        float[] values = x.toFloats();
        double sum = 0;
        for (int i = 0; i < weights.length; i++) {
            sum += (double) values[i] * weights[i];
        }
        total.set(0, (float) sum);
        tape.record(total, x.requiresGradient(), () -> {
            float upstream = total.gradient().get(0);
            boolean accumulate = x.gradient() != null;
            Tensor dx = tape.gradientOf(x);
            ActivationOperation.blocks(tape, x.size(), (from, count, scratch) -> {
                float[] gradient = scratch.floats(0, count);
                System.arraycopy(weights, (int) from, gradient, 0, count);
                Elementwise.scale(gradient, upstream, count);
                Rows.put(gradient, dx, from, count, accumulate, scratch.floats(1, count));
            });
        });
        return total;
    }
}
