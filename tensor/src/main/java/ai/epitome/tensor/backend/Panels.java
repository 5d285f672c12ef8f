package ai.epitome.tensor.backend;

import ai.epitome.tensor.DType;
import ai.epitome.tensor.Matrix;
import ai.epitome.tensor.VectorMath;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
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
public final class Panels {
    private static final VectorSpecies<Float> FLOATS = VectorMath.FLOATS;
    private static final VectorSpecies<Integer> INTS = FLOATS.withLanes(int.class);
    private static final VectorSpecies<Short> SHORTS =
            VectorSpecies.of(short.class, VectorShape.forBitSize(FLOATS.vectorBitSize() / 2));
    private static final int LANES = FLOATS.length();
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();

    /// Lanes moved up and down by half of a register, a quarter of it, two and one, and the lanes whose number has
    /// that bit. One rotation and one blend for each result is less than interleaving two registers takes.
    private static final VectorShuffle<Float> UP_HALF = rotation(LANES / 2);

    private static final VectorShuffle<Float> DOWN_HALF = rotation(LANES - LANES / 2);
    private static final VectorMask<Float> UPPER_HALF = lanes(LANES / 2);
    private static final VectorShuffle<Float> UP_QUARTER = rotation(LANES / 4);
    private static final VectorShuffle<Float> DOWN_QUARTER = rotation(LANES - LANES / 4);
    private static final VectorMask<Float> UPPER_QUARTER = lanes(LANES / 4);
    private static final VectorShuffle<Float> UP_TWO = rotation(2);
    private static final VectorShuffle<Float> DOWN_TWO = rotation(LANES - 2);
    private static final VectorMask<Float> UPPER_TWO = lanes(2);
    private static final VectorShuffle<Float> UP_ONE = rotation(1);
    private static final VectorShuffle<Float> DOWN_ONE = rotation(LANES - 1);
    private static final VectorMask<Float> UPPER_ONE = lanes(1);

    private static VectorShuffle<Float> rotation(int by) {
        return VectorShuffle.fromOp(FLOATS, lane -> (lane + LANES - by) % LANES);
    }

    private static VectorMask<Float> lanes(int bit) {
        long bits = 0;
        for (int lane = 0; lane < LANES; lane++) {
            bits |= (lane & bit) == 0 ? 0 : 1L << lane;
        }
        return VectorMask.fromLong(FLOATS, bits);
    }

    /// Memory rows that are copied together: few enough to stay in the first-level cache even where their stride
    /// makes them share its sets, while one panel after the other takes its part of them.
    private static final int TOGETHER = 8;

    private static final int QUARTER = LANES / 4;
    /// Floats that packing may write after the last panel.
    static final int SLACK = LANES;

    private final float[] block = new float[LANES * LANES];

    /// Floats that `rows` rows of `depth` need.
    public static int size(int rows, int depth, int width) {
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
            boolean within = last >= x.offset() + (long) (from + end - 1) * x.stride() + x.rows() - 1;
            for (int first = 0; first < x.rows(); first += width) {
                long start = x.offset() + (long) (from + p) * x.stride() + first;
                int to = at + first * depth + p * width;
                int rows =
                        within ? end - p : last < start ? 0 : (int) Math.min(end - p, (last - start) / x.stride() + 1);
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
    /// For each bit of a row number, from the highest down, rows that differ in that bit alone exchange
    /// halves: what lies in the upper one's lanes without the bit against what lies in the lower one's lanes
    /// with it. Then row and column have changed places. Two bits are done at once, four registers in and four
    /// out.
    private void transpose(Matrix x, long start, int last, float[] target, int at, int width) {
        boolean done = LANES == 4;
        float[] to = done ? target : block;
        if (x.dtype() == DType.F32) {
            exchangeFloats(x.data(), start, x.stride(), last, to, done ? at : 0, done ? width : LANES);
        } else {
            exchangeBf16(x.data(), start, x.stride(), last, to, done ? at : 0, done ? width : LANES);
        }
        if (LANES == 16) {
            exchangeTwice(block, target, at, width);
        } else if (LANES == 8) {
            exchangeOnce(block, target, at, width);
        }
    }

    /// Transposes the square block of `source` that starts at `from`, rows `stride` apart, into rows of `target`,
    /// `width` apart.
    public void transpose(float[] source, int from, int stride, float[] target, int at, int width) {
        boolean done = LANES == 4;
        exchangeArray(source, from, stride, done ? target : block, done ? at : 0, done ? width : LANES);
        if (LANES == 16) {
            exchangeTwice(block, target, at, width);
        } else if (LANES == 8) {
            exchangeOnce(block, target, at, width);
        }
    }

    private static void exchangeFloats(
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
            exchangeQuarters(a, b, c, d, target, at + i * width, width);
        }
    }

    private static void exchangeArray(float[] source, int from, int stride, float[] target, int at, int width) {
        for (int i = 0; i < QUARTER; i++) {
            FloatVector a = FloatVector.fromArray(FLOATS, source, from + i * stride);
            FloatVector b = FloatVector.fromArray(FLOATS, source, from + (i + QUARTER) * stride);
            FloatVector c = FloatVector.fromArray(FLOATS, source, from + (i + 2 * QUARTER) * stride);
            FloatVector d = FloatVector.fromArray(FLOATS, source, from + (i + 3 * QUARTER) * stride);
            exchangeQuarters(a, b, c, d, target, at + i * width, width);
        }
    }

    private static void exchangeBf16(
            MemorySegment data, long start, int stride, int last, float[] target, int at, int width) {
        for (int i = 0; i < QUARTER; i++) {
            FloatVector a = loadBf16(data, start + (long) Math.min(i, last) * stride);
            FloatVector b = loadBf16(data, start + (long) Math.min(i + QUARTER, last) * stride);
            FloatVector c = loadBf16(data, start + (long) Math.min(i + 2 * QUARTER, last) * stride);
            FloatVector d = loadBf16(data, start + (long) Math.min(i + 3 * QUARTER, last) * stride);
            exchangeQuarters(a, b, c, d, target, at + i * width, width);
        }
    }

    /// The first two rounds of a transposition, for rows a quarter of the block apart.
    private static void exchangeQuarters(
            FloatVector a, FloatVector b, FloatVector c, FloatVector d, float[] target, int to, int width) {
        FloatVector a1 = a.blend(c.rearrange(UP_HALF), UPPER_HALF);
        FloatVector c1 = a.rearrange(DOWN_HALF).blend(c, UPPER_HALF);
        FloatVector b1 = b.blend(d.rearrange(UP_HALF), UPPER_HALF);
        FloatVector d1 = b.rearrange(DOWN_HALF).blend(d, UPPER_HALF);
        FloatVector a2 = a1.blend(b1.rearrange(UP_QUARTER), UPPER_QUARTER);
        FloatVector b2 = a1.rearrange(DOWN_QUARTER).blend(b1, UPPER_QUARTER);
        FloatVector c2 = c1.blend(d1.rearrange(UP_QUARTER), UPPER_QUARTER);
        FloatVector d2 = c1.rearrange(DOWN_QUARTER).blend(d1, UPPER_QUARTER);
        a2.intoArray(target, to);
        b2.intoArray(target, to + QUARTER * width);
        c2.intoArray(target, to + 2 * QUARTER * width);
        d2.intoArray(target, to + 3 * QUARTER * width);
    }

    private static void exchangeTwice(float[] source, float[] target, int at, int width) {
        for (int i = 0; i < QUARTER; i++) {
            FloatVector a = FloatVector.fromArray(FLOATS, source, 4 * i * LANES);
            FloatVector b = FloatVector.fromArray(FLOATS, source, (4 * i + 1) * LANES);
            FloatVector c = FloatVector.fromArray(FLOATS, source, (4 * i + 2) * LANES);
            FloatVector d = FloatVector.fromArray(FLOATS, source, (4 * i + 3) * LANES);
            FloatVector a1 = a.blend(c.rearrange(UP_TWO), UPPER_TWO);
            FloatVector c1 = a.rearrange(DOWN_TWO).blend(c, UPPER_TWO);
            FloatVector b1 = b.blend(d.rearrange(UP_TWO), UPPER_TWO);
            FloatVector d1 = b.rearrange(DOWN_TWO).blend(d, UPPER_TWO);
            FloatVector a2 = a1.blend(b1.rearrange(UP_ONE), UPPER_ONE);
            FloatVector b2 = a1.rearrange(DOWN_ONE).blend(b1, UPPER_ONE);
            FloatVector c2 = c1.blend(d1.rearrange(UP_ONE), UPPER_ONE);
            FloatVector d2 = c1.rearrange(DOWN_ONE).blend(d1, UPPER_ONE);
            int to = at + 4 * i * width;
            a2.intoArray(target, to);
            b2.intoArray(target, to + width);
            c2.intoArray(target, to + 2 * width);
            d2.intoArray(target, to + 3 * width);
        }
    }

    /// A register of bf16 elements as floats.
    static FloatVector loadBf16(MemorySegment data, long at) {
        IntVector bits = (IntVector) ShortVector.fromMemorySegment(SHORTS, data, at * 2, ORDER)
                .convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0);
        return bits.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
    }

    private static void exchangeOnce(float[] source, float[] target, int at, int width) {
        for (int i = 0; i < LANES / 2; i++) {
            FloatVector a = FloatVector.fromArray(FLOATS, source, 2 * i * LANES);
            FloatVector b = FloatVector.fromArray(FLOATS, source, (2 * i + 1) * LANES);
            a.blend(b.rearrange(UP_ONE), UPPER_ONE).intoArray(target, at + 2 * i * width);
            a.rearrange(DOWN_ONE).blend(b, UPPER_ONE).intoArray(target, at + (2 * i + 1) * width);
        }
    }
}
