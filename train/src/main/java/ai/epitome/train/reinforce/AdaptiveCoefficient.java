package ai.epitome.train.reinforce;

/// The price of leaving the reference, which follows how far the policy is from where it should be (Ziegler et al.
/// 2019, section 2.2): `e = clip(KL / target - 1, -0.2, 0.2)`, `beta <- beta (1 + e n / horizon)`.
///
/// @param beta the price of a nat now, above 0
/// @param target nats of an answer
/// @param horizon answers in which the price follows
public record AdaptiveCoefficient(double beta, double target, double horizon) {
    private static final double MOST_ERROR = 0.2;

    public AdaptiveCoefficient {
        if (!(beta > 0 && target > 0 && horizon > 0)) {
            throw new IllegalArgumentException(
                    "a coefficient, its target and its horizon must be above 0, not %s, %s, %s"
                            .formatted(beta, target, horizon));
        }
    }

    /// After `answers` more answers with this mean divergence.
    ///
    /// @throws IllegalArgumentException if it is not finite, or there are more answers than the horizon allows
    public AdaptiveCoefficient after(double divergence, long answers) {
        if (!Double.isFinite(divergence) || answers < 0 || answers >= horizon / MOST_ERROR) {
            throw new IllegalArgumentException(
                    "a divergence of %s over %d answers, with a horizon of %s".formatted(divergence, answers, horizon));
        }
        double error = Math.clamp(divergence / target - 1, -MOST_ERROR, MOST_ERROR);
        return new AdaptiveCoefficient(beta * (1 + error * answers / horizon), target, horizon);
    }
}
