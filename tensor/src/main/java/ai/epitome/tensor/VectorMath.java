package ai.epitome.tensor;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/// Functions of a register of floats, in arithmetic that gives the same bits in the interpreter and in every compiled
/// form: additions, products, fused multiply-adds and integer operations only.
///
/// Every method is straight-line and small so that C2 inlines it into the loop that calls it; a call that is not
/// inlined boxes its vectors and costs a factor of ten.
public final class VectorMath {
    /// The registers of all kernels: as wide as the CPU prefers, from the 4 lanes to the 16 that the kernels are
    /// written for. Where the Java virtual machine has narrower ones, the Vector API works without any.
    public static final VectorSpecies<Float> FLOATS = VectorSpecies.of(
            float.class, VectorShape.forBitSize(Math.clamp(FloatVector.SPECIES_PREFERRED.vectorBitSize(), 128, 512)));
    public static final int LANES = FLOATS.length();

    private static final float LOG2_E = 1.442695041f;
    /// ln 2 in two parts (Cody and Waite 1980): the upper has 14 bits, so that its product with an exponent is exact.
    private static final float LN2_UPPER = 0x1.62e4p-1f;

    private static final float LN2_LOWER = 0x1.7f7d1cp-20f;
    /// 1.5 · 2^23: adding it rounds to an integer and leaves that integer in the low bits.
    private static final float ROUND = 12_582_912f;

    /// ln of the smallest normal number; below, results are flushed to zero.
    private static final float SMALLEST = -87.33654f;
    /// ln of the largest number; above, results are infinite.
    private static final float LARGEST = 88.72283f;

    private static final VectorShuffle<Float> SWAP_8 = swap(8);
    private static final VectorShuffle<Float> SWAP_4 = swap(4);
    private static final VectorShuffle<Float> SWAP_2 = swap(2);
    private static final VectorShuffle<Float> SWAP_1 = swap(1);

    // Constants are kept as registers: each `broadcast` in a loop adds nodes, and C2 stops inlining a kernel that has
    // too many of them (and then boxes its vectors).
    private static final FloatVector ONE = FloatVector.broadcast(FLOATS, 1f);
    private static final FloatVector ROUNDING = FloatVector.broadcast(FLOATS, ROUND);
    private static final FloatVector EXP_LOG2_E = FloatVector.broadcast(FLOATS, LOG2_E);
    private static final FloatVector EXP_UPPER = FloatVector.broadcast(FLOATS, -LN2_UPPER);
    private static final FloatVector EXP_LOWER = FloatVector.broadcast(FLOATS, -LN2_LOWER);
    private static final FloatVector EXP_5 = FloatVector.broadcast(FLOATS, 0.00139261840f);
    private static final FloatVector EXP_4 = FloatVector.broadcast(FLOATS, 0.00836317893f);
    private static final FloatVector EXP_3 = FloatVector.broadcast(FLOATS, 0.0416665561f);
    private static final FloatVector EXP_2 = FloatVector.broadcast(FLOATS, 0.166665763f);
    private static final FloatVector EXP_1 = FloatVector.broadcast(FLOATS, 0.5f);
    private static final FloatVector EXP_SMALLEST = FloatVector.broadcast(FLOATS, SMALLEST);
    private static final FloatVector EXP_LARGEST = FloatVector.broadcast(FLOATS, LARGEST);
    private static final FloatVector ZERO = FloatVector.zero(FLOATS);
    private static final FloatVector INFINITY = FloatVector.broadcast(FLOATS, Float.POSITIVE_INFINITY);

    private VectorMath() {}

    /// e^x to about one unit in the last place for x in [-87.3, 88.7]; 0 below, infinity above, NaN for NaN.
    ///
    /// x = n ln 2 + r with |r| at most ln 2 / 2, and e^x = 2^n e^r. The factor 2^n is added to the exponent bits;
    /// n stands ready there since the rounding.
    public static FloatVector exp(FloatVector x) {
        FloatVector shifted = x.fma(EXP_LOG2_E, ROUNDING);
        FloatVector n = shifted.sub(ROUNDING);
        FloatVector r = n.fma(EXP_LOWER, n.fma(EXP_UPPER, x));
        FloatVector p = r.fma(EXP_5, EXP_4)
                .fma(r, EXP_3)
                .fma(r, EXP_2)
                .fma(r, EXP_1)
                .fma(r, ONE)
                .fma(r, ONE);
        FloatVector scaled = p.reinterpretAsInts()
                .add(shifted.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23))
                .reinterpretAsFloats();
        return scaled.blend(ZERO, x.compare(VectorOperators.LT, EXP_SMALLEST))
                .blend(INFINITY, x.compare(VectorOperators.GT, EXP_LARGEST));
    }

    /// What [#exp(FloatVector)] computes with, for code that does the same: log2 e, the number that rounds, minus the
    /// upper and the lower part of ln 2, the polynomial from its highest coefficient on, and the least argument.
    public static float[] exponentialConstants() {
        FloatVector[] all = {
            EXP_LOG2_E, ROUNDING, EXP_UPPER, EXP_LOWER, EXP_5, EXP_4, EXP_3, EXP_2, EXP_1, ONE, EXP_SMALLEST
        };
        float[] constants = new float[all.length];
        for (int i = 0; i < all.length; i++) {
            constants[i] = all[i].lane(0);
        }
        return constants;
    }

    /// 1 / (1 + e^-x).
    public static FloatVector sigmoid(FloatVector x) {
        return ONE.div(exp(x.neg()).add(ONE));
    }

    /// tanh x to a few units in the last place: (1 - e^-2|x|) / (1 + e^-2|x|) with the sign of x, and near 0, where
    /// that cancels, an odd polynomial.
    public static FloatVector tanh(FloatVector x) {
        FloatVector absolute = x.abs();
        FloatVector e = exp(absolute.mul(-2f));
        FloatVector far = ONE.sub(e).div(ONE.add(e));
        FloatVector square = x.mul(x);
        FloatVector q = square.fma(broadcast(-0.00626850640f), broadcast(0.0211104602f));
        q = q.fma(square, broadcast(-0.0538738146f));
        q = q.fma(square, broadcast(0.133329138f));
        q = q.fma(square, broadcast(-0.333333313f)).mul(square);
        VectorMask<Float> negative = x.compare(VectorOperators.LT, 0f);
        return far.blend(far.neg(), negative).blend(q.fma(x, x), absolute.compare(VectorOperators.LT, 0.6f));
    }

    /// e^x of one float, the same bits as in a register.
    public static float exp(float x) {
        return exp(broadcast(x)).lane(0);
    }

    /// The sum of all lanes by halving. `reduceLanes(ADD)` may add in any order, and the interpreter's differs from
    /// the compiler's: a step would give other bits before and after its compilation.
    public static float sum(FloatVector x) {
        FloatVector sum = x;
        if (LANES >= 16) {
            sum = sum.add(sum.rearrange(SWAP_8));
        }
        if (LANES >= 8) {
            sum = sum.add(sum.rearrange(SWAP_4));
        }
        if (LANES >= 4) {
            sum = sum.add(sum.rearrange(SWAP_2));
        }
        return sum.add(sum.rearrange(SWAP_1)).lane(0);
    }

    private static FloatVector broadcast(float value) {
        return FloatVector.broadcast(FLOATS, value);
    }

    private static VectorShuffle<Float> swap(int distance) {
        return VectorShuffle.fromOp(FLOATS, lane -> (lane ^ distance) % LANES);
    }
}
