package ai.epitome.tensor.autograd;

import ai.epitome.tensor.DType;
import ai.epitome.tensor.Rows;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.Workers;

/// Normalisation of each row: root mean square (Zhang and Sennrich 2019) and layer (Ba et al. 2016).
///
/// Both are `y = x̂ · gain (+ bias)` with `x̂ = (x - mean) · r`; the root-mean-square form has no mean and no bias.
/// For both `dx = r · (g - x̂ · avg(g · x̂) - avg(g))` with `g = dy · gain`, the last term for the layer form only.
final class NormOperation {
    private NormOperation() {}

    static Tensor rootMeanSquare(Tape tape, Tensor x, Parameter gain, float epsilon) {
        return apply(tape, x, gain, null, epsilon, false);
    }

    static Tensor layer(Tape tape, Tensor x, Parameter gain, Parameter bias, float epsilon) {
        return apply(tape, x, gain, bias, epsilon, true);
    }

    private static Tensor apply(Tape tape, Tensor x, Parameter gain, Parameter bias, float epsilon, boolean centred) {
        int columns = x.columns();
        Workers workers = tape.backend().workers();
        Tensor y = tape.allocate(tape.backend().compute(), x.shape());
        Tensor statistics = tape.allocate(DType.F32, x.rows(), 2); // (mean, r) of each row
        workers.rows(x.rows(), Workers.worthwhile(columns, 16), (from, to, scratch) -> {
            float[] row = scratch.floats(0, columns);
            float[] gains = scratch.floats(1, columns);
            float[] biases = scratch.floats(2, columns);
            loadAffine(gain, bias, gains, biases, columns);
            for (int r = from; r < to; r++) {
                Rows.load(x, (long) r * columns, row, columns);
                float mean = centred ? RowKernels.sum(row, 0, columns) / columns : 0f;
                NormKernels.subtract(row, mean, columns);
                float scale =
                        (float) (1 / Math.sqrt(RowKernels.dot(row, 0, row, 0, columns) / (double) columns + epsilon));
                statistics.data().setAtIndex(Tensor.FLOAT, 2L * r, mean);
                statistics.data().setAtIndex(Tensor.FLOAT, 2L * r + 1, scale);
                NormKernels.scaleAndShift(row, scale, gains, biases, columns);
                Rows.store(row, y, (long) r * columns, columns);
            }
        });
        boolean learns = (gain != null && gain.trainable()) || (bias != null && bias.trainable());
        tape.record(y, x.requiresGradient() || learns, () -> {
            if (bias != null && bias.trainable()) {
                RowKernels.addColumnSums(y.gradient(), bias.gradient(), tape);
            }
            backward(tape, x, y.gradient(), statistics, gain, centred);
            tape.arena().release(statistics);
        });
        return y;
    }

    private static void backward(Tape tape, Tensor x, Tensor dy, Tensor statistics, Parameter gain, boolean centred) {
        int columns = x.columns();
        boolean accumulate = x.gradient() != null;
        Tensor dx = x.requiresGradient() ? tape.gradientOf(x) : null;
        boolean direct = dx != null && NormKernels.fits(x, dy);
        boolean learns = gain != null && gain.trainable();
        Tensor target =
                learns ? gain.gradient() : tape.allocate(DType.F32, columns); // without a gain the sums are dropped
        RowKernels.sumOverRows(tape, x.rows(), target, (r, sums, scratch) -> {
            float[] normed = scratch.floats(1, columns);
            float[] gradient = scratch.floats(2, columns);
            float[] gains = scratch.floats(3, columns);
            long start = (long) r * columns;
            loadAffine(gain, null, gains, null, columns);
            float mean = statistics.data().getAtIndex(Tensor.FLOAT, 2L * r);
            float scale = statistics.data().getAtIndex(Tensor.FLOAT, 2L * r + 1);
            if (direct) {
                NormKernels.backwardRow(
                        x.data(),
                        dy.data(),
                        dx.data(),
                        start,
                        mean,
                        scale,
                        gains,
                        sums,
                        normed,
                        gradient,
                        centred,
                        accumulate,
                        columns);
                return;
            }
            Rows.load(x, start, normed, columns);
            Rows.load(dy, start, gradient, columns);
            NormKernels.normalise(normed, mean, scale, columns);
            NormKernels.addProducts(sums, gradient, normed, columns);
            if (dx == null) {
                return;
            }
            NormKernels.multiply(gradient, gains, columns);
            float along = RowKernels.dot(gradient, 0, normed, 0, columns) / columns;
            float average = centred ? RowKernels.sum(gradient, 0, columns) / columns : 0f;
            NormKernels.inputGradient(gradient, 0, normed, 0, scale, along, average, columns);
            Rows.put(gradient, dx, start, columns, accumulate, normed);
        });
        if (!learns) {
            tape.arena().release(target);
        }
    }

    private static void loadAffine(Parameter gain, Parameter bias, float[] gains, float[] biases, int columns) {
        if (gain == null) {
            java.util.Arrays.fill(gains, 0, columns, 1f);
        } else {
            Rows.load(gain.value(), 0, gains, columns);
        }
        if (bias != null) {
            Rows.load(bias.value(), 0, biases, columns);
        } else if (biases != null) {
            java.util.Arrays.fill(biases, 0, columns, 0f);
        }
    }
}
