package ai.epitome.tensor;

import java.lang.foreign.MemorySegment;

/// Packs a window of a matrix into panels: `width` rows side by side, so that the innermost loop of a product reads
/// memory in one straight line, whatever the dtype, stride and transposition of the operand.
///
/// ```
/// panel 0: x[0..width)[0], x[0..width)[1], ... ; panel 1: x[width..2*width)[0], ...
/// ```
/// Rows beyond the last are zeros.
final class Panels {
    private Panels() {}

    /// Floats that `rows` rows of `depth` need.
    static int size(int rows, int depth, int width) {
        return (rows + width - 1) / width * width * depth;
    }

    /// Packs `x[0..rows)[from..from+depth)` into `target`; `row` is scratch of at least `depth` floats.
    static void pack(Matrix x, int from, int depth, int width, float[] target, float[] row) {
        for (int first = 0; first < x.rows(); first += width) {
            int count = Math.min(width, x.rows() - first);
            int at = first * depth;
            if (x.transposed()) {
                packAlongRows(x, first, count, from, depth, width, target, at);
            } else {
                packAcrossRows(x, first, count, from, depth, width, target, at, row);
            }
        }
    }

    /// Memory runs along the panel's width: plain copies.
    private static void packAlongRows(
            Matrix x, int first, int count, int from, int depth, int width, float[] target, int at) {
        long start = x.offset() + (long) from * x.stride() + first;
        for (int p = 0; p < depth; p++, start += x.stride(), at += width) {
            load(x.data(), x.dtype(), start, target, at, count);
            for (int i = count; i < width; i++) {
                target[at + i] = 0;
            }
        }
    }

    /// Memory runs along the depth: a row at a time, scattered.
    private static void packAcrossRows(
            Matrix x, int first, int count, int from, int depth, int width, float[] target, int at, float[] row) {
        for (int i = 0; i < width; i++) {
            if (i < count) {
                load(x.data(), x.dtype(), x.offset() + (long) (first + i) * x.stride() + from, row, 0, depth);
                scatter(row, depth, target, at + i, width);
            } else {
                for (int p = 0; p < depth; p++) {
                    target[at + i + p * width] = 0;
                }
            }
        }
    }

    private static void scatter(float[] row, int depth, float[] target, int at, int width) {
        for (int p = 0; p < depth; p++) {
            target[at + p * width] = row[p];
        }
    }

    private static void load(MemorySegment data, DType dtype, long start, float[] target, int at, int count) {
        if (dtype == DType.F32) {
            MemorySegment.copy(data, Tensor.FLOAT, start * 4, target, at, count);
        } else {
            for (int i = 0; i < count; i++) {
                target[at + i] = Float.intBitsToFloat(data.getAtIndex(Tensor.SHORT, start + i) << 16);
            }
        }
    }
}
