package ai.epitome.tensor;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/// Matrix products in pure Java on the Vector API: on every machine, whatever else is missing.
///
/// The loops are those of Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008): blocks
/// of B that fit the outer cache, blocks of A that fit the inner one, both packed into panels (which also converts
/// bf16 to f32), and a tile of C that stays in registers over the whole depth of a block. Each element of C is one
/// chain of fused multiply-adds over ascending depth (in blocks of [#DEPTH]), so it does not depend on how the
/// product was split.
public final class VectorProduct implements MatrixProduct {
    private static final VectorSpecies<Float> FLOATS = VectorMath.FLOATS;
    private static final VectorSpecies<Short> SHORTS =
            VectorSpecies.of(short.class, VectorShape.forBitSize(FLOATS.vectorBitSize() / 2));
    private static final int LANES = FLOATS.length();
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();

    /// A CPU with 512-bit registers has 32 of them, and so has every 64-bit ARM; AVX2 has 16.
    private static final boolean WIDE =
            LANES == 16 || System.getProperty("os.arch").equals("aarch64");

    private static final int TILE_ROWS = WIDE ? Tile12.ROWS : Tile6.ROWS;
    private static final int TILE_COLUMNS = 2 * LANES;

    /// Depth of a block: the width of a small model in one block, so that its C is written once and not read again.
    /// Each pass over C costs more than a panel of B (48 KB) that just exceeds the first-level cache.
    private static final int DEPTH = 384;
    /// Rows of A in a block: 32 tiles, 600 KB, which stay in a second-level cache.
    private static final int ROWS = 32 * TILE_ROWS;
    /// Columns of B in a block: 3 MB, read once for each block of A.
    private static final int COLUMNS = 2048;

    private static final ThreadLocal<Buffers> BUFFERS = ThreadLocal.withInitial(Buffers::new);

    /// Packed operands of one thread.
    private static final class Buffers {
        final Panels panels = new Panels();
        final float[] tile = new float[TILE_ROWS * TILE_COLUMNS];
        float[] a = new float[0];
        float[] b = new float[0];

        void reserve(int aSize, int bSize) {
            a = a.length < aSize ? new float[aSize] : a;
            b = b.length < bSize ? new float[bSize] : b;
        }
    }

    @Override
    public void multiply(Matrix a, Matrix b, Matrix c, boolean accumulate) {
        Operands.check(a, b, c);
        if (Operands.settleEmpty(a, c, accumulate)) {
            return;
        }
        if (c.rows() <= RowProduct.ROWS) {
            RowProduct.multiply(a, b, c, accumulate);
        } else if (c.columns() == 1 && (c.stride() == 1)) {
            Matrix row = new Matrix(c.data(), c.dtype(), c.offset(), 1, c.rows(), c.rows(), false);
            RowProduct.multiply(b.transpose(), a.transpose(), row, accumulate);
        } else {
            multiplyBlocks(a, b, c, accumulate);
        }
    }

    private static void multiplyBlocks(Matrix a, Matrix b, Matrix c, boolean accumulate) {
        int m = c.rows();
        int n = c.columns();
        int k = a.columns();
        // A bf16 result is rounded once, so its sums may not leave the registers before they are complete.
        int depth = c.dtype() == DType.F32 ? Math.min(k, DEPTH) : k;
        Buffers buffers = BUFFERS.get();
        buffers.reserve(
                Panels.size(Math.min(m, ROWS), depth, TILE_ROWS),
                Panels.size(Math.min(n, COLUMNS), depth, TILE_COLUMNS));
        for (int column = 0; column < n; column += COLUMNS) {
            int columns = Math.min(COLUMNS, n - column);
            Matrix right = b.columns(column, column + columns).transpose();
            for (int from = 0; from < k; from += depth) {
                int length = Math.min(depth, k - from);
                buffers.panels.pack(right, from, length, TILE_COLUMNS, buffers.b, 0);
                for (int row = 0; row < m; row += ROWS) {
                    int rows = Math.min(ROWS, m - row);
                    packRows(a.rows(row, row + rows), from, length, buffers);
                    Matrix target = c.rows(row, row + rows).columns(column, column + columns);
                    multiplyBlock(length, buffers, target, accumulate || from > 0);
                }
            }
        }
    }

    /// Packs rows of A: panels of [#TILE_ROWS], the last one of [Tile6#ROWS] where that is enough.
    private static void packRows(Matrix a, int from, int depth, Buffers buffers) {
        int rest = a.rows() % TILE_ROWS;
        int split = rest <= Tile6.ROWS ? a.rows() - rest : a.rows();
        buffers.panels.pack(a.rows(0, split), from, depth, TILE_ROWS, buffers.a, 0);
        buffers.panels.pack(a.rows(split, a.rows()), from, depth, Tile6.ROWS, buffers.a, split * depth);
    }

    /// Tiles go down the columns of C: a panel of B stays in the nearest cache while the smaller panels of A come
    /// from the second level, 4 bytes a cycle. The other way round it would be 11 bytes.
    private static void multiplyBlock(int depth, Buffers buffers, Matrix c, boolean accumulate) {
        for (int column = 0; column < c.columns(); column += TILE_COLUMNS) {
            int columns = Math.min(TILE_COLUMNS, c.columns() - column);
            for (int row = 0; row < c.rows(); row += TILE_ROWS) {
                int rows = Math.min(TILE_ROWS, c.rows() - row);
                if (rows > Tile6.ROWS) {
                    Tile12.multiply(depth, buffers.a, row * depth, buffers.b, column * depth, buffers.tile);
                } else {
                    Tile6.multiply(depth, buffers.a, row * depth, buffers.b, column * depth, buffers.tile);
                }
                long at = c.offset() + (long) row * c.stride() + column;
                if (columns < TILE_COLUMNS) {
                    storeElements(buffers.tile, c, at, rows, columns, accumulate);
                } else if (c.dtype() == DType.F32) {
                    storeFloats(buffers.tile, c.data(), at, c.stride(), rows, accumulate);
                } else {
                    storeBf16(buffers.tile, c.data(), at, c.stride(), rows, accumulate);
                }
            }
        }
    }

    /// Writes or adds `rows` rows of sums at element `at` of `c`.
    private static void storeFloats(float[] sums, MemorySegment c, long at, int stride, int rows, boolean accumulate) {
        for (int i = 0; i < rows; i++) {
            long left = (at + (long) i * stride) * 4;
            long right = left + LANES * 4L;
            FloatVector l = FloatVector.fromArray(FLOATS, sums, i * TILE_COLUMNS);
            FloatVector r = FloatVector.fromArray(FLOATS, sums, i * TILE_COLUMNS + LANES);
            if (accumulate) {
                l = l.add(FloatVector.fromMemorySegment(FLOATS, c, left, ORDER));
                r = r.add(FloatVector.fromMemorySegment(FLOATS, c, right, ORDER));
            }
            l.intoMemorySegment(c, left, ORDER);
            r.intoMemorySegment(c, right, ORDER);
        }
    }

    private static void storeBf16(float[] sums, MemorySegment c, long at, int stride, int rows, boolean accumulate) {
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < TILE_COLUMNS; j += LANES) {
                long place = (at + (long) i * stride + j) * 2;
                FloatVector sum = FloatVector.fromArray(FLOATS, sums, i * TILE_COLUMNS + j);
                if (accumulate) {
                    sum = sum.add(Panels.loadBf16(c, place / 2));
                }
                IntVector bits = sum.reinterpretAsInts();
                IntVector odd = bits.lanewise(VectorOperators.LSHR, 16).and(1);
                IntVector rounded = bits.add(odd).add(0x7FFF).lanewise(VectorOperators.LSHR, 16);
                ((ShortVector) rounded.convertShape(VectorOperators.I2S, SHORTS, 0)).intoMemorySegment(c, place, ORDER);
            }
        }
    }

    /// The same for a tile at the right edge.
    private static void storeElements(float[] sums, Matrix c, long at, int rows, int columns, boolean accumulate) {
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < columns; j++) {
                long place = at + (long) i * c.stride() + j;
                float sum = sums[i * TILE_COLUMNS + j];
                c.put(place, accumulate ? c.element(place) + sum : sum);
            }
        }
    }

    @Override
    public String describe() {
        boolean registers = FloatVector.SPECIES_PREFERRED.length() >= LANES;
        return "Java Vector API, %d lanes%s".formatted(LANES, registers ? "" : " without registers (slow)");
    }
}
