package ai.epitome.tensor.exact;

/// Functions of one float as fixed sequences of IEEE operations: additions, products, quotients, square roots and fused
/// multiply-adds, each correctly rounded, and operations on integers. Whoever performs them in this order gets these
/// bits; [VectorKernels] performs them on registers.
final class ExactMath {
    static final float LOG2_E = 1.442695041f;
    /// ln 2 in two parts (Cody and Waite 1980): the upper has 14 bits, so that its product with an exponent is exact.
    static final float LN2_UPPER = 0x1.62e4p-1f;

    static final float LN2_LOWER = 0x1.7f7d1cp-20f;
    /// 1.5 · 2^23: adding it rounds to an integer and leaves that integer in the low bits.
    static final float ROUND = 12_582_912f;

    /// ln of the smallest normal number; below, results are flushed to zero.
    static final float SMALLEST = -87.33654f;
    /// ln of the largest number; above, results are infinite.
    static final float LARGEST = 88.72283f;

    static final float EXP_5 = 0.00139261840f;
    static final float EXP_4 = 0.00836317893f;
    static final float EXP_3 = 0.0416665561f;
    static final float EXP_2 = 0.166665763f;

    /// Twice the square root of 2/pi.
    static final float GELU_SCALE = 1.5957691f;
    static final float GELU_CUBIC = 0.044715f;

    private ExactMath() {}

    /// e^x to about one unit in the last place; 0 below [#SMALLEST], infinity above [#LARGEST].
    ///
    /// x = n ln 2 + r with |r| at most ln 2 / 2, and e^x = 2^n e^r. The factor 2^n is added to the exponent bits;
    /// n stands ready there since the rounding.
    static float exp(float x) {
        float shifted = Math.fma(x, LOG2_E, ROUND);
        float n = shifted - ROUND;
        float r = Math.fma(n, -LN2_LOWER, Math.fma(n, -LN2_UPPER, x));
        float p = Math.fma(r, EXP_5, EXP_4);
        p = Math.fma(p, r, EXP_3);
        p = Math.fma(p, r, EXP_2);
        p = Math.fma(p, r, 0.5f);
        p = Math.fma(p, r, 1f);
        p = Math.fma(p, r, 1f);
        if (x < SMALLEST) {
            return 0f;
        }
        if (x > LARGEST) {
            return Float.POSITIVE_INFINITY;
        }
        return Float.intBitsToFloat(Float.floatToRawIntBits(p) + (Float.floatToRawIntBits(shifted) << 23));
    }

    /// 1 / (1 + e^-x).
    static float sigmoid(float x) {
        return 1f / (exp(-x) + 1f);
    }

    /// x sigmoid(x).
    static float silu(float x) {
        return x * sigmoid(x);
    }

    /// `x sigmoid(2z)`, `z = sqrt(2/pi) (x + 0.044715 x^3)` (Hendrycks and Gimpel 2016).
    static float gelu(float x) {
        float z = Math.fma(x * x, GELU_CUBIC, 1f) * x * GELU_SCALE;
        return x * sigmoid(z);
    }

    /// max(x, 0)^2.
    static float reluSquared(float x) {
        float positive = Math.max(x, 0f);
        return positive * positive;
    }

    /// The sum of 16 lanes: those 8 apart first, then 4, 2, 1.
    static float tree(float[] lanes) {
        for (int half = 8; half > 0; half /= 2) {
            for (int i = 0; i < half; i++) {
                lanes[i] += lanes[i + half];
            }
        }
        return lanes[0];
    }
}
