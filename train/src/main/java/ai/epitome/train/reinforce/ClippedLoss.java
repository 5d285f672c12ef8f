package ai.epitome.train.reinforce;

/// PPO's losses of one token (Schulman et al. 2017), which stop to reward a change that has gone far enough.
///
/// @param loss what is made small
/// @param derivative by the new log-probability, or the new value
/// @param clipped whether the limit decided
public record ClippedLoss(double loss, double derivative, boolean clipped) {
    /// `-min(r A, clip(r, 1 - range, 1 + range) A)` with the ratio `r = exp(new - old)` (equation 7).
    ///
    /// @param logProbability of the token, now
    /// @param old when it was sampled
    public static ClippedLoss ofPolicy(double logProbability, double old, double advantage, double range) {
        requireRange(range);
        double ratio = Math.exp(logProbability - old);
        double free = -ratio * advantage;
        double limited = -Math.clamp(ratio, 1 - range, 1 + range) * advantage;
        // Where both are equal the ratio is within its limits, and moves.
        return limited > free ? new ClippedLoss(limited, 0, true) : new ClippedLoss(free, free, false);
    }

    /// `max((v - R)^2, (clip(v, old - range, old + range) - R)^2) / 2`, as in OpenAI's baselines and in
    /// lm-human-preferences.
    ///
    /// @param value now
    /// @param old when the episode was sampled
    /// @param target the return
    public static ClippedLoss ofValue(double value, double old, double target, double range) {
        requireRange(range);
        double near = Math.clamp(value, old - range, old + range);
        double free = (value - target) * (value - target) / 2;
        double limited = (near - target) * (near - target) / 2;
        return limited > free ? new ClippedLoss(limited, 0, true) : new ClippedLoss(free, value - target, false);
    }

    private static void requireRange(double range) {
        if (!(range > 0)) {
            throw new IllegalArgumentException("the range of clipping must be above 0, not " + range);
        }
    }
}
