package ai.epitome.tensor.autograd;

import ai.epitome.tensor.DType;
import ai.epitome.tensor.Elementwise;
import ai.epitome.tensor.Rows;
import ai.epitome.tensor.Scratch;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.VectorMath;
import ai.epitome.tensor.Workers;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/// Sums and products along rows, and sums over rows.
final class RowKernels {
    private static final VectorSpecies<Float> FLOATS = VectorMath.FLOATS;
    private static final int LANES = FLOATS.length();
    /// Sums over rows are made of this many partial sums, added in order: a number that does not depend on the
    /// threads, so that neither do the bits.
    private static final int PARTS = 16;

    private RowKernels() {}

    static float sum(float[] x, int from, int count) {
        FloatVector sum = FloatVector.zero(FLOATS);
        int i = 0;
        for (int bound = FLOATS.loopBound(count); i < bound; i += LANES) {
            sum = sum.add(FloatVector.fromArray(FLOATS, x, from + i));
        }
        float total = VectorMath.sum(sum);
        for (; i < count; i++) {
            total += x[from + i];
        }
        return total;
    }

    static float dot(float[] x, int xFrom, float[] y, int yFrom, int count) {
        FloatVector sum = FloatVector.zero(FLOATS);
        int i = 0;
        for (int bound = FLOATS.loopBound(count); i < bound; i += LANES) {
            sum = FloatVector.fromArray(FLOATS, x, xFrom + i).fma(FloatVector.fromArray(FLOATS, y, yFrom + i), sum);
        }
        float total = VectorMath.sum(sum);
        for (; i < count; i++) {
            total = Math.fma(x[xFrom + i], y[yFrom + i], total);
        }
        return total;
    }

    static float maximum(float[] x, int count) {
        FloatVector maximum = FloatVector.broadcast(FLOATS, Float.NEGATIVE_INFINITY);
        int i = 0;
        for (int bound = FLOATS.loopBound(count); i < bound; i += LANES) {
            maximum = maximum.max(FloatVector.fromArray(FLOATS, x, i));
        }
        float result = maximum.reduceLanes(VectorOperators.MAX);
        for (; i < count; i++) {
            result = Math.max(result, x[i]);
        }
        return result;
    }

    /// Sets every row of `y` to `row`.
    static void fillRows(Tensor row, Tensor y, Workers workers) {
        int columns = y.columns();
        workers.rows(y.rows(), 16, (from, to, scratch) -> {
            float[] values = scratch.floats(0, columns);
            Rows.load(row, 0, values, columns);
            for (int r = from; r < to; r++) {
                Rows.store(values, y, (long) r * columns, columns);
            }
        });
    }

    /// Adds the sum of all rows of `x` to the f32 tensor `target` (columns).
    static void addColumnSums(Tensor x, Tensor target, Tape tape) {
        int columns = x.columns();
        sumOverRows(tape, x.rows(), target, (row, sums, scratch) -> {
            float[] values = scratch.floats(1, columns);
            Rows.load(x, (long) row * columns, values, columns);
            Elementwise.add(sums, values, columns);
        });
    }

    /// One row's contribution to a sum over rows. Slot 0 of the scratch memory is taken.
    @FunctionalInterface
    interface RowTerm {
        void addTo(int row, float[] sums, Scratch scratch);
    }

    /// Runs `term` on every row and adds the sum of what they contribute to the f32 tensor `target`. Work that must
    /// be done once a row besides may be done in `term` too.
    static void sumOverRows(Tape tape, int rows, Tensor target, RowTerm term) {
        int columns = Math.toIntExact(target.size());
        Tensor partial = tape.allocate(DType.F32, PARTS, columns);
        Workers workers = tape.backend().workers();
        workers.run(PARTS, (part, scratch) -> {
            float[] sums = scratch.floats(0, columns);
            java.util.Arrays.fill(sums, 0, columns, 0f);
            int to = (int) ((long) rows * (part + 1) / PARTS);
            for (int row = (int) ((long) rows * part / PARTS); row < to; row++) {
                term.addTo(row, sums, scratch);
            }
            Rows.store(sums, partial, (long) part * columns, columns);
        });
        workers.run(1, (_, scratch) -> {
            float[] total = scratch.floats(0, columns);
            float[] part = scratch.floats(1, columns);
            Rows.load(target, 0, total, columns);
            for (int p = 0; p < PARTS; p++) {
                Rows.load(partial, (long) p * columns, part, columns);
                Elementwise.add(total, part, columns);
            }
            Rows.store(total, target, 0, columns);
        });
        tape.arena().release(partial);
    }
}
