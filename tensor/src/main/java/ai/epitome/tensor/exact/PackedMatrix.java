package ai.epitome.tensor.exact;

import static ai.epitome.tensor.exact.ExactKernels.COLUMNS;
import static ai.epitome.tensor.exact.ExactKernels.FEW_ROWS;
import static ai.epitome.tensor.exact.ExactKernels.ROWS;

/// The right operand of products, packed for [ExactKernels]: panels of 32 columns, the last one filled up with zeros.
///
/// ```text
/// panel 0: depth 0: columns 0 .. 31 | depth 1: columns 0 .. 31 | ...
/// panel 1: depth 0: columns 32 .. 63 | ...
/// ```
public final class PackedMatrix {
    private final int depth;
    private final int columns;
    private final float[] values;

    /// A matrix of zeros.
    public PackedMatrix(int depth, int columns) {
        this.depth = depth;
        this.columns = columns;
        long size = (long) panels(columns) * depth * COLUMNS;
        if (size > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException(
                    "a matrix of %,d by %,d is larger than the exact profile allows".formatted(depth, columns));
        }
        values = new float[(int) size];
    }

    /// Panels that hold `columns` columns.
    public static int panels(int columns) {
        return (columns + COLUMNS - 1) / COLUMNS;
    }

    /// `columns` rounded up to whole panels: how wide a row of results has to be.
    public static int padded(int columns) {
        return panels(columns) * COLUMNS;
    }

    /// Takes weights as layers have them, (columns, depth) row-major from index `from` on: `y = x Wᵀ`.
    public void packTransposed(float[] weights, int from) {
        packTransposed(weights, from, depth);
    }

    /// The same from rows that begin `stride` apart.
    public void packTransposed(float[] weights, int from, int stride) {
        for (int column = 0; column < columns; column++) {
            int at = column / COLUMNS * depth * COLUMNS + column % COLUMNS;
            for (int k = 0; k < depth; k++) {
                values[at + k * COLUMNS] = weights[from + column * stride + k];
            }
        }
    }

    /// Takes a (depth, columns) matrix whose rows begin `stride` apart.
    public void pack(float[] source, int from, int stride) {
        for (int panel = 0; panel < panels(); panel++) {
            int width = Math.min(COLUMNS, columns - panel * COLUMNS);
            for (int k = 0; k < depth; k++) {
                System.arraycopy(
                        source, from + k * stride + panel * COLUMNS, values, (panel * depth + k) * COLUMNS, width);
            }
        }
    }

    /// Takes the values of a matrix of the same shape.
    public void copy(PackedMatrix source) {
        if (source.depth != depth || source.columns != columns) {
            throw new IllegalArgumentException(
                    "%d by %d, expected %d by %d".formatted(source.depth, source.columns, depth, columns));
        }
        System.arraycopy(source.values, 0, values, 0, values.length);
    }

    /// Rows of the matrix: what products sum over.
    public int depth() {
        return depth;
    }

    /// Columns of the matrix, without those that fill up the last panel.
    public int columns() {
        return columns;
    }

    /// Panels of [#COLUMNS] columns, of which the last may be filled up.
    public int panels() {
        return panels(columns);
    }

    /// Panels `fromPanel` to `toPanel - 1` of the product with `rows`, into rows of `target` that begin `stride` apart.
    /// `stride` is at least the padded columns, and `target` has room for [PackedRows#padded] rows.
    public void multiply(
            ExactKernels kernels, PackedRows rows, int fromPanel, int toPanel, float[] target, int stride) {
        if (rows.depth() != depth) {
            throw new IllegalArgumentException(
                    "rows of %d elements, the matrix has a depth of %d".formatted(rows.depth(), depth));
        }
        float[] a = rows.values();
        int size = depth * COLUMNS;
        if (rows.count() == 1) {
            kernels.row(depth, a, 0, values, fromPanel * size, size, toPanel - fromPanel, target, fromPanel * COLUMNS);
            return;
        }
        int full = rows.largePanels() * ROWS;
        for (int panel = fromPanel; panel < toPanel; panel++) {
            int column = panel * COLUMNS;
            for (int row = 0; row < full; row += ROWS) {
                kernels.tile(depth, a, row * depth, values, panel * size, target, row * stride + column, stride);
            }
            for (int row = full; row < rows.count(); row += FEW_ROWS) {
                kernels.smallTile(depth, a, row * depth, values, panel * size, target, row * stride + column, stride);
            }
        }
    }
}
