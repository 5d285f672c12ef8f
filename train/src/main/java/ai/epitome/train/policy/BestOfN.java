package ai.epitome.train.policy;

import ai.epitome.model.generation.TextGenerator;
import ai.epitome.train.prompt.Prompt;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/// Rejection sampling: of several answers to a prompt the one with the highest reward (Stiennon et al. 2020).
///
/// @param reward that chooses
/// @param answers n, to each prompt
/// @param mostTokens of an answer
public record BestOfN(Reward reward, int answers, int mostTokens) {
    /// @param reply the best; the first of equal ones
    /// @param best its reward
    /// @param mean reward of all answers to the prompt
    public record Choice(Reply reply, double best, double mean) {}

    public BestOfN {
        if (answers < 2) {
            throw new IllegalArgumentException("the best of %d: there must be two answers or more".formatted(answers));
        }
    }

    /// The best answer to each prompt.
    public List<Choice> choose(TextGenerator model, List<Prompt> prompts, long seed) {
        List<Prompt> asked = new ArrayList<>();
        prompts.forEach(prompt -> asked.addAll(Collections.nCopies(answers, prompt)));
        List<Reply> replies = new Rollouts(model, mostTokens).sampled(asked, seed);
        double[] rewards = reward.of(replies);
        List<Choice> chosen = new ArrayList<>();
        for (int from = 0; from < rewards.length; from += answers) {
            int best = from;
            for (int i = from + 1; i < from + answers; i++) {
                best = rewards[i] > rewards[best] ? i : best;
            }
            double mean = Arrays.stream(rewards, from, from + answers).average().orElse(0);
            chosen.add(new Choice(replies.get(best), rewards[best], mean));
        }
        return chosen;
    }

    /// The divergence of the best of `n` answers from the model itself, nats of an answer, at most.
    public static double divergence(int n) {
        return Math.log(n) - (n - 1.0) / n;
    }
}
