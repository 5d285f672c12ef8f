package ai.epitome.train.policy;

import ai.epitome.model.transformer.Dropout;
import ai.epitome.tensor.StepArena;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.autograd.Tape;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.train.LanguageModelling;
import ai.epitome.train.Objective;
import ai.epitome.train.data.Batch;
import ai.epitome.train.policy.Policy.Opinion;
import ai.epitome.train.prompt.Prompt;
import ai.epitome.train.reinforce.AdaptiveCoefficient;
import ai.epitome.train.reinforce.ClippedLoss;
import ai.epitome.train.reinforce.Divergence;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.SequencedMap;
import java.util.function.LongFunction;

/// Learning from answers, in iterations: the policy answers, its answers are rewarded, and some steps are taken with
/// them; see [PolicySettings.Method].
///
/// The ratio of a step is between the policy as it is and the numbers with which the engine drew the tokens. Everything
/// random is a function of the seed and the iteration, so a run that goes on from between two iterations ends with the
/// same weights.
final class PolicyLearning implements Objective, AutoCloseable {
    /// What is learned from besides: rows, and how they are learned.
    record Mix(LongFunction<Batch> rows, LanguageModelling language) {}

    private final Policy policy;
    private final Policy reference;
    private final Prompts prompts;
    private final Reward reward;
    private final Rollouts rollouts;
    private final PolicySettings settings;
    private final PolicyState state;
    private final Optional<Mix> mix;
    private final Backend backend;
    private final long seed;
    private final StepArena arena = new StepArena();

    // Of the iteration under way:
    private Experience experience;
    private Experience part;
    private ReplyRows rows;
    private int within;
    private boolean stopped;
    private long cursor;
    private Progress progress = new Progress();

    /// Sums over the steps of an iteration.
    private static final class Progress {
        private double tokens;
        private double clipped;
        private double change;
        private double values;
        private double gap;
        private int steps;
    }

    PolicyLearning(
            Policy policy,
            Policy reference,
            Prompts prompts,
            Reward reward,
            Rollouts rollouts,
            PolicySettings settings,
            PolicyState state,
            Optional<Mix> mix,
            Backend backend,
            long seed) {
        this.policy = policy;
        this.reference = reference;
        this.prompts = prompts;
        this.reward = reward;
        this.rollouts = rollouts;
        this.settings = settings;
        this.state = state;
        this.mix = mix;
        this.backend = backend;
        this.seed = seed;
    }

    @Override
    public int together() {
        return settings.steps();
    }

    @Override
    public void prepare(long cursor) {
        this.cursor = cursor;
        long step = cursor / settings.rows();
        within = (int) (step % settings.steps());
        if (within == 0) {
            collect(step / settings.steps());
        }
    }

    private void collect(long iteration) {
        // So that nothing is reused that an evaluation may have left: a run that was stopped has none of it.
        policy.model().parameters().getFirst().changed();
        List<Prompt> asked = new ArrayList<>();
        for (int i = 0; i < settings.prompts(); i++) {
            asked.addAll(Collections.nCopies(settings.group(), prompts.at(iteration * settings.prompts() + i)));
        }
        List<Reply> replies = rollouts.sampled(asked, random(iteration, -1).nextLong());
        double[] rewards = reward.of(replies);
        Opinion expected = Policy.opinion(reference.model(), Optional.empty(), replies, backend, arena);
        double[][] values = policy.valueHead().isPresent()
                ? array(Policy.opinion(policy.model(), policy.valueHead(), replies, backend, arena)
                        .values())
                : array(expected.values());
        experience = Experience.of(
                replies, rewards, array(expected.logProbabilities()), values, settings, state.coefficient());
        stopped = false;
        progress = new Progress();
    }

    private static double[][] array(List<double[]> rows) {
        return rows.toArray(double[][]::new);
    }

    /// The answers of the step that was prepared; nothing to learn once the policy has changed enough.
    Batch batch() {
        if (stopped) {
            return new Batch(1, 1, new int[1], new int[] {Batch.NO_TARGET}, new int[1], 0);
        }
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < settings.answers(); i++) {
            order.add(i);
        }
        long iteration = cursor / settings.rows() / settings.steps();
        Collections.shuffle(order, random(iteration, within / settings.minibatches()));
        int from = within % settings.minibatches() * settings.rows();
        part = experience.part(order.subList(from, from + settings.rows()));
        rows = ReplyRows.of(part.replies());
        return rows.batch();
    }

    private Random random(long iteration, long epoch) {
        return new Random(seed * 0x9E3779B97F4A7C15L + iteration * 0xD1342543DE82EF95L + epoch * 0xBF58476D1CE4E5B9L);
    }

    @Override
    public double accumulate(Batch batch, float weight, long seed) {
        if (stopped) {
            return 0;
        }
        arena.reset();
        Tape tape = new Tape(backend, arena, true);
        Tensor hidden = policy.model().hidden(tape, rows.sequences(), Dropout.NONE);
        Tensor losses = tape.tokenLosses(hidden, policy.model().head(), batch.targets()); // (N): -log p
        double[][] now = rows.ofAnswers(losses.toFloats(), true);
        float[] slopes = new float[batch.targets().length];
        double sum = policyLoss(now, weight, slopes);
        Tensor total = tape.weightedSum(losses, slopes);
        if (policy.valueHead().isPresent()) {
            Tensor values = tape.logits(hidden, policy.valueHead().get()); // (N, 1)
            float[] valueSlopes = new float[slopes.length];
            sum += valueLoss(rows.ofAnswers(values.toFloats(), false), weight, valueSlopes);
            total = tape.add(total, tape.weightedSum(values, valueSlopes));
        }
        tape.backward(total);
        progress.steps++;
        stopped = settings.stopAt() > 0 && progress.change / progress.tokens > settings.stopAt();
        mix.ifPresent(other -> learn(other, seed));
        return sum;
    }

    /// Puts the loss's derivatives by the token losses into `slopes`, and returns the summed loss.
    private double policyLoss(double[][] now, float weight, float[] slopes) {
        boolean first = progress.steps == 0;
        double sum = 0;
        for (int i = 0; i < now.length; i++) {
            float[] old = part.replies().get(i).logProbabilities();
            for (int t = 0; t < now[i].length; t++) {
                ClippedLoss loss = ClippedLoss.ofPolicy(now[i][t], old[t], part.advantages()[i][t], settings.clip());
                double slope = loss.derivative();
                sum += loss.loss();
                if (settings.method() == PolicySettings.Method.GRPO) {
                    double expected = part.reference()[i][t];
                    sum += state.coefficient() * Divergence.K3.of(now[i][t], expected);
                    slope -= state.coefficient() * Math.expm1(expected - now[i][t]);
                }
                slopes[rows.place(i, t)] = (float) (-slope * weight);
                progress.tokens++;
                progress.clipped += loss.clipped() ? 1 : 0;
                progress.change += Divergence.K3.of(old[t], now[i][t]);
                progress.gap = first ? Math.max(progress.gap, Math.abs(old[t] - now[i][t])) : progress.gap;
            }
        }
        return sum;
    }

    private double valueLoss(double[][] now, float weight, float[] slopes) {
        double sum = 0;
        for (int i = 0; i < now.length; i++) {
            for (int t = 0; t < now[i].length; t++) {
                ClippedLoss loss =
                        ClippedLoss.ofValue(now[i][t], part.values()[i][t], part.returns()[i][t], settings.clip());
                sum += settings.valueWeight() * loss.loss();
                progress.values += loss.loss();
                slopes[rows.place(i, t)] = (float) (settings.valueWeight() * loss.derivative() * weight);
            }
        }
        return sum;
    }

    /// Adds the gradient of other data: of the text that the model was pretrained on, say (Ouyang et al. 2022,
    /// PPO-ptx).
    private void learn(Mix other, long seed) {
        Batch batch = other.rows.apply(cursor);
        int targets = batch.targetCount();
        if (targets > 0) {
            other.language.accumulate(batch, (float) (settings.mixWeight() / targets), seed);
        }
    }

    /// At the end of an iteration, how it went.
    @Override
    public SequencedMap<String, Double> measures() {
        SequencedMap<String, Double> told = new LinkedHashMap<>();
        if (within < settings.steps() - 1) {
            return told;
        }
        double divergence = experience.divergence();
        told.putAll(experience.measures());
        told.put("clip fraction", progress.clipped / progress.tokens);
        told.put("policy change", progress.change / progress.tokens);
        told.put("sampling gap", progress.gap);
        told.put("steps taken", (double) progress.steps);
        told.put("price", state.coefficient());
        if (policy.valueHead().isPresent()) {
            told.put("value loss", progress.values / progress.tokens);
        }
        if (settings.target() > 0) {
            state.coefficient(new AdaptiveCoefficient(state.coefficient(), settings.target(), settings.horizon())
                    .after(divergence, settings.answers())
                    .beta());
        }
        state.observe(experience.meanReward(), experience.deviation());
        return told;
    }

    @Override
    public void close() {
        arena.close();
        mix.ifPresent(other -> other.language.close());
    }
}
