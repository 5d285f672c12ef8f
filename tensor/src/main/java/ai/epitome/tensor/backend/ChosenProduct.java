package ai.epitome.tensor.backend;

import ai.epitome.tensor.DType;
import ai.epitome.tensor.Matrix;
import java.util.function.Supplier;

/// For each product the kernels that do it fastest: [AmxProduct], or another implementation.
///
/// Measured against oneDNN 3.13 within training steps and by shape (see the log): AMX code of our own is
/// 1.3 to 2.5 times as fast where a call's own cost counts or A is transposed in memory, and no faster on
/// large products of other layouts. The choice depends on shapes, dtypes and layouts alone, so the same
/// product gives the same bits.
///
/// @param others gives the other implementation, the same each time: opening oneDNN takes a quarter of a
/// second, which a command that never asks for it does not wait
record ChosenProduct(Supplier<MatrixProduct> others, AmxProduct amx) implements MatrixProduct {
    /// Elements of a matrix that is packed sooner than oneDNN is called: keys or values of one head. Larger
    /// ones times a single row are read once from memory, and packing them is in vain.
    private static final long SMALL = 256 * 64;
    /// Multiply-adds of the largest product that is not worth oneDNN's call: 256 rows by 1152 x 384 weights.
    private static final long LARGE = 1 << 27;

    @Override
    public void multiply(Matrix a, Matrix b, Matrix c, boolean accumulate) {
        (isForAmx(a, b, c) ? amx : others.get()).multiply(a, b, c, accumulate);
    }

    private boolean isForAmx(Matrix a, Matrix b, Matrix c) {
        if (a.dtype() != DType.BF16 || b.dtype() != DType.BF16) {
            return false;
        }
        long elements = (long) b.rows() * b.columns();
        if (c.rows() == 1) {
            return elements <= SMALL;
        }
        return a.transposed() || c.rows() * elements <= LARGE || !(others.get() instanceof OneDnnProduct);
    }

    @Override
    public String describe() {
        return others.get().describe() + " and own AMX code";
    }
}
