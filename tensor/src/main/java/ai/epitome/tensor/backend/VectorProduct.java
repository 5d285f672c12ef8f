package ai.epitome.tensor.backend;

import ai.epitome.tensor.DType;
import ai.epitome.tensor.Matrix;
import ai.epitome.tensor.VectorMath;
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
/// of A and B that fit the second-level cache, packed into panels (which also converts bf16 to f32), and a tile of
/// C that stays in registers over so much of the depth as the panels have in the first-level cache. Each element of
/// C is one chain of fused multiply-adds over ascending depth (in blocks of [#DEPTH]), so it does not depend on how
/// the product was split.
public final class VectorProduct implements MatrixProduct {
    private static final VectorSpecies<Float> FLOATS = VectorMath.FLOATS;
    private static final VectorSpecies<Short> SHORTS =
            VectorSpecies.of(short.class, VectorShape.forBitSize(FLOATS.vectorBitSize() / 2));
    private static final int LANES = FLOATS.length();
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();

    /// A CPU with 512-bit registers has 32 of them, and so has every 64-bit ARM; AVX2 has 16.
    public static final boolean WIDE =
            LANES == 16 || System.getProperty("os.arch").equals("aarch64");

    private static final int TILE_ROWS = WIDE ? Tile12.ROWS : Tile6.ROWS;
    private static final int TILE_COLUMNS = 2 * LANES;

    /// Depth of a block, at most: each one reads and writes C once.
    private static final int DEPTH = 768;
    /// Steps that a tile does at once, at most: so much of a panel of B (32 KB) and of A (12 KB) stays in a
    /// first-level cache of 48 KB. Between them sums wait in an array and not in C.
    private static final int STEPS = 256;
    /// Packed A and packed B that are multiplied while they lie in a second-level cache of 2 MB.
    private static final int A_BYTES = 640 << 10;

    private static final int B_BYTES = 640 << 10;
    /// Packed B, at most: it is read from beyond that cache once for each block of A.
    private static final int WHOLE_B_BYTES = 6 << 20;
    /// Rows that the tiles of a panel go down before the next panel comes: so many sums wait at once.
    private static final int STRIP = 16 * TILE_ROWS;

    private static final ThreadLocal<Buffers> BUFFERS = ThreadLocal.withInitial(Buffers::new);

    /// Packed operands of one thread, and the sums of a strip.
    private static final class Buffers {
        final Panels panels = new Panels();
        float[] sums = new float[0];
        float[] a = new float[0];
        float[] b = new float[0];

        void reserve(int aSize, int bSize, int sumsSize) {
            sums = sums.length < sumsSize ? new float[sumsSize] : sums;
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
        // A bf16 result is rounded once, so its sums may not leave the tile before they are complete.
        int depth = c.dtype() == DType.F32 ? share(k, DEPTH, 1) : k;
        int height = share(m, Math.max(TILE_ROWS, A_BYTES / 4 / depth), TILE_ROWS);
        int width = share(n, Math.max(TILE_COLUMNS, WHOLE_B_BYTES / 4 / depth), TILE_COLUMNS);
        Buffers buffers = BUFFERS.get();
        buffers.reserve(
                Panels.size(height, depth, TILE_ROWS),
                Panels.size(width, depth, TILE_COLUMNS),
                (Math.min(STRIP, height) + TILE_ROWS) * TILE_COLUMNS);
        for (int column = 0; column < n; column += width) {
            int columns = Math.min(width, n - column);
            Matrix right = b.columns(column, column + columns).transpose();
            for (int from = 0; from < k; from += depth) {
                int length = Math.min(depth, k - from);
                buffers.panels.pack(right, from, length, TILE_COLUMNS, buffers.b, 0);
                for (int row = 0; row < m; row += height) {
                    int rows = Math.min(height, m - row);
                    packRows(buffers.panels, a.rows(row, row + rows), from, length, buffers.a);
                    Matrix target = c.rows(row, row + rows).columns(column, column + columns);
                    multiplyBlock(length, buffers, target, accumulate || from > 0);
                }
            }
        }
    }

    /// The equal parts that `length` falls into where none may be longer than `most`: their length, in multiples of
    /// `unit`.
    private static int share(int length, int most, int unit) {
        int parts = (length + most - 1) / most;
        return ((length + parts - 1) / parts + unit - 1) / unit * unit;
    }

    /// Packs rows of A: panels of [#TILE_ROWS], the last one of [Tile6#ROWS] where that is enough.
    private static void packRows(Panels panels, Matrix a, int from, int depth, float[] target) {
        int rest = a.rows() % TILE_ROWS;
        int split = rest <= Tile6.ROWS ? a.rows() - rest : a.rows();
        panels.pack(a.rows(0, split), from, depth, TILE_ROWS, target, 0);
        panels.pack(a.rows(split, a.rows()), from, depth, Tile6.ROWS, target, split * depth);
    }

    /// The block of A by parts of B, strip after strip.
    private static void multiplyBlock(int depth, Buffers buffers, Matrix c, boolean accumulate) {
        int width = share(c.columns(), Math.max(TILE_COLUMNS, B_BYTES / 4 / depth), TILE_COLUMNS);
        for (int left = 0; left < c.columns(); left += width) {
            int right = Math.min(c.columns(), left + width);
            for (int top = 0; top < c.rows(); top += STRIP) {
                int bottom = Math.min(c.rows(), top + STRIP);
                for (int column = left; column < right; column += TILE_COLUMNS) {
                    multiplyStrip(depth, buffers, c, top, bottom, column, accumulate);
                }
            }
        }
    }

    /// Tiles go down a strip of C: a part of a panel of B stays in the nearest cache while the smaller panels of A
    /// come from the second level, 4 bytes a cycle. The other way round it would be 11 bytes.
    private static void multiplyStrip(
            int depth, Buffers buffers, Matrix c, int top, int bottom, int column, boolean accumulate) {
        float[] sums = buffers.sums;
        int inner = share(depth, STEPS, 1);
        for (int from = 0; from < depth; from += inner) {
            int to = Math.min(depth, from + inner);
            int right = column * depth + from * TILE_COLUMNS;
            for (int row = top; row < bottom; row += TILE_ROWS) {
                int rows = Math.min(TILE_ROWS, bottom - row);
                int at = (row - top) * TILE_COLUMNS;
                if (from == 0) {
                    clear(sums, at);
                }
                if (rows > Tile6.ROWS) {
                    int left = row * depth + from * TILE_ROWS;
                    Tile12.multiply(to - from, buffers.a, left, buffers.b, right, sums, at);
                } else {
                    int left = row * depth + from * Tile6.ROWS;
                    Tile6.multiply(to - from, buffers.a, left, buffers.b, right, sums, at);
                }
                if (to == depth) {
                    store(sums, at, c, row, rows, column, accumulate);
                }
            }
        }
    }

    private static void clear(float[] sums, int at) {
        FloatVector zero = FloatVector.zero(FLOATS);
        for (int i = 0; i < TILE_ROWS * TILE_COLUMNS; i += LANES) {
            zero.intoArray(sums, at + i);
        }
    }

    private static void store(float[] sums, int from, Matrix c, int row, int rows, int column, boolean accumulate) {
        int columns = Math.min(TILE_COLUMNS, c.columns() - column);
        long at = c.offset() + (long) row * c.stride() + column;
        if (columns < TILE_COLUMNS) {
            storeElements(sums, from, c, at, rows, columns, accumulate);
        } else if (c.dtype() == DType.F32) {
            storeFloats(sums, from, c.data(), at, c.stride(), rows, accumulate);
        } else {
            storeBf16(sums, from, c.data(), at, c.stride(), rows, accumulate);
        }
    }

    /// Writes or adds `rows` rows of sums at element `at` of `c`.
    private static void storeFloats(
            float[] sums, int from, MemorySegment c, long at, int stride, int rows, boolean accumulate) {
        for (int i = 0; i < rows; i++) {
            long left = (at + (long) i * stride) * 4;
            long right = left + LANES * 4L;
            FloatVector l = FloatVector.fromArray(FLOATS, sums, from + i * TILE_COLUMNS);
            FloatVector r = FloatVector.fromArray(FLOATS, sums, from + i * TILE_COLUMNS + LANES);
            if (accumulate) {
                l = l.add(FloatVector.fromMemorySegment(FLOATS, c, left, ORDER));
                r = r.add(FloatVector.fromMemorySegment(FLOATS, c, right, ORDER));
            }
            l.intoMemorySegment(c, left, ORDER);
            r.intoMemorySegment(c, right, ORDER);
        }
    }

    private static void storeBf16(
            float[] sums, int from, MemorySegment c, long at, int stride, int rows, boolean accumulate) {
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < TILE_COLUMNS; j += LANES) {
                long place = (at + (long) i * stride + j) * 2;
                FloatVector sum = FloatVector.fromArray(FLOATS, sums, from + i * TILE_COLUMNS + j);
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
    private static void storeElements(
            float[] sums, int from, Matrix c, long at, int rows, int columns, boolean accumulate) {
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < columns; j++) {
                long place = at + (long) i * c.stride() + j;
                float sum = sums[from + i * TILE_COLUMNS + j];
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
