package ai.epitome.train.policy;

/// How a policy learns from its answers.
///
/// @param method which
/// @param prompts asked in an iteration
/// @param group answers to each of them; 2 or more for GRPO, which compares them
/// @param minibatches parts of an iteration's answers, each a step
/// @param epochs how often the answers of an iteration are gone through
/// @param mostTokens of an answer
/// @param clip how far a probability ratio may go
/// @param coefficient price of a nat of divergence from the reference
/// @param target nats of an answer that the price is adapted to; 0 for a fixed price
/// @param horizon answers in which the price follows
/// @param lambda of generalised advantages (PPO)
/// @param valueWeight of the loss of values (PPO)
/// @param whitenRewards whether rewards are divided by their deviation (PPO), or advantages of a group are (GRPO)
/// @param stopAt nats a token between the policy that answered and the one that learned, at which an iteration ends
/// early; 0 for never
/// @param mixWeight of the loss on other data in each step
public record PolicySettings(
        Method method,
        int prompts,
        int group,
        int minibatches,
        int epochs,
        int mostTokens,
        double clip,
        double coefficient,
        double target,
        double horizon,
        double lambda,
        double valueWeight,
        boolean whitenRewards,
        double stopAt,
        double mixWeight) {
    /// What answers are compared with.
    public enum Method {
        /// What a head of the model expected of them (Schulman et al. 2017; Ouyang et al. 2022). The divergence is a
        /// part of the reward.
        PPO,
        /// Each other (Shao et al. 2024). The divergence is a part of the loss.
        GRPO
    }

    public PolicySettings {
        if (prompts < 1 || group < 1 || minibatches < 1 || epochs < 1 || mostTokens < 1) {
            throw new IllegalArgumentException(
                    "prompts, answers to each, minibatches, epochs and tokens of an answer must be at least 1");
        }
        if (prompts * group % minibatches != 0) {
            throw new IllegalArgumentException("%d answers (%d prompts with %d each) make no %d equal minibatches"
                    .formatted(prompts * group, prompts, group, minibatches));
        }
        if (method == Method.GRPO && group < 2) {
            throw new IllegalArgumentException("GRPO compares answers to one prompt, and needs two or more");
        }
        if (!(clip > 0) || !(coefficient >= 0) || !(target >= 0) || !(stopAt >= 0) || !(mixWeight >= 0)) {
            throw new IllegalArgumentException(
                    "clipping must be above 0, price, target, early stop and mix at least 0, not %s, %s, %s, %s, %s"
                            .formatted(clip, coefficient, target, stopAt, mixWeight));
        }
        if (target > 0 && !(coefficient > 0)) {
            throw new IllegalArgumentException("a price of 0 adapts to nothing; give one above 0");
        }
    }

    /// What is used unless something else is asked for.
    public static PolicySettings of(Method method) {
        return switch (method) {
            case PPO -> new PolicySettings(method, 128, 1, 2, 2, 64, 0.2, 0.05, 0, 10_000, 0.95, 0.1, false, 0.1, 0);
            case GRPO -> new PolicySettings(method, 64, 8, 1, 1, 64, 0.2, 0.02, 0, 10_000, 1, 0, false, 0.1, 0);
        };
    }

    /// Answers of an iteration.
    public int answers() {
        return prompts * group;
    }

    /// Answers of a step.
    public int rows() {
        return answers() / minibatches;
    }

    /// Steps of an iteration.
    public int steps() {
        return epochs * minibatches;
    }
}
