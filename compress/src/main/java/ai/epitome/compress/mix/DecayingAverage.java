package ai.epitome.compress.mix;

import ai.epitome.compress.BitPredictor;

/// An exponentially decaying average of a context's bits in eight bits: the second kind of history, which forgets
/// slowly and keeps no counts. Levels 1 to 255 stand for stretched probabilities from -8 to 8 in steps of 1/16, level 0
/// for "no bit yet". The rule: the average moves by 1/[#RATE] towards the bit, and by a level at least.
final class DecayingAverage {
    private static final int RATE = 22;
    private static final int MIDDLE = 128;
    /// Stretched units of a level.
    private static final int STEP = 16;
    /// Where a first bit leads, in levels from the middle.
    private static final int FIRST = 24;

    private static final byte[] NEXT = transitions();

    private DecayingAverage() {}

    static int next(int level, int bit) {
        return NEXT[level << 1 | bit] & 0xff;
    }

    /// Transitions by `level << 1 | bit`, for loops.
    static byte[] table() {
        return NEXT;
    }

    /// Probability of a 1 that a level stands for.
    static int prior(int level) {
        return level == 0 ? BitPredictor.ONE / 2 : Logistic.squash((level - MIDDLE) * STEP << Logistic.FINE_BITS);
    }

    private static byte[] transitions() {
        byte[] next = new byte[512];
        for (int bit = 0; bit < 2; bit++) {
            next[bit] = (byte) (MIDDLE + (bit == 1 ? FIRST : -FIRST));
            for (int level = 1; level < 256; level++) {
                int probability = prior(level);
                int moved = probability + ((bit == 1 ? BitPredictor.ONE - 1 : 1) - probability) / RATE;
                int target = MIDDLE + Math.round(Logistic.stretch(moved) / (float) STEP);
                int atLeast = bit == 1 ? Math.max(target, level + 1) : Math.min(target, level - 1);
                next[level << 1 | bit] = (byte) Math.clamp(atLeast, 1, 255);
            }
        }
        return next;
    }
}
