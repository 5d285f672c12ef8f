package ai.epitome.tensor.backend;

import ai.epitome.tensor.VectorMath;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// The innermost loop of [VectorProduct]: a tile of 6 rows by two registers, kept in 12 registers over all of the
/// depth.
///
/// For CPUs with 16 vector registers (AVX2): 12 sums, two registers of B and one of A. Every step of the depth
/// costs two loads, 6 broadcasts and 12 multiply-adds. It is written out because the compiler keeps the sums in
/// registers only in a small straight-line loop.
public final class Tile6 {
    public static final int ROWS = 6;

    private static final VectorSpecies<Float> FLOATS = VectorMath.FLOATS;
    private static final int LANES = FLOATS.length();

    private Tile6() {}

    /// `c += a · b` for packed panels: `a` holds 6 values and `b` two registers for each of `depth` steps; `c` holds
    /// 6 rows of two registers from `at` on.
    public static void multiply(int depth, float[] a, int aFrom, float[] b, int bFrom, float[] c, int at) {
        FloatVector c0L = FloatVector.fromArray(FLOATS, c, at);
        FloatVector c0R = FloatVector.fromArray(FLOATS, c, at + LANES);
        FloatVector c1L = FloatVector.fromArray(FLOATS, c, at + 2 * LANES);
        FloatVector c1R = FloatVector.fromArray(FLOATS, c, at + 3 * LANES);
        FloatVector c2L = FloatVector.fromArray(FLOATS, c, at + 4 * LANES);
        FloatVector c2R = FloatVector.fromArray(FLOATS, c, at + 5 * LANES);
        FloatVector c3L = FloatVector.fromArray(FLOATS, c, at + 6 * LANES);
        FloatVector c3R = FloatVector.fromArray(FLOATS, c, at + 7 * LANES);
        FloatVector c4L = FloatVector.fromArray(FLOATS, c, at + 8 * LANES);
        FloatVector c4R = FloatVector.fromArray(FLOATS, c, at + 9 * LANES);
        FloatVector c5L = FloatVector.fromArray(FLOATS, c, at + 10 * LANES);
        FloatVector c5R = FloatVector.fromArray(FLOATS, c, at + 11 * LANES);
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
        }
        c0L.intoArray(c, at);
        c0R.intoArray(c, at + LANES);
        c1L.intoArray(c, at + 2 * LANES);
        c1R.intoArray(c, at + 3 * LANES);
        c2L.intoArray(c, at + 4 * LANES);
        c2R.intoArray(c, at + 5 * LANES);
        c3L.intoArray(c, at + 6 * LANES);
        c3R.intoArray(c, at + 7 * LANES);
        c4L.intoArray(c, at + 8 * LANES);
        c4R.intoArray(c, at + 9 * LANES);
        c5L.intoArray(c, at + 10 * LANES);
        c5R.intoArray(c, at + 11 * LANES);
    }
}
