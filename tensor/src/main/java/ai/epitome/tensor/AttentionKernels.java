package ai.epitome.tensor;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/// The row loops of [AttentionOperation]: from a row of an f32 tile, off the heap, to a float array.
///
/// A row attends to the keys in `[low, high)`. Tiles have rows of whole registers, so that loops have no tail: lanes
/// outside the range are masked out, and what lies there in the tile is never used.
final class AttentionKernels {
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final int LANES = FLOATS.length();
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final FloatVector INDEX = FloatVector.zero(FLOATS).addIndex(1);
    private static final FloatVector LOWEST = FloatVector.broadcast(FLOATS, Float.NEGATIVE_INFINITY);

    private AttentionKernels() {}

    /// `columns`, rounded up to whole registers: the columns that a tile needs.
    static int padded(int columns) {
        return (columns + LANES - 1) / LANES * LANES;
    }

    /// The largest of the scores in `[low, high)` of the row that begins at byte `row`.
    static float maximum(MemorySegment scores, long row, int low, int high) {
        FloatVector maximum = LOWEST;
        for (int i = low / LANES * LANES; i < high; i += LANES) {
            FloatVector x = FloatVector.fromMemorySegment(FLOATS, scores, row + 4L * i, ORDER);
            maximum = maximum.max(LOWEST.blend(x, within(low - i, high - i)));
        }
        return maximum.reduceLanes(VectorOperators.MAX);
    }

    /// `target[0..width) = exp(scores * scale - shift)` in `[low, high)` and 0 elsewhere; returns the sum.
    static float exponentials(
            MemorySegment scores, long row, float[] target, float scale, float shift, int low, int high, int width) {
        int first = low / LANES * LANES;
        Arrays.fill(target, 0, first, 0f);
        FloatVector factor = FloatVector.broadcast(FLOATS, scale);
        FloatVector offset = FloatVector.broadcast(FLOATS, -shift);
        FloatVector zero = FloatVector.zero(FLOATS);
        FloatVector sum = zero;
        int i = first;
        for (; i < high; i += LANES) {
            FloatVector x = FloatVector.fromMemorySegment(FLOATS, scores, row + 4L * i, ORDER);
            FloatVector e = zero.blend(VectorMath.exp(x.fma(factor, offset)), within(low - i, high - i));
            e.intoArray(target, i);
            sum = sum.add(e);
        }
        if (i < width) {
            Arrays.fill(target, i, width, 0f);
        }
        return VectorMath.sum(sum);
    }

    /// `target[0..width) = probabilities * (gradients - along) * scale`, 0 where the probability is 0.
    static void scoreGradients(
            MemorySegment gradients,
            long row,
            float[] probabilities,
            float[] target,
            float along,
            float scale,
            int low,
            int high,
            int width) {
        int first = low / LANES * LANES;
        Arrays.fill(target, 0, first, 0f);
        FloatVector zero = FloatVector.zero(FLOATS);
        int i = first;
        for (; i < high; i += LANES) {
            FloatVector x = FloatVector.fromMemorySegment(FLOATS, gradients, row + 4L * i, ORDER);
            FloatVector p = FloatVector.fromArray(FLOATS, probabilities, i).mul(scale);
            zero.blend(x.sub(along).mul(p), within(low - i, high - i)).intoArray(target, i);
        }
        if (i < width) {
            Arrays.fill(target, i, width, 0f);
        }
    }

    /// Lanes from `low` (inclusive) to `high` (exclusive).
    private static VectorMask<Float> within(int low, int high) {
        return INDEX.compare(VectorOperators.GE, low).and(INDEX.compare(VectorOperators.LT, high));
    }
}
