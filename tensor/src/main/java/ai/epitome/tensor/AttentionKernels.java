package ai.epitome.tensor;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// The row loops of [AttentionOperation].
final class AttentionKernels {
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final int LANES = FLOATS.length();

    private AttentionKernels() {}

    /// `x = exp(x * scale - shift)`; returns the sum.
    static float exponentials(float[] x, float scale, float shift, int count) {
        FloatVector factor = FloatVector.broadcast(FLOATS, scale);
        FloatVector offset = FloatVector.broadcast(FLOATS, -shift);
        FloatVector sum = FloatVector.zero(FLOATS);
        int i = 0;
        for (int bound = FLOATS.loopBound(count); i < bound; i += LANES) {
            FloatVector e = VectorMath.exp(FloatVector.fromArray(FLOATS, x, i).fma(factor, offset));
            e.intoArray(x, i);
            sum = sum.add(e);
        }
        float total = VectorMath.sum(sum);
        for (; i < count; i++) {
            x[i] = VectorMath.exp(Math.fma(x[i], scale, -shift));
            total += x[i];
        }
        return total;
    }

    /// `gradient = probabilities * (gradient - along) * scale`.
    static void scoreGradient(float[] gradient, float[] probabilities, float along, float scale, int count) {
        int i = 0;
        for (int bound = FLOATS.loopBound(count); i < bound; i += LANES) {
            FloatVector.fromArray(FLOATS, gradient, i)
                    .sub(along)
                    .mul(FloatVector.fromArray(FLOATS, probabilities, i))
                    .mul(scale)
                    .intoArray(gradient, i);
        }
        for (; i < count; i++) {
            gradient[i] = (gradient[i] - along) * probabilities[i] * scale;
        }
    }
}
