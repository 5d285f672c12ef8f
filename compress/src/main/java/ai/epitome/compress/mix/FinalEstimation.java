package ai.epitome.compress.mix;

import ai.epitome.compress.BitPredictor;

/// Adaptive probability map (secondary symbol estimation): refines a probability in a context by what came of such
/// probabilities before, between knots of the stretched scale by straight lines.
final class FinalEstimation {
    /// Stretched units between knots.
    private static final int SPACING = 128;
    private static final int KNOTS = 2 * Logistic.LIMIT / SPACING + 2;

    private final char[] refined;
    private final int shift;
    private int at;

    /// @param shift an estimate moves by `2^-shift` towards the bit
    FinalEstimation(int contexts, int shift) {
        this.refined = new char[contexts * KNOTS];
        this.shift = shift;
        for (int i = 0; i < refined.length; i++) {
            int stretched = i % KNOTS * SPACING - Logistic.LIMIT;
            refined[i] = (char) Logistic.squash(stretched << Logistic.FINE_BITS);
        }
    }

    /// @return the refined probability, 1 to ONE - 1
    int refine(int stretched, int context) {
        int shifted = stretched + Logistic.LIMIT;
        int knot = shifted / SPACING;
        int fraction = shifted % SPACING;
        int low = context * KNOTS + knot;
        at = fraction < SPACING / 2 ? low : low + 1;
        int probability = (refined[low] * (SPACING - fraction) + refined[low + 1] * fraction) / SPACING;
        return Math.clamp(probability, 1, BitPredictor.ONE - 1);
    }

    void update(int bit) {
        int target = bit == 1 ? BitPredictor.ONE - 1 : 0;
        refined[at] += (char) ((target - refined[at]) >> shift);
    }
}
