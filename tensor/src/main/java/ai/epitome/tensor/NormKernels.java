package ai.epitome.tensor;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// The row loops of [NormOperation] and [RotaryOperation].
final class NormKernels {
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final int LANES = FLOATS.length();

    private NormKernels() {}

    /// `x -= value`.
    static void subtract(float[] x, float value, int count) {
        if (value == 0f) {
            return;
        }
        int i = 0;
        for (int bound = FLOATS.loopBound(count); i < bound; i += LANES) {
            FloatVector.fromArray(FLOATS, x, i).sub(value).intoArray(x, i);
        }
        for (; i < count; i++) {
            x[i] -= value;
        }
    }

    /// `x = x * scale * gain + bias`.
    static void scaleAndShift(float[] x, float scale, float[] gain, float[] bias, int count) {
        int i = 0;
        for (int bound = FLOATS.loopBound(count); i < bound; i += LANES) {
            FloatVector.fromArray(FLOATS, x, i)
                    .mul(scale)
                    .fma(FloatVector.fromArray(FLOATS, gain, i), FloatVector.fromArray(FLOATS, bias, i))
                    .intoArray(x, i);
        }
        for (; i < count; i++) {
            x[i] = Math.fma(x[i] * scale, gain[i], bias[i]);
        }
    }

    /// `x = (x - mean) * scale`.
    static void normalise(float[] x, float mean, float scale, int count) {
        int i = 0;
        for (int bound = FLOATS.loopBound(count); i < bound; i += LANES) {
            FloatVector.fromArray(FLOATS, x, i).sub(mean).mul(scale).intoArray(x, i);
        }
        for (; i < count; i++) {
            x[i] = (x[i] - mean) * scale;
        }
    }

    /// `x *= y`.
    static void multiply(float[] x, float[] y, int count) {
        int i = 0;
        for (int bound = FLOATS.loopBound(count); i < bound; i += LANES) {
            FloatVector.fromArray(FLOATS, x, i)
                    .mul(FloatVector.fromArray(FLOATS, y, i))
                    .intoArray(x, i);
        }
        for (; i < count; i++) {
            x[i] *= y[i];
        }
    }

    /// `x[xFrom..] = x[xFrom..] * scale * gain[0..count)`, for one head of a row.
    static void scaleHead(float[] x, int from, float scale, float[] gain, int count) {
        int i = 0;
        for (int bound = FLOATS.loopBound(count); i < bound; i += LANES) {
            FloatVector.fromArray(FLOATS, x, from + i)
                    .mul(scale)
                    .mul(FloatVector.fromArray(FLOATS, gain, i))
                    .intoArray(x, from + i);
        }
        for (; i < count; i++) {
            x[from + i] *= scale * gain[i];
        }
    }

    /// `sums += x * y`.
    static void addProducts(float[] sums, float[] x, float[] y, int count) {
        addProducts(sums, x, 0, y, 0, count);
    }

    static void addProducts(float[] sums, float[] x, int xFrom, float[] y, int yFrom, int count) {
        int i = 0;
        for (int bound = FLOATS.loopBound(count); i < bound; i += LANES) {
            FloatVector.fromArray(FLOATS, x, xFrom + i)
                    .fma(FloatVector.fromArray(FLOATS, y, yFrom + i), FloatVector.fromArray(FLOATS, sums, i))
                    .intoArray(sums, i);
        }
        for (; i < count; i++) {
            sums[i] = Math.fma(x[xFrom + i], y[yFrom + i], sums[i]);
        }
    }

    /// `gradient = scale * (gradient - normed * along - average)`.
    static void inputGradient(
            float[] gradient,
            int gradientFrom,
            float[] normed,
            int normedFrom,
            float scale,
            float along,
            float average,
            int count) {
        FloatVector minusAlong = FloatVector.broadcast(FLOATS, -along);
        int i = 0;
        for (int bound = FLOATS.loopBound(count); i < bound; i += LANES) {
            FloatVector.fromArray(FLOATS, normed, normedFrom + i)
                    .fma(minusAlong, FloatVector.fromArray(FLOATS, gradient, gradientFrom + i))
                    .sub(average)
                    .mul(scale)
                    .intoArray(gradient, gradientFrom + i);
        }
        for (; i < count; i++) {
            gradient[gradientFrom + i] =
                    scale * (Math.fma(normed[normedFrom + i], -along, gradient[gradientFrom + i]) - average);
        }
    }
}
