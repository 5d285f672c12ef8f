package ai.epitome.model.export;

import ai.epitome.tensor.format.BlockFormat;
import java.util.function.IntUnaryOperator;

/// A weight as it lies in a file, read a row at a time.
///
/// @param shape what it is
/// @param format how the file holds its numbers
/// @param source reads a row
record StoredWeight(WeightShapes.Shape shape, BlockFormat format, Rows source) {
    /// Reads rows from a file; from any number of threads at once.
    @FunctionalInterface
    interface Rows {
        /// Puts a row's values into `target[0, columns)`.
        void read(int row, float[] target);
    }

    String name() {
        return shape.name();
    }

    /// The transpose of a matrix, which is read into memory for it.
    StoredWeight transposed() {
        int rows = shape.rows();
        int columns = shape.columns();
        float[] values = new float[Math.multiplyExact(rows, columns)];
        float[] one = new float[columns];
        for (int row = 0; row < rows; row++) {
            source.read(row, one);
            for (int column = 0; column < columns; column++) {
                values[column * rows + row] = one[column];
            }
        }
        return new StoredWeight(
                new WeightShapes.Shape(shape.name(), columns, rows, false, !shape.transposed()),
                format,
                (row, target) -> System.arraycopy(values, row * rows, target, 0, rows));
    }

    /// The same weight with its rows in another order.
    ///
    /// @param from where the row of each place is now
    StoredWeight reordered(IntUnaryOperator from) {
        return new StoredWeight(shape, format, (row, target) -> source.read(from.applyAsInt(row), target));
    }
}
