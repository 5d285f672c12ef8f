package ai.epitome.tensor.optimizer;

import ai.epitome.tensor.DType;
import ai.epitome.tensor.Matrix;
import ai.epitome.tensor.Scratch;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.backend.Backend;

/// Replaces a matrix by (nearly) the closest semi-orthogonal one: the U Vᵀ of its singular value decomposition U S Vᵀ.
///
/// The iteration of Keller Jordan's Muon (2024): `X = G / |G|`, then five times `X = a X + (b A + c A²) X` with
/// `A = X Xᵀ`. It needs products only, and its odd quintic p(s) = a s + b s³ + c s⁵ acts on every singular value alone.
/// The coefficients make p steep at 0 and leave values that started anywhere above about 0.01 between 0.7 and 1.2,
/// which serves an optimizer as well as 1 would.
///
/// A tall matrix is multiplied from the right, `X = a X + X (b A + c A²)` with `A = Xᵀ X`: the same result, and A is
/// always as small as it can be. The running X and all sums are f32; operands of products are in the compute dtype.
public final class NewtonSchulz {
    static final float A = 3.4445f;
    static final float B = -4.7750f;
    static final float C = 2.0315f;
    static final int STEPS = 5;
    /// Keeps a zero matrix zero.
    private static final double TINY = 1e-7;

    private NewtonSchulz() {}

    /// Orthogonalises `x` (m, n), f32, in place.
    ///
    /// @param backend whose products are called; `parallel` says whether a product is split over its threads, which
    ///     must be false when the caller already runs inside one of them
    public static void orthogonalise(Tensor x, Backend backend, boolean parallel, Scratch scratch) {
        int rows = x.rows();
        int columns = x.columns();
        boolean tall = rows > columns;
        int n = Math.min(rows, columns);
        Tensor copy = scratch.tile(0, backend.compute(), rows, columns);
        Tensor gram = scratch.tile(1, DType.F32, n, n);
        Tensor square = scratch.tile(2, DType.F32, n, n);
        Tensor polynomial = scratch.tile(3, backend.compute(), n, n);
        // The first copy that a product reads is made after the division by the norm.
        OptimizerKernels.copyAndScale(
                x, copy, (float) (1 / (Math.sqrt(OptimizerKernels.sumOfSquares(x)) + TINY)), scratch);
        for (int step = 0; step < STEPS; step++) {
            OptimizerKernels.copyAndScale(x, copy, A, scratch);
            Matrix operand = copy.matrix();
            multiply(
                    tall ? operand.transpose() : operand,
                    tall ? operand : operand.transpose(),
                    gram.matrix(),
                    false,
                    backend,
                    parallel);
            OptimizerKernels.copyAndScale(gram, polynomial, 1, scratch);
            multiply(polynomial.matrix(), polynomial.matrix(), square.matrix(), false, backend, parallel);
            OptimizerKernels.combine(gram, B, square, C, polynomial, scratch);
            multiply(
                    tall ? operand : polynomial.matrix(),
                    tall ? polynomial.matrix() : operand,
                    x.matrix(),
                    true,
                    backend,
                    parallel);
        }
    }

    private static void multiply(Matrix a, Matrix b, Matrix c, boolean accumulate, Backend backend, boolean parallel) {
        if (parallel) {
            backend.multiply(a, b, c, accumulate);
        } else {
            backend.product().multiply(a, b, c, accumulate);
        }
    }

    /// Floating-point operations for a matrix (m, n), for sharing out work.
    public static double cost(int rows, int columns) {
        double n = Math.min(rows, columns);
        double m = Math.max(rows, columns);
        return STEPS * (4 * m * n * n + 2 * n * n * n);
    }
}
