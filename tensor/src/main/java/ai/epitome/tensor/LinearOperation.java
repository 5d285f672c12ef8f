package ai.epitome.tensor;

/// `y = x · Wᵀ + b` with `W` (out, in): Goodfellow et al., Deep Learning, section 6.5.6 for its derivatives.
final class LinearOperation {
    private LinearOperation() {}

    /// @param x (N, in) in any floating dtype; converted to the compute dtype where it is another
    /// @param weight (out, in)
    /// @param bias (out) or null
    /// @param result dtype of y
    static Tensor apply(Tape tape, Tensor x, Parameter weight, Parameter bias, DType result) {
        Backend backend = tape.backend();
        if (weight.blocks() != null) {
            return quantised(tape, x, weight, bias, result);
        }
        Tensor w = weight.in(backend.compute(), backend.workers());
        if (x.columns() != w.columns()) {
            throw new IllegalArgumentException("%s: %s cannot multiply %s".formatted(weight.name(), w, x));
        }
        Tensor input = inCompute(tape, x);
        Tensor y = tape.allocate(result, x.rows(), w.rows());
        if (bias != null) {
            RowKernels.fillRows(bias.value(), y, backend.workers());
        }
        backend.multiply(input.matrix(), w.matrix().transpose(), y.matrix(), bias != null);
        boolean needed = x.requiresGradient || weight.trainable() || (bias != null && bias.trainable());
        tape.record(y, needed, () -> {
            Tensor dy = inCompute(tape, y.gradient);
            if (bias != null && bias.trainable()) {
                RowKernels.addColumnSums(y.gradient, bias.gradient(), tape);
            }
            backward(tape, x, input, weight, dy);
            releaseCopy(tape, dy, y.gradient);
            releaseCopy(tape, input, x);
        });
        return y;
    }

    /// The same for quantised weights, without a way back.
    private static Tensor quantised(Tape tape, Tensor x, Parameter weight, Parameter bias, DType result) {
        if (tape.recording() && (x.requiresGradient || (bias != null && bias.trainable()))) {
            throw new IllegalStateException(weight.name() + " is quantised: there is no way back through it");
        }
        if (x.columns() != weight.blocks().columns()) {
            throw new IllegalArgumentException("%s: (%d, %d) cannot multiply %s"
                    .formatted(
                            weight.name(),
                            weight.blocks().rows(),
                            weight.blocks().columns(),
                            x));
        }
        Tensor y = tape.allocate(result, x.rows(), weight.blocks().rows());
        Backend backend = tape.backend();
        backend.blocks().multiply(x, weight.blocks(), bias == null ? null : bias.value(), y, backend.workers());
        return y;
    }

    /// Given `dy` in the compute dtype: `dx = dy · W`, `dW += dyᵀ · x`.
    static void backward(Tape tape, Tensor x, Tensor input, Parameter weight, Tensor dy) {
        Backend backend = tape.backend();
        if (x.requiresGradient) {
            boolean accumulate = x.gradient != null;
            Tensor w = weight.in(backend.compute(), backend.workers());
            backend.multiply(dy.matrix(), w.matrix(), tape.gradientOf(x).matrix(), accumulate);
        }
        if (weight.trainable()) {
            backend.multiply(
                    dy.matrix().transpose(), input.matrix(), weight.gradient().matrix(), true);
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
