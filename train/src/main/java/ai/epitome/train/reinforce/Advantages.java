package ai.epitome.train.reinforce;

/// How much better than expected what was done turned out to be.
public final class Advantages {
    /// Added to deviations, so that equal numbers divide by more than zero.
    private static final double EPSILON = 1e-8;

    private Advantages() {}

    /// Generalised advantage estimation (Schulman et al. 2016, equation 16) of one episode: `A_t = sum over k of (gamma
    /// lambda)^k delta_(t+k)` with `delta_t = r_t + gamma V_(t+1) - V_t`. A value function learns the
    /// returns, `A_t + V_t`.
    ///
    /// @param rewards of each step
    /// @param values expected before each step
    /// @param after value of what follows the last step: 0 where the episode is over
    /// @param gamma discount, from 0 to 1
    /// @param lambda from 0 (least variance) to 1 (least bias)
    public static double[] generalised(double[] rewards, double[] values, double after, double gamma, double lambda) {
        if (rewards.length != values.length) {
            throw new IllegalArgumentException("%d rewards and %d values".formatted(rewards.length, values.length));
        }
        requireUnit("gamma", gamma);
        requireUnit("lambda", lambda);
        double[] advantages = new double[rewards.length];
        double next = after;
        double sum = 0;
        for (int t = rewards.length - 1; t >= 0; t--) {
            double delta = rewards[t] + gamma * next - values[t];
            sum = delta + gamma * lambda * sum;
            advantages[t] = sum;
            next = values[t];
        }
        return advantages;
    }

    /// Mean 0 and standard deviation 1 (of the population, as in lm-human-preferences); for rewards the mean is kept.
    ///
    /// @param counted which numbers count; the others become 0
    /// @param keepMean whether the mean is added again
    public static double[] whitened(double[] values, boolean[] counted, boolean keepMean) {
        if (values.length != counted.length) {
            throw new IllegalArgumentException("%d values and %d marks".formatted(values.length, counted.length));
        }
        double count = 0;
        double sum = 0;
        for (int i = 0; i < values.length; i++) {
            count += counted[i] ? 1 : 0;
            sum += counted[i] ? values[i] : 0;
        }
        double mean = count == 0 ? 0 : sum / count;
        double squares = 0;
        for (int i = 0; i < values.length; i++) {
            squares += counted[i] ? (values[i] - mean) * (values[i] - mean) : 0;
        }
        double scale = count == 0 ? 0 : 1 / Math.sqrt(squares / count + EPSILON);
        double[] result = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            result[i] = counted[i] ? (values[i] - mean) * scale + (keepMean ? mean : 0) : 0;
        }
        return result;
    }

    /// Of several answers to one request: what each was better than their mean (GRPO; Shao et al. 2024, section 4.1.2),
    /// divided by their standard deviation (of the sample, as there) where `scaled`. Without it, requests that are
    /// almost always or almost never met weigh no more than others (Liu et al. 2025, "Understanding R1-Zero-like
    /// training", section 3.1).
    ///
    /// @param rewards of the answers to one request, two or more
    public static double[] ofGroup(double[] rewards, boolean scaled) {
        if (rewards.length < 2) {
            throw new IllegalArgumentException(
                    "a group needs two answers or more to be compared, not %d".formatted(rewards.length));
        }
        double mean = 0;
        for (double reward : rewards) {
            mean += reward / rewards.length;
        }
        double squares = 0;
        for (double reward : rewards) {
            squares += (reward - mean) * (reward - mean);
        }
        double deviation = Math.sqrt(squares / (rewards.length - 1));
        double[] advantages = new double[rewards.length];
        for (int i = 0; i < rewards.length; i++) {
            advantages[i] = (rewards[i] - mean) / (scaled ? deviation + EPSILON : 1);
        }
        return advantages;
    }

    private static void requireUnit(String name, double value) {
        if (!(value >= 0 && value <= 1)) {
            throw new IllegalArgumentException("%s must be from 0 to 1, not %s".formatted(name, value));
        }
    }
}
