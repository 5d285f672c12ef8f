package ai.epitome.tensor.backend;

import ai.epitome.tensor.DType;
import ai.epitome.tensor.Matrix;

/// What every implementation of [MatrixProduct] asks of its operands before it touches memory.
final class Operands {
    private Operands() {}

    /// Throws unless the shapes fit, the dtypes are supported and every window lies within its memory, which is alive.
    static void check(Matrix a, Matrix b, Matrix c) {
        if (a.columns() != b.rows() || c.rows() != a.rows() || c.columns() != b.columns()) {
            throw new IllegalArgumentException("cannot multiply (%d, %d) by (%d, %d) into (%d, %d)"
                    .formatted(a.rows(), a.columns(), b.rows(), b.columns(), c.rows(), c.columns()));
        }
        if (a.dtype() != b.dtype() || !isFloating(a.dtype()) || !isFloating(c.dtype())) {
            throw new IllegalArgumentException("products take F32 or BF16, both inputs the same; given %s by %s into %s"
                    .formatted(a.dtype(), b.dtype(), c.dtype()));
        }
        if (c.transposed()) {
            throw new IllegalArgumentException("the result of a product cannot be transposed in memory");
        }
        checkWindow(a, "A");
        checkWindow(b, "B");
        checkWindow(c, "C");
    }

    private static boolean isFloating(DType dtype) {
        return dtype == DType.F32 || dtype == DType.BF16;
    }

    private static void checkWindow(Matrix matrix, String name) {
        long memoryRows = matrix.transposed() ? matrix.columns() : matrix.rows();
        long memoryColumns = matrix.transposed() ? matrix.rows() : matrix.columns();
        if (memoryRows == 0 || memoryColumns == 0) {
            return;
        }
        long end = matrix.offset() + (memoryRows - 1) * matrix.stride() + memoryColumns;
        long elements = matrix.data().byteSize() / matrix.dtype().bytes();
        if (matrix.offset() < 0 || end > elements || (memoryRows > 1 && matrix.stride() < memoryColumns)) {
            throw new IndexOutOfBoundsException(
                    "%s: %d memory rows of %d elements, stride %d, from element %d on do not lie within %d elements"
                            .formatted(name, memoryRows, memoryColumns, matrix.stride(), matrix.offset(), elements));
        }
        if (!matrix.data().isNative()) {
            throw new IllegalArgumentException(name + " lies on the Java heap; products work on native memory");
        }
        if (!matrix.data().scope().isAlive()) { // native code gets a bare address and would not notice
            throw new IllegalStateException(name + " lies in memory that was given back: its arena is closed");
        }
    }

    /// Settles a product of nothing, where `c` has no elements or they are sums of no products; whether it was one.
    static boolean settleEmpty(Matrix a, Matrix c, boolean accumulate) {
        if (c.rows() == 0 || c.columns() == 0) {
            return true;
        }
        if (a.columns() == 0) {
            clear(c, accumulate);
            return true;
        }
        return false;
    }

    /// A sum of no products: zeros, or what `c` held.
    private static void clear(Matrix c, boolean accumulate) {
        if (!accumulate) {
            long bytes = c.dtype().bytes();
            for (int i = 0; i < c.rows(); i++) {
                c.data()
                        .asSlice((c.offset() + (long) i * c.stride()) * bytes, c.columns() * bytes)
                        .fill((byte) 0);
            }
        }
    }
}
