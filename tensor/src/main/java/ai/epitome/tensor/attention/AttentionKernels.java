package ai.epitome.tensor.attention;

import ai.epitome.tensor.Bf16;
import ai.epitome.tensor.DType;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.VectorMath;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/// The row loops of attention in blocks: from a row of an f32 tile, off the heap, to a float array.
///
/// A row attends to the keys in `[low, high)`. Tiles have rows of whole registers and loops run over whole registers
/// only: [#mask] first writes a value that changes nothing to the rest of the first and the last one. (Masked vector
/// operations were measured at four times the cost.)
public final class AttentionKernels {
    private static final VectorSpecies<Float> FLOATS = VectorMath.FLOATS;
    private static final int LANES = FLOATS.length();
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();

    private AttentionKernels() {}

    /// `columns`, rounded up to whole registers: the columns that a tile needs.
    public static int padded(int columns) {
        return (columns + LANES - 1) / LANES * LANES;
    }

    /// The first column of the register that holds column `low`.
    private static int start(int low) {
        return low / LANES * LANES;
    }

    /// Sets the elements of the row's first and last register that lie outside `[low, high)` to `value`.
    public static void mask(MemorySegment tile, long row, int low, int high, float value) {
        for (int i = start(low); i < low; i++) {
            tile.set(Tensor.FLOAT, row + 4L * i, value);
        }
        int end = padded(high);
        for (int i = high; i < end; i++) {
            tile.set(Tensor.FLOAT, row + 4L * i, value);
        }
    }

    /// The largest of the masked scores of the row that begins at byte `row`.
    static float maximum(MemorySegment scores, long row, int low, int high) {
        FloatVector maximum = FloatVector.broadcast(FLOATS, Float.NEGATIVE_INFINITY);
        int end = padded(high);
        for (int i = start(low); i < end; i += LANES) {
            maximum = maximum.max(FloatVector.fromMemorySegment(FLOATS, scores, row + 4L * i, ORDER));
        }
        return maximum.reduceLanes(VectorOperators.MAX);
    }

    /// `target[0..width) = exp(scores * scale - shift)` in `[low, high)` and 0 elsewhere; returns the sum. The scores
    /// are masked with negative infinity.
    public static float exponentials(
            MemorySegment scores, long row, float[] target, float scale, float shift, int low, int high, int width) {
        int end = padded(high);
        clear(target, start(low), end, width);
        FloatVector factor = FloatVector.broadcast(FLOATS, scale);
        FloatVector offset = FloatVector.broadcast(FLOATS, -shift);
        FloatVector sum = FloatVector.zero(FLOATS);
        for (int i = start(low); i < end; i += LANES) {
            FloatVector x = FloatVector.fromMemorySegment(FLOATS, scores, row + 4L * i, ORDER);
            FloatVector e = VectorMath.exp(x.fma(factor, offset));
            e.intoArray(target, i);
            sum = sum.add(e);
        }
        return VectorMath.sum(sum);
    }

    /// `target[0..width) = probabilities * (gradients - along) * scale`, which is 0 where the probability is. The
    /// gradients are masked with a finite value.
    public static void scoreGradients(
            MemorySegment gradients,
            long row,
            float[] probabilities,
            float[] target,
            float along,
            float scale,
            int low,
            int high,
            int width) {
        int end = padded(high);
        clear(target, start(low), end, width);
        for (int i = start(low); i < end; i += LANES) {
            FloatVector x = FloatVector.fromMemorySegment(FLOATS, gradients, row + 4L * i, ORDER);
            FloatVector p = FloatVector.fromArray(FLOATS, probabilities, i);
            x.sub(along).mul(p).mul(scale).intoArray(target, i);
        }
    }

    /// `sum(x * y)` of `rows` bf16 rows of `count` elements, `stride` elements apart, from element index `at` on.
    public static void dots(
            MemorySegment x, MemorySegment y, long at, long stride, float[] target, int rows, int count) {
        for (int r = 0; r < rows; r++) {
            FloatVector sum = FloatVector.zero(FLOATS);
            for (int i = 0; i < count; i += LANES) {
                sum = Bf16.vector(x, at + r * stride + i).fma(Bf16.vector(y, at + r * stride + i), sum);
            }
            target[r] = VectorMath.sum(sum);
        }
    }

    /// Whether [#storeRow] and [#dots] can do rows of `count` elements of this tensor.
    public static boolean fits(int count, Tensor tensor) {
        return count % LANES == 0 && tensor.dtype() == DType.BF16;
    }

    /// `target[to..to + count) = source[from..from + count) * factor`, f32 to bf16, in elements.
    static void storeRow(MemorySegment source, long from, float factor, MemorySegment target, long to, int count) {
        FloatVector scale = FloatVector.broadcast(FLOATS, factor);
        for (int i = 0; i < count; i += LANES) {
            FloatVector x = FloatVector.fromMemorySegment(FLOATS, source, (from + i) * 4, ORDER);
            Bf16.into(x.mul(scale), target, to + i);
        }
    }

    /// As [#exponentials], to bf16 elements from element index `at` of `target`; the sum is that before rounding.
    public static float exponentialsBf16(
            MemorySegment scores,
            long row,
            MemorySegment target,
            long at,
            float scale,
            float shift,
            int low,
            int high,
            int width) {
        int end = padded(high);
        clear(target, at, start(low), end, width);
        FloatVector factor = FloatVector.broadcast(FLOATS, scale);
        FloatVector offset = FloatVector.broadcast(FLOATS, -shift);
        FloatVector sum = FloatVector.zero(FLOATS);
        for (int i = start(low); i < end; i += LANES) {
            FloatVector x = FloatVector.fromMemorySegment(FLOATS, scores, row + 4L * i, ORDER);
            FloatVector e = VectorMath.exp(x.fma(factor, offset));
            Bf16.into(e, target, at + i);
            sum = sum.add(e);
        }
        return VectorMath.sum(sum);
    }

    /// As [#scoreGradients], with bf16 probabilities and results at element index `at` of their memory.
    public static void scoreGradientsBf16(
            MemorySegment gradients,
            long row,
            MemorySegment probabilities,
            MemorySegment target,
            long at,
            float along,
            float scale,
            int low,
            int high,
            int width) {
        int end = padded(high);
        clear(target, at, start(low), end, width);
        FloatVector difference = FloatVector.broadcast(FLOATS, along);
        FloatVector factor = FloatVector.broadcast(FLOATS, scale);
        for (int i = start(low); i < end; i += LANES) {
            FloatVector x = FloatVector.fromMemorySegment(FLOATS, gradients, row + 4L * i, ORDER);
            FloatVector p = Bf16.vector(probabilities, at + i).mul(factor);
            Bf16.into(x.sub(difference).mul(p), target, at + i);
        }
    }

    private static void clear(MemorySegment target, long at, int from, int to, int width) {
        FloatVector zero = FloatVector.zero(FLOATS);
        for (int i = 0; i < from; i += LANES) {
            Bf16.into(zero, target, at + i);
        }
        for (int i = to; i < width; i += LANES) {
            Bf16.into(zero, target, at + i);
        }
    }

    private static void clear(float[] target, int from, int to, int width) {
        Arrays.fill(target, 0, from, 0f);
        if (to < width) {
            Arrays.fill(target, to, width, 0f);
        }
    }
}
