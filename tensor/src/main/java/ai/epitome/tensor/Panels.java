package ai.epitome.tensor;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/// Packs a window of a matrix into panels: `width` rows side by side, so that the innermost loop of a product reads
/// memory in one straight line, whatever the dtype, stride and transposition of the operand.
///
/// ```
/// panel 0: x[0..width)[0], x[0..width)[1], ...   panel 1: x[width..2*width)[0], ...
/// ```
/// Where the last panel has fewer rows than `width`, the places of the missing ones hold anything: what a product makes
/// of them is never stored.
///
/// Whole registers are stored even where `width` is not a multiple of them. What then spills over belongs to a place
/// that is written later, or to the [#SLACK] after the last panel.
///
/// One thread's instance: it holds a block that is half transposed.
final class Panels {
    private static final VectorSpecies<Float> FLOATS = VectorMath.FLOATS;
    private static final VectorSpecies<Integer> INTS = FLOATS.withLanes(int.class);
    private static final VectorSpecies<Short> SHORTS =
            VectorSpecies.of(short.class, VectorShape.forBitSize(FLOATS.vectorBitSize() / 2));
    private static final int LANES = FLOATS.length();
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();

    /// Lanes of two registers, interleaved: the lower halves and the upper halves.
    private static final VectorShuffle<Float> LOWER = VectorShuffle.makeZip(FLOATS, 0);

    private static final VectorShuffle<Float> UPPER = VectorShuffle.makeZip(FLOATS, 1);

    /// Memory rows that are copied together: few enough to stay in the first-level cache even where their stride
    /// makes them share its sets, while one panel after the other takes its part of them.
    private static final int TOGETHER = 8;

    private static final int QUARTER = LANES / 4;
    /// Floats that packing may write after the last panel.
    static final int SLACK = LANES;

    private final float[] block = new float[LANES * LANES];

    /// Floats that `rows` rows of `depth` need.
    static int size(int rows, int depth, int width) {
        return (rows + width - 1) / width * width * depth + SLACK;
    }

    /// Packs `x[0..rows)[from..from+depth)` into `target`, from element `at` on.
    void pack(Matrix x, int from, int depth, int width, float[] target, int at) {
        if (x.transposed()) {
            packAlongRows(x, from, depth, width, target, at);
        } else {
            for (int first = 0; first < x.rows(); first += width) {
                packAcrossRows(x, first, from, depth, width, target, at + first * depth);
            }
        }
    }

    /// Memory runs along the panels' width: registers are copied, in ascending order of depth and the last of a row
    /// first, because it spills over. They may read elements beside the window, but none beyond the memory.
    private static void packAlongRows(Matrix x, int from, int depth, int width, float[] target, int at) {
        int registers = (width + LANES - 1) / LANES;
        long last = x.data().byteSize() / x.dtype().bytes() - (long) registers * LANES;
        // The next panel's first rows may have been written already: what would spill into it goes by elements.
        int unspilt = depth - (registers * LANES - 1) / width;
        for (int p = 0; p < depth; p += TOGETHER) {
            int end = Math.min(p + TOGETHER, depth);
            for (int first = 0; first < x.rows(); first += width) {
                long start = x.offset() + (long) (from + p) * x.stride() + first;
                int to = at + first * depth + p * width;
                int rows = last < start ? 0 : (int) Math.min(end - p, (last - start) / x.stride() + 1);
                int whole = Math.clamp(unspilt - p, 0, rows);
                if (x.dtype() == DType.F32) {
                    copyFloats(x.data(), start, x.stride(), whole, registers, target, to, width);
                } else {
                    copyBf16(x.data(), start, x.stride(), whole, registers, target, to, width);
                }
                copyElements(x, start, whole, end - p, Math.min(width, x.rows() - first), target, to, width);
            }
        }
    }

    private static void copyElements(
            Matrix x, long start, int from, int depth, int count, float[] target, int at, int width) {
        for (int p = from; p < depth; p++) {
            for (int i = 0; i < count; i++) {
                target[at + p * width + i] = x.element(start + (long) p * x.stride() + i);
            }
        }
    }

    private static void copyFloats(
            MemorySegment data, long start, int stride, int depth, int registers, float[] target, int at, int width) {
        for (int r = registers - 1; r >= 0; r--) {
            for (int p = 0; p < depth; p++) {
                FloatVector.fromMemorySegment(FLOATS, data, (start + (long) p * stride + r * LANES) * 4, ORDER)
                        .intoArray(target, at + p * width + r * LANES);
            }
        }
    }

    private static void copyBf16(
            MemorySegment data, long start, int stride, int depth, int registers, float[] target, int at, int width) {
        for (int r = registers - 1; r >= 0; r--) {
            for (int p = 0; p < depth; p++) {
                loadBf16(data, start + (long) p * stride + r * LANES).intoArray(target, at + p * width + r * LANES);
            }
        }
    }

    /// Memory runs along the depth: square blocks, a register wide, are transposed. The last group of rows goes first,
    /// because it is the one that spills over into the first.
    private void packAcrossRows(Matrix x, int first, int from, int depth, int width, float[] target, int at) {
        int count = Math.min(width, x.rows() - first);
        int whole = depth / LANES * LANES;
        for (int group = (count - 1) / LANES * LANES; group >= 0; group -= LANES) {
            int rows = Math.min(LANES, count - group);
            long start = x.offset() + (long) (first + group) * x.stride() + from;
            for (int p = 0; p < whole; p += LANES) {
                transpose(x, start + p, rows - 1, target, at + p * width + group, width);
            }
        }
        for (int i = 0; i < count; i++) {
            long start = x.offset() + (long) (first + i) * x.stride() + from;
            for (int p = whole; p < depth; p++) {
                target[at + p * width + i] = x.element(start + p);
            }
        }
    }

    /// Transposes the square block that starts at element `start` into rows of `target`, `width` apart; rows after
    /// `last` are copies of it.
    ///
    /// Interleaving the lanes of row i with those of row i + LANES / 2, for every i, rotates the bits of an
    /// element's place by one; after as many times as a row number has bits, row and column have changed places.
    /// Two such steps are done at once, four registers in and four out.
    private void transpose(Matrix x, long start, int last, float[] target, int at, int width) {
        boolean done = LANES == 4;
        float[] to = done ? target : block;
        if (x.dtype() == DType.F32) {
            interleaveFloats(x.data(), start, x.stride(), last, to, done ? at : 0, done ? width : LANES);
        } else {
            interleaveBf16(x.data(), start, x.stride(), last, to, done ? at : 0, done ? width : LANES);
        }
        if (LANES == 16) {
            interleaveTwice(block, target, at, width);
        } else if (LANES == 8) {
            interleaveOnce(block, target, at, width);
        }
    }

    private static void interleaveFloats(
            MemorySegment data, long start, int stride, int last, float[] target, int at, int width) {
        for (int i = 0; i < QUARTER; i++) {
            FloatVector a =
                    FloatVector.fromMemorySegment(FLOATS, data, (start + (long) Math.min(i, last) * stride) * 4, ORDER);
            FloatVector b = FloatVector.fromMemorySegment(
                    FLOATS, data, (start + (long) Math.min(i + QUARTER, last) * stride) * 4, ORDER);
            FloatVector c = FloatVector.fromMemorySegment(
                    FLOATS, data, (start + (long) Math.min(i + 2 * QUARTER, last) * stride) * 4, ORDER);
            FloatVector d = FloatVector.fromMemorySegment(
                    FLOATS, data, (start + (long) Math.min(i + 3 * QUARTER, last) * stride) * 4, ORDER);
            FloatVector acLower = a.rearrange(LOWER, c);
            FloatVector acUpper = a.rearrange(UPPER, c);
            FloatVector bdLower = b.rearrange(LOWER, d);
            FloatVector bdUpper = b.rearrange(UPPER, d);
            int to = at + 4 * i * width;
            acLower.rearrange(LOWER, bdLower).intoArray(target, to);
            acLower.rearrange(UPPER, bdLower).intoArray(target, to + width);
            acUpper.rearrange(LOWER, bdUpper).intoArray(target, to + 2 * width);
            acUpper.rearrange(UPPER, bdUpper).intoArray(target, to + 3 * width);
        }
    }

    private static void interleaveBf16(
            MemorySegment data, long start, int stride, int last, float[] target, int at, int width) {
        for (int i = 0; i < QUARTER; i++) {
            FloatVector a = loadBf16(data, start + (long) Math.min(i, last) * stride);
            FloatVector b = loadBf16(data, start + (long) Math.min(i + QUARTER, last) * stride);
            FloatVector c = loadBf16(data, start + (long) Math.min(i + 2 * QUARTER, last) * stride);
            FloatVector d = loadBf16(data, start + (long) Math.min(i + 3 * QUARTER, last) * stride);
            FloatVector acLower = a.rearrange(LOWER, c);
            FloatVector acUpper = a.rearrange(UPPER, c);
            FloatVector bdLower = b.rearrange(LOWER, d);
            FloatVector bdUpper = b.rearrange(UPPER, d);
            int to = at + 4 * i * width;
            acLower.rearrange(LOWER, bdLower).intoArray(target, to);
            acLower.rearrange(UPPER, bdLower).intoArray(target, to + width);
            acUpper.rearrange(LOWER, bdUpper).intoArray(target, to + 2 * width);
            acUpper.rearrange(UPPER, bdUpper).intoArray(target, to + 3 * width);
        }
    }

    private static void interleaveTwice(float[] source, float[] target, int at, int width) {
        for (int i = 0; i < QUARTER; i++) {
            FloatVector a = FloatVector.fromArray(FLOATS, source, (i) * LANES);
            FloatVector b = FloatVector.fromArray(FLOATS, source, (i + QUARTER) * LANES);
            FloatVector c = FloatVector.fromArray(FLOATS, source, (i + 2 * QUARTER) * LANES);
            FloatVector d = FloatVector.fromArray(FLOATS, source, (i + 3 * QUARTER) * LANES);
            FloatVector acLower = a.rearrange(LOWER, c);
            FloatVector acUpper = a.rearrange(UPPER, c);
            FloatVector bdLower = b.rearrange(LOWER, d);
            FloatVector bdUpper = b.rearrange(UPPER, d);
            int to = at + 4 * i * width;
            acLower.rearrange(LOWER, bdLower).intoArray(target, to);
            acLower.rearrange(UPPER, bdLower).intoArray(target, to + width);
            acUpper.rearrange(LOWER, bdUpper).intoArray(target, to + 2 * width);
            acUpper.rearrange(UPPER, bdUpper).intoArray(target, to + 3 * width);
        }
    }

    /// A register of bf16 elements as floats.
    static FloatVector loadBf16(MemorySegment data, long at) {
        IntVector bits = (IntVector) ShortVector.fromMemorySegment(SHORTS, data, at * 2, ORDER)
                .convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0);
        return bits.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
    }

    private static void interleaveOnce(float[] source, float[] target, int at, int width) {
        for (int i = 0; i < LANES / 2; i++) {
            FloatVector a = FloatVector.fromArray(FLOATS, source, i * LANES);
            FloatVector b = FloatVector.fromArray(FLOATS, source, (i + LANES / 2) * LANES);
            a.rearrange(LOWER, b).intoArray(target, at + 2 * i * width);
            a.rearrange(UPPER, b).intoArray(target, at + (2 * i + 1) * width);
        }
    }
}
