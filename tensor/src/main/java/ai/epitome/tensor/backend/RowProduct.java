package ai.epitome.tensor.backend;

import ai.epitome.tensor.DType;
import ai.epitome.tensor.Matrix;
import ai.epitome.tensor.VectorMath;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// Products with a handful of rows, as in text generation: every element of B is used once or a few times,
/// so memory sets the pace and packing B would only add to its traffic. B is read as it lies.
final class RowProduct {
    /// Up to this many rows reading B once for each costs less than packing it.
    static final int ROWS = 3;

    private static final VectorSpecies<Float> FLOATS = VectorMath.FLOATS;
    private static final int LANES = FLOATS.length();
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();

    /// Columns done together: four sums hide most of the latency of a multiply-add, and hardware follows four streams.
    private static final int TOGETHER = 4;

    private static final ThreadLocal<Buffers> BUFFERS = ThreadLocal.withInitial(Buffers::new);

    private static final class Buffers {
        float[] row = new float[0];
        float[] result = new float[0];
        final float[] lanes = new float[TOGETHER * LANES];

        void reserve(int depth, int columns) {
            row = row.length < depth ? new float[depth] : row;
            result = result.length < columns ? new float[columns] : result;
        }
    }

    private RowProduct() {}

    /// `c = a · b`, or `c += a · b` when `accumulate`, for checked operands.
    static void multiply(Matrix a, Matrix b, Matrix c, boolean accumulate) {
        Buffers buffers = BUFFERS.get();
        buffers.reserve(a.columns(), c.columns());
        for (int i = 0; i < c.rows(); i++) {
            for (int p = 0; p < a.columns(); p++) {
                buffers.row[p] = a.element(i, p);
            }
            if (b.transposed()) {
                dots(buffers, b);
            } else {
                sums(buffers, b);
            }
            store(buffers.result, c, c.offset() + (long) i * c.stride(), accumulate);
        }
    }

    /// Memory rows are columns of B: inner products.
    private static void dots(Buffers buffers, Matrix b) {
        int depth = b.rows();
        int whole = depth / LANES * LANES;
        for (int j = 0; j < b.columns(); j += TOGETHER) {
            // Past the last column the last one is computed again rather than treating the end apart.
            int last = b.columns() - 1;
            long b0 = b.offset() + (long) j * b.stride();
            long b1 = b.offset() + (long) Math.min(j + 1, last) * b.stride();
            long b2 = b.offset() + (long) Math.min(j + 2, last) * b.stride();
            long b3 = b.offset() + (long) Math.min(j + 3, last) * b.stride();
            if (b.dtype() == DType.F32) {
                dotFloats(buffers.row, whole, b.data(), b0, b1, b2, b3, buffers.lanes);
            } else {
                dotBf16(buffers.row, whole, b.data(), b0, b1, b2, b3, buffers.lanes);
            }
            for (int t = 0; t < TOGETHER && j + t <= last; t++) {
                float sum = total(buffers.lanes, t * LANES);
                for (int p = whole; p < depth; p++) {
                    sum = Math.fma(buffers.row[p], b.element(p, j + t), sum);
                }
                buffers.result[j + t] = sum;
            }
        }
    }

    private static void dotFloats(
            float[] a, int depth, MemorySegment b, long b0, long b1, long b2, long b3, float[] lanes) {
        FloatVector s0 = FloatVector.zero(FLOATS);
        FloatVector s1 = s0;
        FloatVector s2 = s0;
        FloatVector s3 = s0;
        for (int p = 0; p < depth; p += LANES) {
            FloatVector x = FloatVector.fromArray(FLOATS, a, p);
            s0 = x.fma(FloatVector.fromMemorySegment(FLOATS, b, (b0 + p) * 4, ORDER), s0);
            s1 = x.fma(FloatVector.fromMemorySegment(FLOATS, b, (b1 + p) * 4, ORDER), s1);
            s2 = x.fma(FloatVector.fromMemorySegment(FLOATS, b, (b2 + p) * 4, ORDER), s2);
            s3 = x.fma(FloatVector.fromMemorySegment(FLOATS, b, (b3 + p) * 4, ORDER), s3);
        }
        s0.intoArray(lanes, 0);
        s1.intoArray(lanes, LANES);
        s2.intoArray(lanes, 2 * LANES);
        s3.intoArray(lanes, 3 * LANES);
    }

    private static void dotBf16(
            float[] a, int depth, MemorySegment b, long b0, long b1, long b2, long b3, float[] lanes) {
        FloatVector s0 = FloatVector.zero(FLOATS);
        FloatVector s1 = s0;
        FloatVector s2 = s0;
        FloatVector s3 = s0;
        for (int p = 0; p < depth; p += LANES) {
            FloatVector x = FloatVector.fromArray(FLOATS, a, p);
            s0 = x.fma(Panels.loadBf16(b, b0 + p), s0);
            s1 = x.fma(Panels.loadBf16(b, b1 + p), s1);
            s2 = x.fma(Panels.loadBf16(b, b2 + p), s2);
            s3 = x.fma(Panels.loadBf16(b, b3 + p), s3);
        }
        s0.intoArray(lanes, 0);
        s1.intoArray(lanes, LANES);
        s2.intoArray(lanes, 2 * LANES);
        s3.intoArray(lanes, 3 * LANES);
    }

    /// Sum of a register's lanes in an order that is fixed, unlike that of `reduceLanes`. Overwrites them.
    private static float total(float[] lanes, int from) {
        for (int half = LANES / 2; half > 0; half /= 2) {
            for (int i = from; i < from + half; i++) {
                lanes[i] += lanes[i + half];
            }
        }
        return lanes[from];
    }

    /// Memory rows are rows of B: four registers of sums go down the depth.
    private static void sums(Buffers buffers, Matrix b) {
        int width = TOGETHER * LANES;
        int whole = b.columns() / width * width;
        for (int j = 0; j < whole; j += width) {
            if (b.dtype() == DType.F32) {
                sumFloats(buffers.row, b.rows(), b.data(), b.offset() + j, b.stride(), buffers.result, j);
            } else {
                sumBf16(buffers.row, b.rows(), b.data(), b.offset() + j, b.stride(), buffers.result, j);
            }
        }
        for (int j = whole; j < b.columns(); j++) {
            float sum = 0;
            for (int p = 0; p < b.rows(); p++) {
                sum = Math.fma(buffers.row[p], b.element(p, j), sum);
            }
            buffers.result[j] = sum;
        }
    }

    private static void sumFloats(
            float[] a, int depth, MemorySegment b, long start, int stride, float[] result, int at) {
        FloatVector s0 = FloatVector.zero(FLOATS);
        FloatVector s1 = s0;
        FloatVector s2 = s0;
        FloatVector s3 = s0;
        for (int p = 0; p < depth; p++) {
            FloatVector x = FloatVector.broadcast(FLOATS, a[p]);
            long row = (start + (long) p * stride) * 4;
            s0 = x.fma(FloatVector.fromMemorySegment(FLOATS, b, row, ORDER), s0);
            s1 = x.fma(FloatVector.fromMemorySegment(FLOATS, b, row + LANES * 4L, ORDER), s1);
            s2 = x.fma(FloatVector.fromMemorySegment(FLOATS, b, row + LANES * 8L, ORDER), s2);
            s3 = x.fma(FloatVector.fromMemorySegment(FLOATS, b, row + LANES * 12L, ORDER), s3);
        }
        s0.intoArray(result, at);
        s1.intoArray(result, at + LANES);
        s2.intoArray(result, at + 2 * LANES);
        s3.intoArray(result, at + 3 * LANES);
    }

    private static void sumBf16(float[] a, int depth, MemorySegment b, long start, int stride, float[] result, int at) {
        FloatVector s0 = FloatVector.zero(FLOATS);
        FloatVector s1 = s0;
        FloatVector s2 = s0;
        FloatVector s3 = s0;
        for (int p = 0; p < depth; p++) {
            FloatVector x = FloatVector.broadcast(FLOATS, a[p]);
            long row = start + (long) p * stride;
            s0 = x.fma(Panels.loadBf16(b, row), s0);
            s1 = x.fma(Panels.loadBf16(b, row + LANES), s1);
            s2 = x.fma(Panels.loadBf16(b, row + 2 * LANES), s2);
            s3 = x.fma(Panels.loadBf16(b, row + 3 * LANES), s3);
        }
        s0.intoArray(result, at);
        s1.intoArray(result, at + LANES);
        s2.intoArray(result, at + 2 * LANES);
        s3.intoArray(result, at + 3 * LANES);
    }

    private static void store(float[] result, Matrix c, long at, boolean accumulate) {
        for (int j = 0; j < c.columns(); j++) {
            c.put(at + j, accumulate ? c.element(at + j) + result[j] : result[j]);
        }
    }
}
