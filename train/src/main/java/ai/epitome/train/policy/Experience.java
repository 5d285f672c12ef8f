package ai.epitome.train.policy;

import ai.epitome.train.reinforce.Advantages;
import ai.epitome.train.reinforce.Divergence;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.function.ToDoubleFunction;

/// The answers of an iteration and what is to be learned from them; for each answer, and each of its tokens.
///
/// @param replies the answers
/// @param rewards of the answers
/// @param reference log-probabilities under the reference
/// @param values expected before each token (PPO), or 0
/// @param advantages how much better than expected each token was
/// @param returns what the values should have been (PPO)
record Experience(
        List<Reply> replies,
        double[] rewards,
        double[][] reference,
        double[][] values,
        double[][] advantages,
        double[][] returns) {

    /// Works out advantages.
    ///
    /// @param coefficient price of a nat
    static Experience of(
            List<Reply> replies,
            double[] rewards,
            double[][] reference,
            double[][] values,
            PolicySettings settings,
            double coefficient) {
        double[][] advantages = new double[replies.size()][];
        double[][] returns = new double[replies.size()][];
        switch (settings.method()) {
            case GRPO -> compare(replies, rewards, settings, advantages, returns);
            case PPO -> {
                double[][] steps = steps(replies, rewards, reference, coefficient);
                if (settings.whitenRewards()) {
                    whiten(steps, true);
                }
                for (int i = 0; i < advantages.length; i++) {
                    advantages[i] = Advantages.generalised(steps[i], values[i], 0, 1, settings.lambda());
                    returns[i] = new double[advantages[i].length];
                    for (int t = 0; t < advantages[i].length; t++) {
                        returns[i][t] = advantages[i][t] + values[i][t];
                    }
                }
                whiten(advantages, false);
            }
        }
        return new Experience(replies, rewards, reference, values, advantages, returns);
    }

    /// Every token of an answer is as good as the answer is among those to its prompt.
    private static void compare(
            List<Reply> replies, double[] rewards, PolicySettings settings, double[][] advantages, double[][] returns) {
        for (int from = 0; from < rewards.length; from += settings.group()) {
            double[] own = Arrays.copyOfRange(rewards, from, from + settings.group());
            double[] compared = Advantages.ofGroup(own, settings.whitenRewards());
            for (int i = 0; i < own.length; i++) {
                int length = replies.get(from + i).tokens().length;
                advantages[from + i] = new double[length];
                Arrays.fill(advantages[from + i], compared[i]);
                returns[from + i] = new double[length];
            }
        }
    }

    /// The reward of each token: minus the price of the divergence, and behind the last the answer's reward.
    private static double[][] steps(List<Reply> replies, double[] rewards, double[][] reference, double coefficient) {
        double[][] steps = new double[replies.size()][];
        for (int i = 0; i < steps.length; i++) {
            float[] own = replies.get(i).logProbabilities();
            steps[i] = new double[own.length];
            for (int t = 0; t < own.length; t++) {
                steps[i][t] = -coefficient * (own[t] - reference[i][t]);
            }
            steps[i][own.length - 1] += rewards[i];
        }
        return steps;
    }

    /// Over all tokens of all answers.
    private static void whiten(double[][] numbers, boolean keepMean) {
        double[] flat = Arrays.stream(numbers).flatMapToDouble(Arrays::stream).toArray();
        boolean[] counted = new boolean[flat.length];
        Arrays.fill(counted, true);
        double[] whitened = Advantages.whitened(flat, counted, keepMean);
        int at = 0;
        for (double[] own : numbers) {
            System.arraycopy(whitened, at, own, 0, own.length);
            at += own.length;
        }
    }

    /// These answers alone.
    Experience part(List<Integer> chosen) {
        List<Reply> some = new ArrayList<>();
        chosen.forEach(i -> some.add(replies.get(i)));
        return new Experience(
                some,
                chosen.stream().mapToDouble(i -> rewards[i]).toArray(),
                part(reference, chosen),
                part(values, chosen),
                part(advantages, chosen),
                part(returns, chosen));
    }

    private static double[][] part(double[][] all, List<Integer> chosen) {
        return chosen.stream().map(i -> all[i]).toArray(double[][]::new);
    }

    double meanReward() {
        return Arrays.stream(rewards).average().orElse(0);
    }

    double deviation() {
        double mean = meanReward();
        return Math.sqrt(Arrays.stream(rewards)
                .map(reward -> (reward - mean) * (reward - mean))
                .average()
                .orElse(0));
    }

    /// Nats of a whole answer between the policy and the reference, estimated from what was sampled.
    double divergence() {
        double sum = 0;
        for (int i = 0; i < replies.size(); i++) {
            float[] own = replies.get(i).logProbabilities();
            for (int t = 0; t < own.length; t++) {
                sum += Divergence.K1.of(own[t], reference[i][t]);
            }
        }
        return sum / replies.size();
    }

    /// What there is to tell of the answers.
    SequencedMap<String, Double> measures() {
        SequencedMap<String, Double> told = new LinkedHashMap<>();
        told.put("reward", meanReward());
        told.put("reward deviation", deviation());
        told.put("kl", divergence());
        double tokens = mean(reply -> reply.tokens().length);
        told.put("entropy", mean(Experience::surprise) / tokens);
        told.put("length", tokens);
        told.put("ended", mean(reply -> reply.ended() ? 1 : 0));
        return told;
    }

    /// Nats of an answer, whose mean is the policy's entropy.
    private static double surprise(Reply reply) {
        double sum = 0;
        for (float logProbability : reply.logProbabilities()) {
            sum -= logProbability;
        }
        return sum;
    }

    private double mean(ToDoubleFunction<Reply> number) {
        return replies.stream().mapToDouble(number).average().orElse(0);
    }
}
