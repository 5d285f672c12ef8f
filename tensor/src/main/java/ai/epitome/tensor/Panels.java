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
/// One thread's instance: it holds the working memory of [#transpose].
final class Panels {
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Integer> INTS = FLOATS.withLanes(int.class);
    private static final VectorSpecies<Short> SHORTS =
            VectorSpecies.of(short.class, VectorShape.forBitSize(FLOATS.vectorBitSize() / 2));
    private static final int LANES = FLOATS.length();
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();

    /// Lanes of two registers, interleaved: the lower halves and the upper halves.
    private static final VectorShuffle<Float> LOWER = VectorShuffle.makeZip(FLOATS, 0);

    private static final VectorShuffle<Float> UPPER = VectorShuffle.makeZip(FLOATS, 1);

    /// Floats that packing may write after the last panel.
    static final int SLACK = LANES;

    private float[] block = new float[LANES * LANES];
    private float[] other = new float[LANES * LANES];

    /// Floats that `rows` rows of `depth` need.
    static int size(int rows, int depth, int width) {
        return (rows + width - 1) / width * width * depth + SLACK;
    }

    /// Packs `x[0..rows)[from..from+depth)` into `target`, from element `at` on.
    void pack(Matrix x, int from, int depth, int width, float[] target, int at) {
        for (int first = 0; first < x.rows(); first += width) {
            if (x.transposed()) {
                packAlongRows(x, first, from, depth, width, target, at + first * depth);
            } else {
                packAcrossRows(x, first, from, depth, width, target, at + first * depth);
            }
        }
    }

    /// Memory runs along the panel's width: registers are copied, in ascending order of depth. They may read elements
    /// beside the window, but none beyond the memory.
    private static void packAlongRows(
            Matrix x, int first, int from, int depth, int width, float[] target, int at) {
        long start = x.offset() + (long) from * x.stride() + first;
        int registers = (width + LANES - 1) / LANES;
        long elements = x.data().byteSize() / x.dtype().bytes();
        long last = elements - (long) registers * LANES;
        int whole = last < start ? 0 : (int) Math.min(depth, (last - start) / x.stride() + 1);
        if (x.dtype() == DType.F32) {
            copyFloats(x.data(), start, x.stride(), whole, registers, target, at, width);
        } else {
            copyBf16(x.data(), start, x.stride(), whole, registers, target, at, width);
        }
        int count = Math.min(width, x.rows() - first);
        for (int p = whole; p < depth; p++) {
            for (int i = 0; i < count; i++) {
                target[at + p * width + i] = element(x, start + (long) p * x.stride() + i);
            }
        }
    }

    private static void copyFloats(
            MemorySegment data, long start, int stride, int depth, int registers, float[] target, int at, int width) {
        for (int p = 0; p < depth; p++) {
            long source = (start + (long) p * stride) * 4;
            for (int r = 0; r < registers; r++) {
                FloatVector.fromMemorySegment(FLOATS, data, source + r * LANES * 4L, ORDER)
                        .intoArray(target, at + p * width + r * LANES);
            }
        }
    }

    private static void copyBf16(
            MemorySegment data, long start, int stride, int depth, int registers, float[] target, int at, int width) {
        for (int p = 0; p < depth; p++) {
            long source = (start + (long) p * stride) * 2;
            for (int r = 0; r < registers; r++) {
                IntVector bits = (IntVector)
                        ShortVector.fromMemorySegment(SHORTS, data, source + r * LANES * 2L, ORDER)
                                .convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0);
                bits.lanewise(VectorOperators.LSHL, 16)
                        .reinterpretAsFloats()
                        .intoArray(target, at + p * width + r * LANES);
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
                if (x.dtype() == DType.F32) {
                    loadFloats(x.data(), start + p, x.stride(), rows, block);
                } else {
                    loadBf16(x.data(), start + p, x.stride(), rows, block);
                }
                transpose(target, at + p * width + group, width);
            }
        }
        for (int i = 0; i < count; i++) {
            long start = x.offset() + (long) (first + i) * x.stride() + from;
            for (int p = whole; p < depth; p++) {
                target[at + p * width + i] = element(x, start + p);
            }
        }
    }

    private static void loadFloats(MemorySegment data, long start, int stride, int rows, float[] block) {
        for (int i = 0; i < rows; i++) {
            FloatVector.fromMemorySegment(FLOATS, data, (start + (long) i * stride) * 4, ORDER)
                    .intoArray(block, i * LANES);
        }
    }

    private static void loadBf16(MemorySegment data, long start, int stride, int rows, float[] block) {
        for (int i = 0; i < rows; i++) {
            IntVector bits = (IntVector) ShortVector.fromMemorySegment(
                            SHORTS, data, (start + (long) i * stride) * 2, ORDER)
                    .convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0);
            bits.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().intoArray(block, i * LANES);
        }
    }

    /// Transposes `block` into rows of `target`, `stride` apart. Interleaving the first half of the rows with the second
    /// rotates the bits of every element's index by one place; after as many times as a row's index has bits, row and
    /// column have changed places.
    private void transpose(float[] target, int at, int stride) {
        for (int size = LANES; size > 2; size /= 2) {
            interleave(block, other, 0, LANES);
            float[] swap = block;
            block = other;
            other = swap;
        }
        interleave(block, target, at, stride);
    }

    private static void interleave(float[] source, float[] target, int at, int stride) {
        for (int i = 0; i < LANES / 2; i++) {
            FloatVector upper = FloatVector.fromArray(FLOATS, source, i * LANES);
            FloatVector lower = FloatVector.fromArray(FLOATS, source, (i + LANES / 2) * LANES);
            upper.rearrange(LOWER, lower).intoArray(target, at + 2 * i * stride);
            upper.rearrange(UPPER, lower).intoArray(target, at + (2 * i + 1) * stride);
        }
    }

    private static float element(Matrix x, long index) {
        return x.dtype() == DType.F32
                ? x.data().getAtIndex(Tensor.FLOAT, index)
                : Float.intBitsToFloat(x.data().getAtIndex(Tensor.SHORT, index) << 16);
    }
}
