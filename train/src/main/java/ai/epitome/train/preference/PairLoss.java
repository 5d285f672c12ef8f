package ai.epitome.train.preference;

/// What one comparison costs, and how that changes with the two things that are compared.
///
/// @param loss nats
/// @param chosen derivative by the chosen answer's reward, or its log-probability
/// @param rejected derivative by the rejected answer's
public record PairLoss(double loss, double chosen, double rejected) {
    /// The reward model's loss, `-log sigmoid(r_chosen - r_rejected)`: Bradley and Terry 1952; Ouyang et al. 2022,
    /// equation 1.
    public static PairLoss ofRewards(double chosen, double rejected) {
        return of(chosen - rejected, 1, 0);
    }

    /// Direct preference optimisation: `-log sigmoid(m)` with `m = beta * ((log p_chosen - log ref_chosen) - (log
    /// p_rejected - log ref_rejected))` (Rafailov et al. 2023, equation 7).
    ///
    /// With `smoothing` above 0 a label is taken to be wrong that often: `-(1 - s) log sigmoid(m) -
    /// s log sigmoid(-m)` (Mitchell 2023, "A note on DPO with noisy preferences", equation 3).
    ///
    /// @param beta how dear it is to leave the reference, above 0
    /// @param smoothing from 0 up to below 0.5
    public static PairLoss dpo(LogProbabilities policy, LogProbabilities reference, double beta, double smoothing) {
        if (!(beta > 0) || !(smoothing >= 0 && smoothing < 0.5)) {
            throw new IllegalArgumentException(
                    "DPO needs a beta above 0 and a smoothing from 0 up to below 0.5, not %s and %s"
                            .formatted(beta, smoothing));
        }
        return of(beta * impliedMargin(policy, reference), beta, smoothing);
    }

    /// Sums over the tokens of each answer.
    public record LogProbabilities(double chosen, double rejected) {}

    /// By how much the policy prefers the chosen answer more than the reference does: DPO's implied reward is
    /// beta times this, and it is right about a pair when this is above 0.
    public static double impliedMargin(LogProbabilities policy, LogProbabilities reference) {
        return (policy.chosen - reference.chosen) - (policy.rejected - reference.rejected);
    }

    private static PairLoss of(double margin, double slope, double smoothing) {
        double loss = (1 - smoothing) * softplus(-margin) + smoothing * softplus(margin);
        double derivative = smoothing * sigmoid(margin) - (1 - smoothing) * sigmoid(-margin);
        return new PairLoss(loss, slope * derivative, -slope * derivative);
    }

    /// `log(1 + exp(x))`, also where the exponential overflows.
    private static double softplus(double x) {
        return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
    }

    private static double sigmoid(double x) {
        double small = Math.exp(-Math.abs(x));
        return x >= 0 ? 1 / (1 + small) : small / (1 + small);
    }
}
