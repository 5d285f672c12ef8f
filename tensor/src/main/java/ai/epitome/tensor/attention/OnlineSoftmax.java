package ai.epitome.tensor.attention;

import ai.epitome.tensor.DType;
import ai.epitome.tensor.Elementwise;
import ai.epitome.tensor.Rows;
import ai.epitome.tensor.Scratch;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.VectorMath;

/// A softmax over keys that come in chunks (Milakov and Gimelshein 2018), row by row of an f32 tile: weights against
/// the largest score so far, their sum, and what they have summed up, rescaled when a larger score comes.
public final class OnlineSoftmax {
    private OnlineSoftmax() {}

    /// Turns row `r` of the scores into unnormalised weights against the running maximum. Keys outside `[low, high)`
    /// weigh nothing.
    ///
    /// @param at the row's place in `maxima` and `sums`
    public static void weighRow(
            Tensor scores,
            Tensor weights,
            int r,
            int at,
            int low,
            int high,
            float scale,
            float[] maxima,
            float[] sums,
            Tensor output,
            boolean hasOutput,
            Scratch scratch) {
        long start = 4L * r * scores.columns();
        int end = Math.max(low, high);
        AttentionKernels.mask(scores.data(), start, low, end, Float.NEGATIVE_INFINITY);
        float maximum = maxima[at];
        if (end > low) {
            maximum = Math.max(maximum, AttentionKernels.maximum(scores.data(), start, low, end) * scale);
        }
        float shift = maximum == Float.NEGATIVE_INFINITY ? 0f : maximum; // no key yet
        float sum = exponentials(scores, weights, r, scale, shift, low, end, scratch);
        if (hasOutput && maximum != maxima[at]) {
            float rescale = VectorMath.exp(maxima[at] - maximum);
            sum += sums[at] * rescale;
            int dimension = output.columns();
            float[] row = scratch.floats(4, dimension);
            Rows.load(output, (long) r * dimension, row, dimension);
            Elementwise.scale(row, rescale, dimension);
            Rows.store(row, output, (long) r * dimension, dimension);
        } else {
            sum += sums[at];
        }
        sums[at] = sum;
        maxima[at] = maximum;
    }

    private static float exponentials(
            Tensor scores, Tensor weights, int r, float scale, float shift, int low, int high, Scratch scratch) {
        int width = scores.columns();
        long start = 4L * r * width;
        if (weights.dtype() == DType.BF16) {
            return AttentionKernels.exponentialsBf16(
                    scores.data(), start, weights.data(), (long) r * width, scale, shift, low, high, width);
        }
        float[] row = scratch.floats(2, width);
        float sum = AttentionKernels.exponentials(scores.data(), start, row, scale, shift, low, high, width);
        Rows.store(row, weights, (long) r * width, width);
        return sum;
    }

    /// Writes row `r` of an f32 tile, times `factor`, to element index `at` of `target`.
    public static void storeRow(Tensor tile, int r, float factor, Tensor target, long at, Scratch scratch) {
        int count = tile.columns();
        if (AttentionKernels.fits(count, target)) {
            AttentionKernels.storeRow(tile.data(), (long) r * count, factor, target.data(), at, count);
            return;
        }
        float[] row = scratch.floats(2, count);
        Rows.load(tile, (long) r * count, row, count);
        Elementwise.scale(row, factor, count);
        Rows.store(row, target, at, count);
    }
}
