package ai.epitome.tensor;

import java.lang.foreign.MemorySegment;

/// A matrix seen in memory, as an operand of a product: a window with a row stride, read as it stands or transposed.
///
/// `rows` and `columns` are those of the matrix that takes part in the product. In memory, element (i, j) lies at
/// element index `offset + i * stride + j`, or at `offset + j * stride + i` when `transposed`.
///
/// @param data memory that holds it
/// @param dtype [DType#F32] or [DType#BF16]
/// @param offset index of element (0, 0), in elements
/// @param rows rows of the operand
/// @param columns columns of the operand
/// @param stride elements between consecutive memory rows
/// @param transposed whether memory holds the transpose
public record Matrix(
        MemorySegment data, DType dtype, long offset, int rows, int columns, int stride, boolean transposed) {

    /// The transposed operand on the same memory.
    public Matrix transpose() {
        return new Matrix(data, dtype, offset, columns, rows, stride, !transposed);
    }

    /// Rows `from` (inclusive) to `to` (exclusive).
    public Matrix rows(int from, int to) {
        long start = offset + (transposed ? from : (long) from * stride);
        return new Matrix(data, dtype, start, to - from, columns, stride, transposed);
    }

    /// Columns `from` (inclusive) to `to` (exclusive).
    public Matrix columns(int from, int to) {
        long start = offset + (transposed ? (long) from * stride : from);
        return new Matrix(data, dtype, start, rows, to - from, stride, transposed);
    }

    /// Element (i, j) of the operand. Slow: for edges and tests.
    public float element(int i, int j) {
        return element(offset + (transposed ? (long) j * stride + i : (long) i * stride + j));
    }

    /// The element at an index into memory.
    public float element(long index) {
        return dtype == DType.F32
                ? data.getAtIndex(Tensor.FLOAT, index)
                : Float.intBitsToFloat(data.getAtIndex(Tensor.SHORT, index) << 16);
    }

    /// Sets the element at an index into memory, rounding to the dtype.
    public void put(long index, float value) {
        if (dtype == DType.F32) {
            data.setAtIndex(Tensor.FLOAT, index, value);
        } else {
            data.setAtIndex(Tensor.SHORT, index, Bf16.fromFloat(value));
        }
    }
}
