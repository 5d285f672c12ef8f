package ai.epitome.tensor;

/// For each product the kernels that do it fastest: [AmxProduct], or another implementation.
///
/// The choice depends on shapes, dtypes and layouts alone, so the same product gives the same bits.
record ChosenProduct(MatrixProduct other, AmxProduct amx) implements MatrixProduct {
    /// Elements of a matrix that is packed sooner than oneDNN has been called: keys or values of one head.
    private static final long SMALL = 256 * 64;

    @Override
    public void multiply(Matrix a, Matrix b, Matrix c, boolean accumulate) {
        (isForAmx(a, b, c) ? amx : other).multiply(a, b, c, accumulate);
    }

    /// A matrix of weights times a single row is read once from memory, and packing it is in vain.
    private static boolean isForAmx(Matrix a, Matrix b, Matrix c) {
        boolean few = c.rows() == 1 && (long) b.rows() * b.columns() > SMALL;
        return a.dtype() == DType.BF16 && b.dtype() == DType.BF16 && !few;
    }

    @Override
    public String describe() {
        return other.describe() + " and own AMX code";
    }
}
