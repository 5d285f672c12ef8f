package ai.epitome.train.reinforce;

/// Estimates of `KL(policy, reference)` from one token that the policy sampled, with the log-ratio `d = log p - log
/// ref` (Schulman 2020, "Approximating KL Divergence"). Summed up over an answer they estimate that of whole answers.
public enum Divergence {
    /// `d`: without bias, and of large variance; may be negative.
    K1 {
        @Override
        public double of(double policy, double reference) {
            return policy - reference;
        }
    },
    /// `d^2 / 2`: biased, of small variance.
    K2 {
        @Override
        public double of(double policy, double reference) {
            double d = policy - reference;
            return d * d / 2;
        }
    },
    /// `exp(-d) - 1 + d`: without bias, never negative.
    K3 {
        @Override
        public double of(double policy, double reference) {
            double d = policy - reference;
            return Math.expm1(-d) + d;
        }
    };

    /// @param policy log-probability of the token
    /// @param reference its log-probability under the reference
    public abstract double of(double policy, double reference);
}
