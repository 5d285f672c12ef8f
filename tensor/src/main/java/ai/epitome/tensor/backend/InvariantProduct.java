package ai.epitome.tensor.backend;

import ai.epitome.tensor.Bf16;
import ai.epitome.tensor.DType;
import ai.epitome.tensor.Matrix;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.VectorMath;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// Products in which a row of `C` has the same bits whatever other rows are computed with it: one token or a prompt of
/// five hundred, alone or in a batch.
///
/// An element of `x · Wᵀ` is a sum per lane over ascending depth, then the sum of the lanes by halving, then what is
/// left of the depth, one by one; in tiles of 4 rows and 4 columns, where a missing row or column is the last one
/// once more. Products of other layouts, which no forward pass with a cache has, go row by row.
public final class InvariantProduct implements MatrixProduct {
    private static final VectorSpecies<Float> FLOATS = VectorMath.FLOATS;
    private static final int LANES = FLOATS.length();

    /// Rows and columns of a tile: sixteen sums, four loads of each side, in 32 registers.
    private static final int TILE = 4;
    /// Elements of A that are gone through for each four columns: 1 MB, half of a second-level cache.
    private static final int BLOCK = 1 << 18;

    private static final ThreadLocal<Buffers> BUFFERS = ThreadLocal.withInitial(Buffers::new);

    private static final class Buffers {
        float[] rows = new float[0]; // rows of A as floats
        float[] columns = new float[0]; // four columns of B as floats
        final float[] sums = new float[TILE * TILE];

        void reserve(int rowElements, int columnElements) {
            rows = rows.length < rowElements ? new float[rowElements] : rows;
            columns = columns.length < columnElements ? new float[columnElements] : columns;
        }
    }

    @Override
    public boolean batchInvariant() {
        return true;
    }

    @Override
    public void multiply(Matrix a, Matrix b, Matrix c, boolean accumulate) {
        Operands.check(a, b, c);
        if (Operands.settleEmpty(a, c, accumulate)) {
            return;
        }
        if (!b.transposed() || a.transposed()) {
            RowProduct.multiply(a, b, c, accumulate);
            return;
        }
        int depth = a.columns();
        int step = Math.max(TILE, BLOCK / depth / TILE * TILE);
        Buffers buffers = BUFFERS.get();
        buffers.reserve(Math.min(step, c.rows()) * depth, TILE * depth);
        for (int row = 0; row < c.rows(); row += step) {
            int to = Math.min(c.rows(), row + step);
            for (int i = row; i < to; i++) {
                load(a.data(), a.dtype(), a.offset() + (long) i * a.stride(), buffers.rows, (i - row) * depth, depth);
            }
            for (int column = 0; column < c.columns(); column += TILE) {
                columns(b, column, depth, buffers);
                tiles(buffers, depth, c.rows(row, to), column, accumulate);
            }
        }
    }

    /// Four columns of B, which are rows in memory; the last one again where there are fewer.
    private static void columns(Matrix b, int from, int depth, Buffers buffers) {
        for (int j = 0; j < TILE; j++) {
            int column = Math.min(from + j, b.columns() - 1);
            load(b.data(), b.dtype(), b.offset() + (long) column * b.stride(), buffers.columns, j * depth, depth);
        }
    }

    private static void load(MemorySegment source, DType dtype, long from, float[] target, int to, int count) {
        if (dtype == DType.F32) {
            MemorySegment.copy(source, Tensor.FLOAT, from * 4, target, to, count);
            return;
        }
        int i = 0;
        for (int bound = FLOATS.loopBound(count); i < bound; i += LANES) {
            Bf16.vector(source, from + i).intoArray(target, to + i);
        }
        for (; i < count; i++) {
            target[to + i] = Float.intBitsToFloat(source.getAtIndex(Tensor.SHORT, from + i) << 16);
        }
    }

    private static void tiles(Buffers buffers, int depth, Matrix c, int column, boolean accumulate) {
        int width = Math.min(TILE, c.columns() - column);
        for (int row = 0; row < c.rows(); row += TILE) {
            int height = Math.min(TILE, c.rows() - row);
            int last = row + height - 1;
            int a0 = row * depth;
            int a1 = Math.min(row + 1, last) * depth;
            int a2 = Math.min(row + 2, last) * depth;
            int a3 = Math.min(row + 3, last) * depth;
            if (height == 1) {
                single(buffers.rows, a0, buffers.columns, depth, buffers.sums);
            } else {
                tile(buffers.rows, a0, a1, a2, a3, buffers.columns, depth, buffers.sums);
            }
            for (int i = 0; i < height; i++) {
                int at = (row + i) * depth;
                for (int j = 0; j < width; j++) {
                    float sum = buffers.sums[i * TILE + j];
                    for (int p = depth / LANES * LANES; p < depth; p++) {
                        sum = Math.fma(buffers.rows[at + p], buffers.columns[j * depth + p], sum);
                    }
                    long place = c.offset() + (long) (row + i) * c.stride() + column + j;
                    c.put(place, accumulate ? c.element(place) + sum : sum);
                }
            }
        }
    }

    private static void single(float[] a, int a0, float[] b, int depth, float[] sums) {
        FloatVector s0 = FloatVector.zero(FLOATS);
        FloatVector s1 = s0;
        FloatVector s2 = s0;
        FloatVector s3 = s0;
        int b1 = depth;
        int b2 = 2 * depth;
        int b3 = 3 * depth;
        for (int p = 0, whole = depth / LANES * LANES; p < whole; p += LANES) {
            FloatVector x = FloatVector.fromArray(FLOATS, a, a0 + p);
            s0 = x.fma(FloatVector.fromArray(FLOATS, b, p), s0);
            s1 = x.fma(FloatVector.fromArray(FLOATS, b, b1 + p), s1);
            s2 = x.fma(FloatVector.fromArray(FLOATS, b, b2 + p), s2);
            s3 = x.fma(FloatVector.fromArray(FLOATS, b, b3 + p), s3);
        }
        sums[0] = VectorMath.sum(s0);
        sums[1] = VectorMath.sum(s1);
        sums[2] = VectorMath.sum(s2);
        sums[3] = VectorMath.sum(s3);
    }

    private static void tile(float[] a, int a0, int a1, int a2, int a3, float[] b, int depth, float[] sums) {
        FloatVector zero = FloatVector.zero(FLOATS);
        FloatVector s00 = zero, s01 = zero, s02 = zero, s03 = zero;
        FloatVector s10 = zero, s11 = zero, s12 = zero, s13 = zero;
        FloatVector s20 = zero, s21 = zero, s22 = zero, s23 = zero;
        FloatVector s30 = zero, s31 = zero, s32 = zero, s33 = zero;
        int b1 = depth;
        int b2 = 2 * depth;
        int b3 = 3 * depth;
        for (int p = 0, whole = depth / LANES * LANES; p < whole; p += LANES) {
            FloatVector y0 = FloatVector.fromArray(FLOATS, b, p);
            FloatVector y1 = FloatVector.fromArray(FLOATS, b, b1 + p);
            FloatVector y2 = FloatVector.fromArray(FLOATS, b, b2 + p);
            FloatVector y3 = FloatVector.fromArray(FLOATS, b, b3 + p);
            FloatVector x = FloatVector.fromArray(FLOATS, a, a0 + p);
            s00 = x.fma(y0, s00);
            s01 = x.fma(y1, s01);
            s02 = x.fma(y2, s02);
            s03 = x.fma(y3, s03);
            x = FloatVector.fromArray(FLOATS, a, a1 + p);
            s10 = x.fma(y0, s10);
            s11 = x.fma(y1, s11);
            s12 = x.fma(y2, s12);
            s13 = x.fma(y3, s13);
            x = FloatVector.fromArray(FLOATS, a, a2 + p);
            s20 = x.fma(y0, s20);
            s21 = x.fma(y1, s21);
            s22 = x.fma(y2, s22);
            s23 = x.fma(y3, s23);
            x = FloatVector.fromArray(FLOATS, a, a3 + p);
            s30 = x.fma(y0, s30);
            s31 = x.fma(y1, s31);
            s32 = x.fma(y2, s32);
            s33 = x.fma(y3, s33);
        }
        store(s00, s01, s02, s03, sums, 0);
        store(s10, s11, s12, s13, sums, 4);
        store(s20, s21, s22, s23, sums, 8);
        store(s30, s31, s32, s33, sums, 12);
    }

    private static void store(FloatVector x, FloatVector y, FloatVector z, FloatVector w, float[] sums, int at) {
        sums[at] = VectorMath.sum(x);
        sums[at + 1] = VectorMath.sum(y);
        sums[at + 2] = VectorMath.sum(z);
        sums[at + 3] = VectorMath.sum(w);
    }

    @Override
    public String describe() {
        return "Java Vector API, %d lanes, the same bits in any batch".formatted(LANES);
    }
}
