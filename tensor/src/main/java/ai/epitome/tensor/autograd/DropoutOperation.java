package ai.epitome.tensor.autograd;

import ai.epitome.tensor.Rows;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.VectorMath;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/// Dropout (Srivastava et al. 2014), scaled in training. Whether element i survives is a hash of (seed, i), so that
/// the way back needs no mask in memory and a step repeats exactly, on any number of threads.
final class DropoutOperation {
    private static final VectorSpecies<Float> FLOATS = VectorMath.FLOATS;
    private static final VectorSpecies<Integer> INTS = FLOATS.withLanes(int.class);
    private static final int LANES = FLOATS.length();
    private static final IntVector STEPS = IntVector.zero(INTS).addIndex(1);

    private DropoutOperation() {}

    static Tensor apply(Tape tape, Tensor x, float probability, long seed) {
        if (!(probability >= 0f && probability < 1f)) {
            throw new IllegalArgumentException("dropout probability must be in [0, 1), not " + probability);
        }
        if (probability == 0f) {
            return x;
        }
        Tensor y = tape.allocate(x.dtype(), x.shape());
        ActivationOperation.blocks(tape, x.size(), (from, count, scratch) -> {
            float[] values = scratch.floats(0, count);
            Rows.load(x, from, values, count);
            drop(values, count, from, seed, probability);
            Rows.store(values, y, from, count);
        });
        tape.record(y, x.requiresGradient(), () -> {
            boolean accumulate = x.gradient() != null;
            Tensor dx = tape.gradientOf(x);
            ActivationOperation.blocks(tape, x.size(), (from, count, scratch) -> {
                float[] gradient = scratch.floats(0, count);
                Rows.load(y.gradient(), from, gradient, count);
                drop(gradient, count, from, seed, probability);
                Rows.put(gradient, dx, from, count, accumulate, scratch.floats(1, count));
            });
        });
        return y;
    }

    /// Zeroes the elements that element indices `from ...` say, and scales the others by `1 / (1 - probability)`.
    static void drop(float[] x, int count, long from, long seed, float probability) {
        // A block's key folds the seed and the block; within a block 32 bits of index are enough.
        int key = (int) mix(seed ^ mix(from));
        int threshold = (int) (probability * (1L << 31));
        float keep = 1f / (1f - probability);
        int i = 0;
        for (int bound = FLOATS.loopBound(count); i < bound; i += LANES) {
            IntVector h = STEPS.add(i).mul(0x9E3779B9).add(key);
            h = h.lanewise(VectorOperators.XOR, h.lanewise(VectorOperators.LSHR, 16))
                    .mul(0x85EBCA6B);
            h = h.lanewise(VectorOperators.XOR, h.lanewise(VectorOperators.LSHR, 15))
                    .mul(0x2C1B3C6D);
            h = h.lanewise(VectorOperators.XOR, h.lanewise(VectorOperators.LSHR, 12))
                    .mul(0x297A2D39);
            h = h.lanewise(VectorOperators.LSHR, 1);
            FloatVector v = FloatVector.fromArray(FLOATS, x, i).mul(keep);
            v.blend(
                            FloatVector.zero(FLOATS),
                            h.compare(VectorOperators.LT, threshold).cast(FLOATS))
                    .intoArray(x, i);
        }
        for (; i < count; i++) {
            int h = i * 0x9E3779B9 + key;
            h = (h ^ (h >>> 16)) * 0x85EBCA6B;
            h = (h ^ (h >>> 15)) * 0x2C1B3C6D;
            h = ((h ^ (h >>> 12)) * 0x297A2D39) >>> 1;
            x[i] = h < threshold ? 0f : x[i] * keep;
        }
    }

    /// The finaliser of SplitMix64 (Steele et al. 2014).
    static long mix(long z) {
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
