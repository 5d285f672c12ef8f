package ai.epitome.tensor.autograd;

import ai.epitome.tensor.DType;
import ai.epitome.tensor.Elementwise;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.backend.Backend;

/// `y = x · Wᵀ + b` with `W` (out, in): Goodfellow et al., Deep Learning, section 6.5.6 for its derivatives.
final class LinearOperation {
    private LinearOperation() {}

    /// @param x (N, in) in any floating dtype; converted to the compute dtype where it is another
    /// @param weight (out, in); of a quantised one the way back leads to `x` alone
    /// @param bias (out) or null
    /// @param result dtype of y
    static Tensor apply(Tape tape, Tensor x, Parameter weight, Parameter bias, DType result) {
        int[] shape = weight.shape();
        if (x.columns() != shape[1]) {
            throw new IllegalArgumentException(
                    "%s: (%d, %d) cannot multiply %s".formatted(weight.name(), shape[0], shape[1], x));
        }
        // Products with blocks read any floating dtype, and what x was is needed for the weight's gradient alone.
        Tensor input = weight.blocks() == null ? inCompute(tape, x) : x;
        Tensor y = tape.allocate(result, x.rows(), shape[0]);
        multiply(tape, input, weight, bias, y);
        boolean needed = x.requiresGradient() || weight.trainable() || (bias != null && bias.trainable());
        tape.record(y, needed, () -> {
            Tensor dy = inCompute(tape, y.gradient());
            if (bias != null && bias.trainable()) {
                RowKernels.addColumnSums(y.gradient(), bias.gradient(), tape);
            }
            backward(tape, x, input, weight, dy);
            releaseCopy(tape, dy, y.gradient());
            releaseCopy(tape, input, x);
        });
        return y;
    }

    private static void multiply(Tape tape, Tensor input, Parameter weight, Parameter bias, Tensor y) {
        Backend backend = tape.backend();
        if (weight.blocks() != null) {
            Tensor added = bias == null ? null : bias.value();
            backend.blocks().multiply(input, weight.blocks(), added, y, backend.workers());
            return;
        }
        if (bias != null) {
            RowKernels.fillRows(bias.value(), y, backend.workers());
        }
        Tensor w = weight.in(backend.compute(), backend.workers());
        backend.multiply(input.matrix(), w.matrix().transpose(), y.matrix(), bias != null);
    }

    /// Given `dy` in the compute dtype: `dx = dy · W`, `dW += dyᵀ · x`.
    static void backward(Tape tape, Tensor x, Tensor input, Parameter weight, Tensor dy) {
        Backend backend = tape.backend();
        if (x.requiresGradient()) {
            boolean accumulate = x.gradient() != null;
            Tensor w = onTheWayBack(tape, weight);
            backend.multiply(dy.matrix(), w.matrix(), tape.gradientOf(x).matrix(), accumulate);
            release(tape, w, weight);
        }
        if (weight.trainable()) {
            backend.multiply(
                    dy.matrix().transpose(), input.matrix(), weight.gradient().matrix(), true);
        }
    }

    /// The weights in the dtype that products read. Quantised ones are expanded into memory of the tape, to be given
    /// back with [#release]: of all the matrices of a model, one at a time.
    static Tensor onTheWayBack(Tape tape, Parameter weight) {
        Backend backend = tape.backend();
        if (weight.blocks() == null) {
            return weight.in(backend.compute(), backend.workers());
        }
        Tensor expanded = tape.allocate(backend.compute(), weight.shape());
        weight.blocks().expand(expanded, backend.workers());
        return expanded;
    }

    static void release(Tape tape, Tensor weights, Parameter weight) {
        if (weight.blocks() != null) {
            tape.arena().release(weights);
        }
    }

    /// `x` in the dtype that products read: itself or a converted copy.
    static Tensor inCompute(Tape tape, Tensor x) {
        if (x.dtype() == tape.backend().compute()) {
            return x;
        }
        Tensor copy = tape.allocate(tape.backend().compute(), x.shape());
        Elementwise.convert(x, copy, tape.backend().workers());
        return copy;
    }

    /// Gives back what [#inCompute] made of `original`, if it made anything.
    static void releaseCopy(Tape tape, Tensor copy, Tensor original) {
        if (copy != original) {
            tape.arena().release(copy);
        }
    }
}
