package ai.epitome.tensor.backend;

import ai.epitome.tensor.Matrix;

/// The one kernel that is worth a native library: `C = A · B`, optionally added to what `C` holds.
///
/// An implementation works on the calling thread alone and may be called from many threads at once on disjoint `C`;
/// splitting a large product over threads is [Backend]'s business. Inputs may be f32 or bf16 (both the same), `C` f32
/// or bf16, sums are f32. `A` and `B` may be transposed in memory, `C` may not.
public interface MatrixProduct {
    /// Computes `c = a · b`, or `c += a · b` when `accumulate`. Shapes (m, k), (k, n), (m, n).
    void multiply(Matrix a, Matrix b, Matrix c, boolean accumulate);

    /// Whether a row of `C` has the same bits whatever other rows are computed with it, and in how many parts.
    default boolean batchInvariant() {
        return false;
    }

    /// One line for people: which kernels these are.
    String describe();
}
