package ai.epitome.tensor.format;

import ai.epitome.tensor.VectorMath;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/// Looks for the scales of groups of weights, one group in each lane of a register.
///
/// A group's values `x` become levels `q` of `least + scale * q`. For each of some twenty divisions of the
/// group's range into levels, values are rounded to them, and weighted least squares give the scale and the
/// least value that fit these levels best; of all, those of the smallest error are kept. The error follows
/// from the same sums as the fit:
///
/// ```text
/// error = Σ w x² - scale Σ w q x - least Σ w x
/// ```
///
/// Lanes never meet, so the result is the same for any width of registers. The idea of fitting scales to rounded levels
/// is that of ggml's K-quants (Kawrakow 2023, llama.cpp #1684).
final class ScaleSearch {
    private static final VectorSpecies<Float> FLOATS = VectorMath.FLOATS;
    /// Groups that are searched side by side.
    static final int LANES = FLOATS.length();
    /// Added and taken away again, it rounds what is below 2^22 to whole numbers, ties to even.
    private static final FloatVector ROUND = FloatVector.broadcast(FLOATS, 0x1.8p23f);

    /// Variance of the levels beside their mean square below which a determinant may be rounding alone.
    private static final float LEAST_SPREAD = 1e-5f;

    /// Values of a group.
    private final int size;
    /// The lowest and the highest level.
    private final float lowest;

    private final float highest;

    /// Value `i` of the group in lane `l` at `i * LANES + l`.
    final float[] values;

    private final float[] weights;
    private final float[] levels;
    /// The best found so far: scales, least values (no greater than 0), and errors.
    final float[] scales = new float[LANES];

    final float[] leasts = new float[LANES];
    private final float[] errors = new float[LANES];

    private final float[] weightSum = new float[LANES];
    private final float[] valueSum = new float[LANES];
    private final float[] squareSum = new float[LANES];
    private final float[] minima = new float[LANES];
    private final float[] maxima = new float[LANES];
    private final float[] from = new float[LANES];
    private final float[] inverse = new float[LANES];

    /// @param lowest level: 0 for groups with a least value, below for those that are symmetric
    ScaleSearch(int size, int lowest, int highest) {
        this.size = size;
        this.lowest = lowest;
        this.highest = highest;
        values = new float[size * LANES];
        weights = new float[size * LANES];
        levels = new float[size * LANES];
    }

    /// Fits `least + scale * q` to the groups in [#values].
    void fitWithLeast() {
        weigh();
        for (int lane = 0; lane < LANES; lane++) {
            float flat = weightSum[lane] > 0 ? Math.min(0, valueSum[lane] / weightSum[lane]) : 0; // or all zeros
            scales[lane] = 0;
            leasts[lane] = flat;
            errors[lane] = squareSum[lane] - flat * valueSum[lane];
        }
        for (int lane = 0; lane < LANES; lane++) {
            from[lane] = Math.min(0, minima[lane]);
            inverse[lane] = 1 / (maxima[lane] - from[lane]);
        }
        for (int step = -10; step <= 10; step++) {
            tryWithLeast(from, inverse, highest + step / 10f);
        }
        for (int again = 0; again < 2; again++) {
            for (int lane = 0; lane < LANES; lane++) {
                inverse[lane] = 1 / scales[lane];
            }
            tryWithLeast(leasts, inverse, 1);
        }
    }

    /// Fits `scale * q` to the groups in [#values]; scales may be negative, since there is one level more below 0.
    void fitSymmetric() {
        weigh();
        Arrays.fill(scales, 0);
        System.arraycopy(squareSum, 0, errors, 0, LANES);
        for (int lane = 0; lane < LANES; lane++) {
            inverse[lane] = 1 / (maxima[lane] > -minima[lane] ? maxima[lane] : minima[lane]);
        }
        for (int step = -9; step <= 9; step++) {
            trySymmetric(inverse, lowest - step / 10f);
        }
        for (int again = 0; again < 2; again++) {
            for (int lane = 0; lane < LANES; lane++) {
                inverse[lane] = 1 / scales[lane];
            }
            trySymmetric(inverse, 1);
        }
    }

    /// Large weights matter more: their products are larger.
    private void weigh() {
        sumSquares();
        for (int lane = 0; lane < LANES; lane++) {
            from[lane] = (float) Math.sqrt(squareSum[lane] / size);
        }
        sumWeighted(from);
    }

    private void sumSquares() {
        FloatVector squares = FloatVector.zero(FLOATS);
        FloatVector least = FloatVector.fromArray(FLOATS, values, 0);
        FloatVector most = least;
        for (int i = 0; i < size; i++) {
            FloatVector x = FloatVector.fromArray(FLOATS, values, i * LANES);
            squares = x.fma(x, squares);
            least = least.min(x);
            most = most.max(x);
        }
        squares.intoArray(squareSum, 0);
        least.intoArray(minima, 0);
        most.intoArray(maxima, 0);
    }

    private void sumWeighted(float[] typical) {
        FloatVector base = FloatVector.fromArray(FLOATS, typical, 0);
        FloatVector sum = FloatVector.zero(FLOATS);
        FloatVector sumValues = sum;
        FloatVector sumSquares = sum;
        for (int i = 0; i < size; i++) {
            FloatVector x = FloatVector.fromArray(FLOATS, values, i * LANES);
            FloatVector w = x.lanewise(VectorOperators.ABS).add(base);
            w.intoArray(weights, i * LANES);
            FloatVector wx = w.mul(x);
            sum = sum.add(w);
            sumValues = sumValues.add(wx);
            sumSquares = wx.fma(x, sumSquares);
        }
        sum.intoArray(weightSum, 0);
        sumValues.intoArray(valueSum, 0);
        sumSquares.intoArray(squareSum, 0);
    }

    /// @param steps levels of the whole range
    private void tryWithLeast(float[] start, float[] perRange, float steps) {
        FloatVector low = FloatVector.fromArray(FLOATS, start, 0);
        FloatVector per = FloatVector.fromArray(FLOATS, perRange, 0).mul(steps);
        FloatVector q1 = FloatVector.zero(FLOATS);
        FloatVector q2 = q1;
        FloatVector qx = q1;
        for (int i = 0; i < size; i++) {
            FloatVector x = FloatVector.fromArray(FLOATS, values, i * LANES);
            FloatVector q = x.sub(low).mul(per).add(ROUND).sub(ROUND).max(0f).min(highest);
            FloatVector wq = FloatVector.fromArray(FLOATS, weights, i * LANES).mul(q);
            q1 = q1.add(wq);
            q2 = wq.fma(q, q2);
            qx = wq.fma(x, qx);
        }
        keepWithLeast(q1, q2, qx);
    }

    /// Where the fit has a least value above 0, one of 0 fits best; likewise where all values got one level, so that no
    /// line is determined.
    private void keepWithLeast(FloatVector q1, FloatVector q2, FloatVector qx) {
        FloatVector w1 = FloatVector.fromArray(FLOATS, weightSum, 0);
        FloatVector x1 = FloatVector.fromArray(FLOATS, valueSum, 0);
        FloatVector determinant = w1.mul(q2).sub(q1.mul(q1));
        FloatVector scale = w1.mul(qx).sub(x1.mul(q1)).div(determinant);
        FloatVector least = q2.mul(x1).sub(q1.mul(qx)).div(determinant);
        VectorMask<Float> determined =
                determinant.compare(VectorOperators.GT, w1.mul(q2).mul(LEAST_SPREAD));
        VectorMask<Float> fromZero = least.compare(VectorOperators.GT, 0f).or(determined.not());
        scale = scale.blend(qx.div(q2), fromZero);
        least = least.blend(0f, fromZero);
        FloatVector error =
                FloatVector.fromArray(FLOATS, squareSum, 0).sub(scale.mul(qx)).sub(least.mul(x1));
        FloatVector before = FloatVector.fromArray(FLOATS, errors, 0);
        VectorMask<Float> better = error.compare(VectorOperators.LT, before);
        before.blend(error, better).intoArray(errors, 0);
        FloatVector.fromArray(FLOATS, scales, 0).blend(scale, better).intoArray(scales, 0);
        FloatVector.fromArray(FLOATS, leasts, 0).blend(least, better).intoArray(leasts, 0);
    }

    private void trySymmetric(float[] perRange, float steps) {
        FloatVector per = FloatVector.fromArray(FLOATS, perRange, 0).mul(steps);
        FloatVector q2 = FloatVector.zero(FLOATS);
        FloatVector qx = q2;
        for (int i = 0; i < size; i++) {
            FloatVector x = FloatVector.fromArray(FLOATS, values, i * LANES);
            FloatVector q = x.mul(per).add(ROUND).sub(ROUND).max(lowest).min(highest);
            FloatVector wq = FloatVector.fromArray(FLOATS, weights, i * LANES).mul(q);
            q2 = wq.fma(q, q2);
            qx = wq.fma(x, qx);
        }
        FloatVector scale = qx.div(q2);
        FloatVector error = FloatVector.fromArray(FLOATS, squareSum, 0).sub(scale.mul(qx));
        FloatVector before = FloatVector.fromArray(FLOATS, errors, 0);
        VectorMask<Float> better = error.compare(VectorOperators.LT, before);
        before.blend(error, better).intoArray(errors, 0);
        FloatVector.fromArray(FLOATS, scales, 0).blend(scale, better).intoArray(scales, 0);
    }

    /// The errors of groups with these scales and least values, exactly.
    void measure(float[] scale, float[] least, float[] error) {
        invert(scale);
        FloatVector s = FloatVector.fromArray(FLOATS, scale, 0);
        FloatVector low = FloatVector.fromArray(FLOATS, least, 0);
        FloatVector per = FloatVector.fromArray(FLOATS, inverse, 0);
        FloatVector sum = FloatVector.zero(FLOATS);
        for (int i = 0; i < size; i++) {
            FloatVector x = FloatVector.fromArray(FLOATS, values, i * LANES);
            FloatVector q =
                    x.sub(low).mul(per).add(ROUND).sub(ROUND).max(lowest).min(highest);
            FloatVector off = q.fma(s, low).sub(x);
            sum = FloatVector.fromArray(FLOATS, weights, i * LANES).mul(off).fma(off, sum);
        }
        sum.intoArray(error, 0);
    }

    /// The levels of all values, in the places of [#values]; valid until the next call.
    float[] round(float[] scale, float[] least) {
        invert(scale);
        FloatVector low = FloatVector.fromArray(FLOATS, least, 0);
        FloatVector per = FloatVector.fromArray(FLOATS, inverse, 0);
        for (int i = 0; i < size; i++) {
            FloatVector.fromArray(FLOATS, values, i * LANES)
                    .sub(low)
                    .mul(per)
                    .add(ROUND)
                    .sub(ROUND)
                    .max(lowest)
                    .min(highest)
                    .intoArray(levels, i * LANES);
        }
        return levels;
    }

    private void invert(float[] scale) {
        for (int lane = 0; lane < LANES; lane++) {
            inverse[lane] = scale[lane] == 0 ? 0 : 1 / scale[lane];
        }
    }
}
