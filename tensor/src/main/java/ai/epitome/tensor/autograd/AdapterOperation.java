package ai.epitome.tensor.autograd;

import ai.epitome.tensor.Elementwise;
import ai.epitome.tensor.Matrix;
import ai.epitome.tensor.Rows;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.backend.Backend;

/// A low-rank addition to some columns of a linear layer's result, `y[:, from..] += scale · (x · Aᵀ) · Bᵀ` with `A`
/// (rank, in) and `B` (columns, rank): Hu et al. 2021, "LoRA", equation 3.
///
/// The result is the same memory as `y`, which nobody else may read: linear layers do not need it on their way back.
final class AdapterOperation {
    private AdapterOperation() {}

    /// What is added.
    ///
    /// @param from first of the columns that it is added to
    record LowRank(Parameter down, Parameter up, int from, float scale) {}

    /// @param y (N, out), result of a linear layer or of this operation
    /// @param x (N, in)
    static Tensor apply(Tape tape, Tensor y, Tensor x, LowRank added) {
        Backend backend = tape.backend();
        Tensor down = added.down.in(backend.compute(), backend.workers());
        Tensor up = added.up.in(backend.compute(), backend.workers());
        int to = added.from + up.rows();
        if (x.columns() != down.columns() || up.columns() != down.rows() || added.from < 0 || to > y.columns()) {
            throw new IllegalArgumentException("%s %s and %s %s cannot be added to columns from %d on of %s, made of %s"
                    .formatted(added.down.name(), down, added.up.name(), up, added.from, y, x));
        }
        Tensor input = LinearOperation.inCompute(tape, x);
        Tensor hidden = tape.allocate(backend.compute(), x.rows(), down.rows()); // (N, rank)
        backend.multiply(input.matrix(), down.matrix().transpose(), hidden.matrix(), false);
        scale(tape, hidden, added.scale);
        Tensor sum = Tensor.of(y.data(), y.dtype(), y.shape());
        backend.multiply(hidden.matrix(), up.matrix().transpose(), sum.matrix().columns(added.from, to), true);
        y.forget(); // its memory is the sum's now
        if (!tape.recording()) {
            tape.arena().release(hidden);
            LinearOperation.releaseCopy(tape, input, x);
        }
        boolean learns = added.down.trainable() || added.up.trainable();
        tape.record(sum, y.requiresGradient() || x.requiresGradient() || learns, () -> {
            backward(tape, x, input, hidden, sum.gradient(), added);
            LinearOperation.releaseCopy(tape, input, x);
            tape.arena().release(hidden);
            if (y.requiresGradient()) {
                y.gradient(sum.gradient());
                sum.gradient(null);
            }
        });
        return sum;
    }

    /// With `h = scale · x · Aᵀ` and `dy` of the columns: `dB += dyᵀ · h`, `dh = scale · dy · B`,
    /// `dA += dhᵀ · x`, `dx += dh · A`.
    private static void backward(Tape tape, Tensor x, Tensor input, Tensor hidden, Tensor gradient, LowRank added) {
        Backend backend = tape.backend();
        Tensor up = added.up.in(backend.compute(), backend.workers());
        Tensor all = LinearOperation.inCompute(tape, gradient);
        Matrix dy = all.matrix().columns(added.from, added.from + up.rows());
        if (added.up.trainable()) {
            backend.multiply(
                    dy.transpose(), hidden.matrix(), added.up.gradient().matrix(), true);
        }
        Tensor dHidden = tape.allocate(backend.compute(), hidden.shape());
        backend.multiply(dy, up.matrix(), dHidden.matrix(), false);
        scale(tape, dHidden, added.scale);
        LinearOperation.backward(tape, x, input, added.down, dHidden);
        tape.arena().release(dHidden);
        LinearOperation.releaseCopy(tape, all, gradient);
    }

    private static void scale(Tape tape, Tensor x, float factor) {
        ActivationOperation.blocks(tape, x.size(), (from, count, scratch) -> {
            float[] values = scratch.floats(0, count);
            Rows.load(x, from, values, count);
            Elementwise.scale(values, factor, count);
            Rows.store(values, x, from, count);
        });
    }
}
