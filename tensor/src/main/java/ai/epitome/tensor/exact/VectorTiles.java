package ai.epitome.tensor.exact;

import static ai.epitome.tensor.exact.ExactKernels.COLUMNS;
import static ai.epitome.tensor.exact.ExactKernels.FEW_ROWS;
import static ai.epitome.tensor.exact.ExactKernels.ROWS;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// The innermost loops of products on registers. Written out, because the compiler keeps the sums in registers only in
/// a small straight-line loop. A sum is one chain over the depth, so neither the width of a register nor the size of a
/// tile changes a bit.
final class VectorTiles {
    static final VectorSpecies<Float> FLOATS =
            FloatVector.SPECIES_PREFERRED.length() > 16 ? FloatVector.SPECIES_512 : FloatVector.SPECIES_PREFERRED;
    static final int WIDTH = FLOATS.length();
    /// Registers that hold a row of a panel of B.
    private static final int REGISTERS = COLUMNS / WIDTH;

    private VectorTiles() {}

    /// Whether there are registers as these loops are written for, of 128 bits at least.
    static boolean registersAreWide() {
        return WIDTH >= 4;
    }

    /// 12 rows of 32 columns. With 512 bits a register, 24 of 32 registers hold the sums; narrower ones do it in
    /// pieces of 6 rows and two registers, which 16 registers hold.
    static void tile(int depth, float[] a, int aFrom, float[] b, int bFrom, float[] c, int cFrom, int stride) {
        if (REGISTERS == 2) {
            twelveRows(depth, a, aFrom, b, bFrom, c, cFrom, stride);
            return;
        }
        for (int row = 0; row < ROWS; row += FEW_ROWS) {
            for (int column = 0; column < COLUMNS; column += 2 * WIDTH) {
                int to = cFrom + row * stride + column;
                sixRows(depth, a, aFrom + row, ROWS, b, bFrom + column, c, to, stride);
            }
        }
    }

    /// 6 rows of 32 columns.
    static void smallTile(int depth, float[] a, int aFrom, float[] b, int bFrom, float[] c, int cFrom, int stride) {
        for (int column = 0; column < COLUMNS; column += 2 * WIDTH) {
            sixRows(depth, a, aFrom, FEW_ROWS, b, bFrom + column, c, cFrom + column, stride);
        }
    }

    /// One row of any number of panels.
    static void row(
            int depth, float[] a, int aFrom, float[] b, int bFrom, int panelStride, int panels, float[] c, int cFrom) {
        int atOnce = 8 / REGISTERS;
        int panel = 0;
        for (; panel + atOnce <= panels; panel += atOnce) {
            eightRegisters(depth, a, aFrom, b, bFrom + panel * panelStride, panelStride, c, cFrom + panel * COLUMNS);
        }
        int few = atOnce / 2;
        for (; few > 0 && panel + few <= panels; panel += few) {
            fourRegisters(depth, a, aFrom, b, bFrom + panel * panelStride, panelStride, c, cFrom + panel * COLUMNS);
        }
        for (; panel < panels; panel++) {
            for (int column = 0; column < COLUMNS; column += 2 * WIDTH) {
                int from = bFrom + panel * panelStride + column;
                twoRegisters(depth, a, aFrom, b, from, WIDTH, c, cFrom + panel * COLUMNS + column);
            }
        }
    }

    private static void twelveRows(
            int depth, float[] a, int aFrom, float[] b, int bFrom, float[] c, int cFrom, int stride) {
        FloatVector c0L = FloatVector.zero(FLOATS);
        FloatVector c0R = FloatVector.zero(FLOATS);
        FloatVector c1L = FloatVector.zero(FLOATS);
        FloatVector c1R = FloatVector.zero(FLOATS);
        FloatVector c2L = FloatVector.zero(FLOATS);
        FloatVector c2R = FloatVector.zero(FLOATS);
        FloatVector c3L = FloatVector.zero(FLOATS);
        FloatVector c3R = FloatVector.zero(FLOATS);
        FloatVector c4L = FloatVector.zero(FLOATS);
        FloatVector c4R = FloatVector.zero(FLOATS);
        FloatVector c5L = FloatVector.zero(FLOATS);
        FloatVector c5R = FloatVector.zero(FLOATS);
        FloatVector c6L = FloatVector.zero(FLOATS);
        FloatVector c6R = FloatVector.zero(FLOATS);
        FloatVector c7L = FloatVector.zero(FLOATS);
        FloatVector c7R = FloatVector.zero(FLOATS);
        FloatVector c8L = FloatVector.zero(FLOATS);
        FloatVector c8R = FloatVector.zero(FLOATS);
        FloatVector c9L = FloatVector.zero(FLOATS);
        FloatVector c9R = FloatVector.zero(FLOATS);
        FloatVector c10L = FloatVector.zero(FLOATS);
        FloatVector c10R = FloatVector.zero(FLOATS);
        FloatVector c11L = FloatVector.zero(FLOATS);
        FloatVector c11R = FloatVector.zero(FLOATS);
        for (int p = 0, pa = aFrom, pb = bFrom; p < depth; p++, pa += ROWS, pb += COLUMNS) {
            FloatVector bL = FloatVector.fromArray(FLOATS, b, pb);
            FloatVector bR = FloatVector.fromArray(FLOATS, b, pb + WIDTH);
            FloatVector a0 = FloatVector.broadcast(FLOATS, a[pa]);
            c0L = a0.fma(bL, c0L);
            c0R = a0.fma(bR, c0R);
            FloatVector a1 = FloatVector.broadcast(FLOATS, a[pa + 1]);
            c1L = a1.fma(bL, c1L);
            c1R = a1.fma(bR, c1R);
            FloatVector a2 = FloatVector.broadcast(FLOATS, a[pa + 2]);
            c2L = a2.fma(bL, c2L);
            c2R = a2.fma(bR, c2R);
            FloatVector a3 = FloatVector.broadcast(FLOATS, a[pa + 3]);
            c3L = a3.fma(bL, c3L);
            c3R = a3.fma(bR, c3R);
            FloatVector a4 = FloatVector.broadcast(FLOATS, a[pa + 4]);
            c4L = a4.fma(bL, c4L);
            c4R = a4.fma(bR, c4R);
            FloatVector a5 = FloatVector.broadcast(FLOATS, a[pa + 5]);
            c5L = a5.fma(bL, c5L);
            c5R = a5.fma(bR, c5R);
            FloatVector a6 = FloatVector.broadcast(FLOATS, a[pa + 6]);
            c6L = a6.fma(bL, c6L);
            c6R = a6.fma(bR, c6R);
            FloatVector a7 = FloatVector.broadcast(FLOATS, a[pa + 7]);
            c7L = a7.fma(bL, c7L);
            c7R = a7.fma(bR, c7R);
            FloatVector a8 = FloatVector.broadcast(FLOATS, a[pa + 8]);
            c8L = a8.fma(bL, c8L);
            c8R = a8.fma(bR, c8R);
            FloatVector a9 = FloatVector.broadcast(FLOATS, a[pa + 9]);
            c9L = a9.fma(bL, c9L);
            c9R = a9.fma(bR, c9R);
            FloatVector a10 = FloatVector.broadcast(FLOATS, a[pa + 10]);
            c10L = a10.fma(bL, c10L);
            c10R = a10.fma(bR, c10R);
            FloatVector a11 = FloatVector.broadcast(FLOATS, a[pa + 11]);
            c11L = a11.fma(bL, c11L);
            c11R = a11.fma(bR, c11R);
        }
        c0L.intoArray(c, cFrom);
        c0R.intoArray(c, cFrom + WIDTH);
        c1L.intoArray(c, cFrom + stride);
        c1R.intoArray(c, cFrom + stride + WIDTH);
        c2L.intoArray(c, cFrom + 2 * stride);
        c2R.intoArray(c, cFrom + 2 * stride + WIDTH);
        c3L.intoArray(c, cFrom + 3 * stride);
        c3R.intoArray(c, cFrom + 3 * stride + WIDTH);
        c4L.intoArray(c, cFrom + 4 * stride);
        c4R.intoArray(c, cFrom + 4 * stride + WIDTH);
        c5L.intoArray(c, cFrom + 5 * stride);
        c5R.intoArray(c, cFrom + 5 * stride + WIDTH);
        c6L.intoArray(c, cFrom + 6 * stride);
        c6R.intoArray(c, cFrom + 6 * stride + WIDTH);
        c7L.intoArray(c, cFrom + 7 * stride);
        c7R.intoArray(c, cFrom + 7 * stride + WIDTH);
        c8L.intoArray(c, cFrom + 8 * stride);
        c8R.intoArray(c, cFrom + 8 * stride + WIDTH);
        c9L.intoArray(c, cFrom + 9 * stride);
        c9R.intoArray(c, cFrom + 9 * stride + WIDTH);
        c10L.intoArray(c, cFrom + 10 * stride);
        c10R.intoArray(c, cFrom + 10 * stride + WIDTH);
        c11L.intoArray(c, cFrom + 11 * stride);
        c11R.intoArray(c, cFrom + 11 * stride + WIDTH);
    }

    private static void sixRows(
            int depth, float[] a, int aFrom, int aStride, float[] b, int bFrom, float[] c, int cFrom, int stride) {
        FloatVector c0L = FloatVector.zero(FLOATS);
        FloatVector c0R = FloatVector.zero(FLOATS);
        FloatVector c1L = FloatVector.zero(FLOATS);
        FloatVector c1R = FloatVector.zero(FLOATS);
        FloatVector c2L = FloatVector.zero(FLOATS);
        FloatVector c2R = FloatVector.zero(FLOATS);
        FloatVector c3L = FloatVector.zero(FLOATS);
        FloatVector c3R = FloatVector.zero(FLOATS);
        FloatVector c4L = FloatVector.zero(FLOATS);
        FloatVector c4R = FloatVector.zero(FLOATS);
        FloatVector c5L = FloatVector.zero(FLOATS);
        FloatVector c5R = FloatVector.zero(FLOATS);
        for (int p = 0, pa = aFrom, pb = bFrom; p < depth; p++, pa += aStride, pb += COLUMNS) {
            FloatVector bL = FloatVector.fromArray(FLOATS, b, pb);
            FloatVector bR = FloatVector.fromArray(FLOATS, b, pb + WIDTH);
            FloatVector a0 = FloatVector.broadcast(FLOATS, a[pa]);
            c0L = a0.fma(bL, c0L);
            c0R = a0.fma(bR, c0R);
            FloatVector a1 = FloatVector.broadcast(FLOATS, a[pa + 1]);
            c1L = a1.fma(bL, c1L);
            c1R = a1.fma(bR, c1R);
            FloatVector a2 = FloatVector.broadcast(FLOATS, a[pa + 2]);
            c2L = a2.fma(bL, c2L);
            c2R = a2.fma(bR, c2R);
            FloatVector a3 = FloatVector.broadcast(FLOATS, a[pa + 3]);
            c3L = a3.fma(bL, c3L);
            c3R = a3.fma(bR, c3R);
            FloatVector a4 = FloatVector.broadcast(FLOATS, a[pa + 4]);
            c4L = a4.fma(bL, c4L);
            c4R = a4.fma(bR, c4R);
            FloatVector a5 = FloatVector.broadcast(FLOATS, a[pa + 5]);
            c5L = a5.fma(bL, c5L);
            c5R = a5.fma(bR, c5R);
        }
        c0L.intoArray(c, cFrom);
        c0R.intoArray(c, cFrom + WIDTH);
        c1L.intoArray(c, cFrom + stride);
        c1R.intoArray(c, cFrom + stride + WIDTH);
        c2L.intoArray(c, cFrom + 2 * stride);
        c2R.intoArray(c, cFrom + 2 * stride + WIDTH);
        c3L.intoArray(c, cFrom + 3 * stride);
        c3R.intoArray(c, cFrom + 3 * stride + WIDTH);
        c4L.intoArray(c, cFrom + 4 * stride);
        c4R.intoArray(c, cFrom + 4 * stride + WIDTH);
        c5L.intoArray(c, cFrom + 5 * stride);
        c5R.intoArray(c, cFrom + 5 * stride + WIDTH);
    }

    /// One row of eight registers of columns: enough sums in flight to hide the latency of a multiply-add.
    private static void eightRegisters(
            int depth, float[] a, int aFrom, float[] b, int bFrom, int panelStride, float[] c, int cFrom) {
        int o1 = place(1, panelStride);
        int o2 = place(2, panelStride);
        int o3 = place(3, panelStride);
        int o4 = place(4, panelStride);
        int o5 = place(5, panelStride);
        int o6 = place(6, panelStride);
        int o7 = place(7, panelStride);
        FloatVector c0 = FloatVector.zero(FLOATS);
        FloatVector c1 = FloatVector.zero(FLOATS);
        FloatVector c2 = FloatVector.zero(FLOATS);
        FloatVector c3 = FloatVector.zero(FLOATS);
        FloatVector c4 = FloatVector.zero(FLOATS);
        FloatVector c5 = FloatVector.zero(FLOATS);
        FloatVector c6 = FloatVector.zero(FLOATS);
        FloatVector c7 = FloatVector.zero(FLOATS);
        for (int p = 0, pb = bFrom; p < depth; p++, pb += COLUMNS) {
            FloatVector value = FloatVector.broadcast(FLOATS, a[aFrom + p]);
            c0 = value.fma(FloatVector.fromArray(FLOATS, b, pb), c0);
            c1 = value.fma(FloatVector.fromArray(FLOATS, b, pb + o1), c1);
            c2 = value.fma(FloatVector.fromArray(FLOATS, b, pb + o2), c2);
            c3 = value.fma(FloatVector.fromArray(FLOATS, b, pb + o3), c3);
            c4 = value.fma(FloatVector.fromArray(FLOATS, b, pb + o4), c4);
            c5 = value.fma(FloatVector.fromArray(FLOATS, b, pb + o5), c5);
            c6 = value.fma(FloatVector.fromArray(FLOATS, b, pb + o6), c6);
            c7 = value.fma(FloatVector.fromArray(FLOATS, b, pb + o7), c7);
        }
        c0.intoArray(c, cFrom);
        c1.intoArray(c, cFrom + WIDTH);
        c2.intoArray(c, cFrom + 2 * WIDTH);
        c3.intoArray(c, cFrom + 3 * WIDTH);
        c4.intoArray(c, cFrom + 4 * WIDTH);
        c5.intoArray(c, cFrom + 5 * WIDTH);
        c6.intoArray(c, cFrom + 6 * WIDTH);
        c7.intoArray(c, cFrom + 7 * WIDTH);
    }

    /// The same with half as many: the two panels of values of a head of 64 channels.
    private static void fourRegisters(
            int depth, float[] a, int aFrom, float[] b, int bFrom, int panelStride, float[] c, int cFrom) {
        int o1 = place(1, panelStride);
        int o2 = place(2, panelStride);
        int o3 = place(3, panelStride);
        FloatVector c0 = FloatVector.zero(FLOATS);
        FloatVector c1 = FloatVector.zero(FLOATS);
        FloatVector c2 = FloatVector.zero(FLOATS);
        FloatVector c3 = FloatVector.zero(FLOATS);
        for (int p = 0, pb = bFrom; p < depth; p++, pb += COLUMNS) {
            FloatVector value = FloatVector.broadcast(FLOATS, a[aFrom + p]);
            c0 = value.fma(FloatVector.fromArray(FLOATS, b, pb), c0);
            c1 = value.fma(FloatVector.fromArray(FLOATS, b, pb + o1), c1);
            c2 = value.fma(FloatVector.fromArray(FLOATS, b, pb + o2), c2);
            c3 = value.fma(FloatVector.fromArray(FLOATS, b, pb + o3), c3);
        }
        c0.intoArray(c, cFrom);
        c1.intoArray(c, cFrom + WIDTH);
        c2.intoArray(c, cFrom + 2 * WIDTH);
        c3.intoArray(c, cFrom + 3 * WIDTH);
    }

    /// Where register `index` of a row begins.
    private static int place(int index, int panelStride) {
        return index / REGISTERS * panelStride + index % REGISTERS * WIDTH;
    }

    private static void twoRegisters(
            int depth, float[] a, int aFrom, float[] b, int bFrom, int o1, float[] c, int cFrom) {
        FloatVector c0 = FloatVector.zero(FLOATS);
        FloatVector c1 = FloatVector.zero(FLOATS);
        for (int p = 0, pb = bFrom; p < depth; p++, pb += COLUMNS) {
            FloatVector value = FloatVector.broadcast(FLOATS, a[aFrom + p]);
            c0 = value.fma(FloatVector.fromArray(FLOATS, b, pb), c0);
            c1 = value.fma(FloatVector.fromArray(FLOATS, b, pb + o1), c1);
        }
        c0.intoArray(c, cFrom);
        c1.intoArray(c, cFrom + WIDTH);
    }
}
