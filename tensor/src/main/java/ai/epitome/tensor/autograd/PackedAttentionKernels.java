package ai.epitome.tensor.autograd;

import ai.epitome.tensor.Bf16;
import ai.epitome.tensor.DType;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.VectorMath;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/// The loops of [PackedAttention] over panels: rows of two registers, one after another.
final class PackedAttentionKernels {
    private static final VectorSpecies<Float> FLOATS = VectorMath.FLOATS;
    private static final VectorSpecies<Integer> INTS = FLOATS.withLanes(int.class);
    private static final int LANES = FLOATS.length();
    private static final int COLUMNS = 2 * LANES;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final FloatVector UNSEEN = FloatVector.broadcast(FLOATS, Float.NEGATIVE_INFINITY);
    private static final IntVector NUMBERS = IntVector.zero(INTS).addIndex(1);

    /// Rows whose lines are read before they are stored: as many lines as a processor may wait for, and more.
    private static final int AHEAD = 16;

    private PackedAttentionKernels() {}

    /// Sets `rows` rows of a panel to zero.
    static void clear(float[] panel, int at, int rows) {
        FloatVector zero = FloatVector.zero(FLOATS);
        int end = at + rows * COLUMNS;
        for (int i = at; i < end; i += LANES) {
            zero.intoArray(panel, i);
        }
    }

    /// Sets the scores of a key, one for each query, to negative infinity where `key` is not in `[first,
    /// last]`.
    static void maskColumns(float[] scores, int at, int key, int[] first, int[] last) {
        for (int j = 0; j < COLUMNS; j += LANES) {
            VectorMask<Integer> hidden = IntVector.fromArray(INTS, first, j)
                    .compare(VectorOperators.GT, key)
                    .or(IntVector.fromArray(INTS, last, j).compare(VectorOperators.LT, key));
            FloatVector.fromArray(FLOATS, scores, at + j)
                    .blend(UNSEEN, hidden.cast(FLOATS))
                    .intoArray(scores, at + j);
        }
    }

    /// Sets the scores of a query to negative infinity outside of the columns `[low, high)`.
    static void maskRow(float[] scores, int at, int low, int high) {
        for (int j = 0; j < COLUMNS; j += LANES) {
            VectorMask<Integer> hidden =
                    NUMBERS.compare(VectorOperators.LT, low - j).or(NUMBERS.compare(VectorOperators.GE, high - j));
            FloatVector.fromArray(FLOATS, scores, at + j)
                    .blend(UNSEEN, hidden.cast(FLOATS))
                    .intoArray(scores, at + j);
        }
    }

    /// Turns scores into `exp(score * scale - maximum)`, column by column. Leaves the maxima of `score *
    /// scale` and the sums.
    static void softmax(float[] scores, int rows, float scale, float[] maxima, float[] sums) {
        for (int j = 0; j < COLUMNS; j += LANES) {
            FloatVector maximum = UNSEEN;
            int end = rows * COLUMNS;
            for (int i = j; i < end; i += COLUMNS) {
                maximum = maximum.max(FloatVector.fromArray(FLOATS, scores, i));
            }
            FloatVector factor = FloatVector.broadcast(FLOATS, scale);
            maximum = maximum.mul(factor);
            maximum.intoArray(maxima, j);
            FloatVector shift = maximum.neg();
            FloatVector sum = FloatVector.zero(FLOATS);
            for (int i = j; i < end; i += COLUMNS) {
                FloatVector e =
                        VectorMath.exp(FloatVector.fromArray(FLOATS, scores, i).fma(factor, shift));
                e.intoArray(scores, i);
                sum = sum.add(e);
            }
            sum.intoArray(sums, j);
        }
    }

    /// Divides each column of a panel by its sum.
    static void divideColumns(float[] panel, int rows, float[] sums) {
        FloatVector one = FloatVector.broadcast(FLOATS, 1f);
        FloatVector left = one.div(FloatVector.fromArray(FLOATS, sums, 0));
        FloatVector right = one.div(FloatVector.fromArray(FLOATS, sums, LANES));
        int end = rows * COLUMNS;
        for (int i = 0; i < end; i += COLUMNS) {
            FloatVector.fromArray(FLOATS, panel, i).mul(left).intoArray(panel, i);
            FloatVector.fromArray(FLOATS, panel, i + LANES).mul(right).intoArray(panel, i + LANES);
        }
    }

    /// Turns scores into `p = exp(score * scale - logSum)`, and gradients of weights into those of scores, `p
    /// * (gradient - along) * scale`, for `rows` queries from `query` on.
    static void scoreGradients(
            float[] scores,
            float[] gradients,
            int at,
            int rows,
            float scale,
            float[] logSums,
            float[] alongs,
            int query) {
        FloatVector factor = FloatVector.broadcast(FLOATS, scale);
        for (int r = 0; r < rows; r++) {
            FloatVector shift = FloatVector.broadcast(FLOATS, -logSums[query + r]);
            FloatVector along = FloatVector.broadcast(FLOATS, alongs[query + r]);
            for (int j = 0; j < COLUMNS; j += LANES) {
                int i = at + r * COLUMNS + j;
                FloatVector p =
                        VectorMath.exp(FloatVector.fromArray(FLOATS, scores, i).fma(factor, shift));
                p.intoArray(scores, i);
                FloatVector.fromArray(FLOATS, gradients, i)
                        .sub(along)
                        .mul(p.mul(factor))
                        .intoArray(gradients, i);
            }
        }
    }

    /// Writes or adds `rows` rows of `count` elements, whole registers, `stride` apart in `source` and
    /// `targetStride` in `target`, to element index `to`. Returns what it has read there beforehand: reads of lines
    /// that are far away wait for them together, stores nearly one by one.
    static int storeRows(
            float[] source,
            int from,
            int stride,
            int rows,
            int count,
            Tensor target,
            long to,
            long targetStride,
            boolean accumulate) {
        boolean floats = target.dtype() == DType.F32;
        int read = 0;
        for (int r = 0; r < rows; r++) {
            if (r % AHEAD == 0) {
                read += readLines(target, to + r * targetStride, targetStride, Math.min(AHEAD, rows - r), count);
            }
            if (floats) {
                storeFloats(source, from + r * stride, count, target.data(), to + r * targetStride, accumulate);
            } else {
                storeBf16(source, from + r * stride, count, target.data(), to + r * targetStride, accumulate);
            }
        }
        return read;
    }

    /// Reads a number of each cache line of `rows` rows, and returns their sum.
    private static int readLines(Tensor target, long from, long stride, int rows, int count) {
        MemorySegment data = target.data();
        long bytes = target.dtype().bytes();
        int sum = 0;
        for (int r = 0; r < rows; r++) {
            long row = (from + r * stride) * bytes;
            long end = row + count * bytes;
            for (long at = row; at < end; at += Tensor.ALIGNMENT) {
                sum += data.get(Tensor.INT, at);
            }
        }
        return sum;
    }

    private static void storeFloats(
            float[] source, int from, int count, MemorySegment target, long to, boolean accumulate) {
        for (int i = 0; i < count; i += LANES) {
            FloatVector x = FloatVector.fromArray(FLOATS, source, from + i);
            if (accumulate) {
                x = x.add(FloatVector.fromMemorySegment(FLOATS, target, (to + i) * 4, ORDER));
            }
            x.intoMemorySegment(target, (to + i) * 4, ORDER);
        }
    }

    private static void storeBf16(
            float[] source, int from, int count, MemorySegment target, long to, boolean accumulate) {
        for (int i = 0; i < count; i += LANES) {
            FloatVector x = FloatVector.fromArray(FLOATS, source, from + i);
            if (accumulate) {
                x = x.add(Bf16.vector(target, to + i));
            }
            Bf16.into(x, target, to + i);
        }
    }
}
