package ai.epitome.tensor;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// Matrix products in pure Java on the Vector API: on every machine, whatever else is missing.
///
/// The loops are those of Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008): blocks
/// of B that fit the outer cache, blocks of A that fit the inner one, both packed into panels (which also converts
/// bf16 to f32), and a tile of C that stays in registers over the whole depth of a block. Each element of C is one
/// chain of fused multiply-adds over ascending depth (in blocks of [#DEPTH]), so it does not depend on how the
/// product was split.
public final class VectorProduct implements MatrixProduct {
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final int LANES = FLOATS.length();

    /// A CPU with 512-bit registers has 32 of them, and so has every 64-bit ARM; AVX2 has 16.
    private static final boolean WIDE =
            LANES == 16 || System.getProperty("os.arch").equals("aarch64");

    private static final int TILE_ROWS = WIDE ? Tile12.ROWS : Tile6.ROWS;
    private static final int TILE_COLUMNS = 2 * LANES;

    /// Depth of a block: a panel of B of this depth (48 KB) nearly fits the first-level cache.
    private static final int DEPTH = 384;
    /// Rows of A in a block: 12 tiles, 220 KB, well inside a second-level cache.
    private static final int ROWS = 12 * TILE_ROWS;
    /// Columns of B in a block: 1.5 MB.
    private static final int COLUMNS = 1024;

    private static final ThreadLocal<Buffers> BUFFERS = ThreadLocal.withInitial(Buffers::new);

    /// Packed operands of one thread.
    private static final class Buffers {
        float[] a = new float[0];
        float[] b = new float[0];
        float[] row = new float[0];
        final float[] tile = new float[TILE_ROWS * TILE_COLUMNS];

        void reserve(int aSize, int bSize, int rowSize) {
            a = a.length < aSize ? new float[aSize] : a;
            b = b.length < bSize ? new float[bSize] : b;
            row = row.length < rowSize ? new float[rowSize] : row;
        }
    }

    @Override
    public void multiply(Matrix a, Matrix b, Matrix c, boolean accumulate) {
        Operands.check(a, b, c);
        int m = c.rows();
        int n = c.columns();
        int k = a.columns();
        if (m == 0 || n == 0) {
            return;
        }
        if (k == 0) {
            Operands.clear(c, accumulate);
            return;
        }
        // A bf16 result is rounded once, so its sums may not leave the registers before they are complete.
        int depth = c.dtype() == DType.F32 ? Math.min(k, DEPTH) : k;
        Buffers buffers = BUFFERS.get();
        buffers.reserve(
                Panels.size(Math.min(m, ROWS), depth, TILE_ROWS),
                Panels.size(Math.min(n, COLUMNS), depth, TILE_COLUMNS),
                Math.max(depth, TILE_COLUMNS));
        for (int column = 0; column < n; column += COLUMNS) {
            int columns = Math.min(COLUMNS, n - column);
            Matrix right = b.columns(column, column + columns).transpose();
            for (int from = 0; from < k; from += depth) {
                int length = Math.min(depth, k - from);
                Panels.pack(right, from, length, TILE_COLUMNS, buffers.b, buffers.row);
                for (int row = 0; row < m; row += ROWS) {
                    int rows = Math.min(ROWS, m - row);
                    Panels.pack(a.rows(row, row + rows), from, length, TILE_ROWS, buffers.a, buffers.row);
                    Matrix target = c.rows(row, row + rows).columns(column, column + columns);
                    multiplyBlock(length, buffers, target, accumulate || from > 0);
                }
            }
        }
    }

    private static void multiplyBlock(int depth, Buffers buffers, Matrix c, boolean accumulate) {
        for (int column = 0; column < c.columns(); column += TILE_COLUMNS) {
            int columns = Math.min(TILE_COLUMNS, c.columns() - column);
            for (int row = 0; row < c.rows(); row += TILE_ROWS) {
                int rows = Math.min(TILE_ROWS, c.rows() - row);
                if (WIDE) {
                    Tile12.multiply(depth, buffers.a, row * depth, buffers.b, column * depth, buffers.tile);
                } else {
                    Tile6.multiply(depth, buffers.a, row * depth, buffers.b, column * depth, buffers.tile);
                }
                for (int i = 0; i < rows; i++) {
                    long at = c.offset() + (long) (row + i) * c.stride() + column;
                    store(buffers.tile, i * TILE_COLUMNS, c, at, columns, accumulate, buffers.row);
                }
            }
        }
    }

    /// Writes or adds `count` sums to elements `at` and following of `c`.
    private static void store(float[] sums, int from, Matrix c, long at, int count, boolean accumulate, float[] row) {
        for (int i = 0; i < count; i++) {
            float sum = sums[from + i];
            if (c.dtype() == DType.F32) {
                float old = accumulate ? c.data().getAtIndex(Tensor.FLOAT, at + i) : 0;
                c.data().setAtIndex(Tensor.FLOAT, at + i, old + sum);
            } else {
                float old = accumulate ? Float.intBitsToFloat(c.data().getAtIndex(Tensor.SHORT, at + i) << 16) : 0;
                c.data().setAtIndex(Tensor.SHORT, at + i, Bf16.fromFloat(old + sum));
            }
        }
    }

    @Override
    public String describe() {
        return "Java Vector API, %d lanes".formatted(LANES);
    }
}
