package ai.epitome.tensor.autograd;

import ai.epitome.tensor.Bf16;
import ai.epitome.tensor.DType;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.VectorMath;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// The row loops of [NormOperation] and [RotaryOperation].
final class NormKernels {
    private static final VectorSpecies<Float> FLOATS = VectorMath.FLOATS;
    private static final int LANES = FLOATS.length();
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();

    private NormKernels() {}

    /// Whether [#backwardRow] can do rows of these tensors: the residual stream in f32, its branches in bf16.
    static boolean fits(Tensor x, Tensor dy) {
        return x.columns() % LANES == 0 && x.dtype() == DType.F32 && dy.dtype() == DType.BF16;
    }

    /// The way back of one row from memory to memory: adds `dy · x̂` to `sums`, and writes or adds to `dx`
    /// `scale · (g - x̂ · avg(g · x̂) - avg(g))`, `g = dy · gain`; the last term for centred norms only.
    ///
    /// @param start element index of the row
    /// @param normed memory for `x̂`
    /// @param gradient memory for `g`
    static void backwardRow(
            MemorySegment x,
            MemorySegment dy,
            MemorySegment dx,
            long start,
            float mean,
            float scale,
            float[] gains,
            float[] sums,
            float[] normed,
            float[] gradient,
            boolean centred,
            boolean accumulate,
            int count) {
        FloatVector along = FloatVector.zero(FLOATS);
        FloatVector total = FloatVector.zero(FLOATS);
        for (int i = 0; i < count; i += LANES) {
            FloatVector v = FloatVector.fromMemorySegment(FLOATS, x, (start + i) * 4, ORDER)
                    .sub(mean)
                    .mul(scale);
            FloatVector d = Bf16.vector(dy, start + i);
            d.fma(v, FloatVector.fromArray(FLOATS, sums, i)).intoArray(sums, i);
            FloatVector g = d.mul(FloatVector.fromArray(FLOATS, gains, i));
            along = g.fma(v, along);
            total = total.add(g);
            v.intoArray(normed, i);
            g.intoArray(gradient, i);
        }
        FloatVector minusAlong = FloatVector.broadcast(FLOATS, -VectorMath.sum(along) / count);
        FloatVector average = FloatVector.broadcast(FLOATS, centred ? VectorMath.sum(total) / count : 0f);
        FloatVector factor = FloatVector.broadcast(FLOATS, scale);
        for (int i = 0; i < count; i += LANES) {
            FloatVector g = FloatVector.fromArray(FLOATS, gradient, i).sub(average);
            FloatVector result =
                    FloatVector.fromArray(FLOATS, normed, i).fma(minusAlong, g).mul(factor);
            if (accumulate) {
                result = result.add(FloatVector.fromMemorySegment(FLOATS, dx, (start + i) * 4, ORDER));
            }
            result.intoMemorySegment(dx, (start + i) * 4, ORDER);
        }
    }

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
