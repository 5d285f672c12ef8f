package ai.epitome.tensor;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// The innermost loop of [VectorProduct]: a tile of 12 rows by two registers, kept in 24 registers over all of the
/// depth.
///
/// For CPUs with 32 vector registers (AVX-512, NEON, SVE): 24 sums, two registers of B and one of A. Every step of
/// the depth costs two loads, 12 broadcasts and 24 multiply-adds. It is written out because the compiler keeps the
/// sums in registers only in a small straight-line loop.
final class Tile12 {
    static final int ROWS = 12;

    private static final VectorSpecies<Float> FLOATS = VectorMath.FLOATS;
    private static final int LANES = FLOATS.length();

    private Tile12() {}

    /// `c = a · b` for packed panels: `a` holds 12 values and `b` two registers for each of `depth` steps; `c` gets
    /// 12 rows of two registers.
    static void multiply(int depth, float[] a, int aFrom, float[] b, int bFrom, float[] c) {
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
        for (int p = 0, pa = aFrom, pb = bFrom; p < depth; p++, pa += ROWS, pb += 2 * LANES) {
            FloatVector bL = FloatVector.fromArray(FLOATS, b, pb);
            FloatVector bR = FloatVector.fromArray(FLOATS, b, pb + LANES);
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
        c0L.intoArray(c, 0);
        c0R.intoArray(c, LANES);
        c1L.intoArray(c, 2 * LANES);
        c1R.intoArray(c, 3 * LANES);
        c2L.intoArray(c, 4 * LANES);
        c2R.intoArray(c, 5 * LANES);
        c3L.intoArray(c, 6 * LANES);
        c3R.intoArray(c, 7 * LANES);
        c4L.intoArray(c, 8 * LANES);
        c4R.intoArray(c, 9 * LANES);
        c5L.intoArray(c, 10 * LANES);
        c5R.intoArray(c, 11 * LANES);
        c6L.intoArray(c, 12 * LANES);
        c6R.intoArray(c, 13 * LANES);
        c7L.intoArray(c, 14 * LANES);
        c7R.intoArray(c, 15 * LANES);
        c8L.intoArray(c, 16 * LANES);
        c8R.intoArray(c, 17 * LANES);
        c9L.intoArray(c, 18 * LANES);
        c9R.intoArray(c, 19 * LANES);
        c10L.intoArray(c, 20 * LANES);
        c10R.intoArray(c, 21 * LANES);
        c11L.intoArray(c, 22 * LANES);
        c11R.intoArray(c, 23 * LANES);
    }
}
