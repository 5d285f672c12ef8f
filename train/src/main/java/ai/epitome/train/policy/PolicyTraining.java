package ai.epitome.train.policy;

import ai.epitome.model.LoadedModel;
import ai.epitome.model.huggingface.ModelFolder;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.autograd.Parameter;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.text.chat.ChatTemplates;
import ai.epitome.train.Interval;
import ai.epitome.train.LanguageModelling;
import ai.epitome.train.MemoryNeed;
import ai.epitome.train.ModelOptimizer;
import ai.epitome.train.Schedule;
import ai.epitome.train.SystemMemory;
import ai.epitome.train.TrainingConfig;
import ai.epitome.train.TrainingConfig.OptimizerConfig;
import ai.epitome.train.TrainingJob;
import ai.epitome.train.TrainingJob.Score;
import ai.epitome.train.TrainingListener;
import ai.epitome.train.WeightSum;
import ai.epitome.train.data.BatchStream;
import ai.epitome.train.data.ExampleHash;
import ai.epitome.train.optimizer.AdamW;
import ai.epitome.train.optimizer.CombinedOptimizer;
import ai.epitome.train.optimizer.Optimizer;
import ai.epitome.train.optimizer.RememberingOptimizer;
import ai.epitome.train.prompt.Prompt;
import ai.epitome.train.run.ResumableRun;
import ai.epitome.train.run.TrainingRun;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import java.util.stream.LongStream;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// Reinforcement learning of a model by PPO or GRPO, in a folder of its own; the model that it begins with stays as it
/// is, and is the reference.
///
/// ```java
/// try (PolicyTraining run = PolicyTraining.open(settings, base, reference, prompts, reward, mix, backend, listener)) {
///     run.train(); // false when it was asked to stop before the end
/// }
/// ```
public final class PolicyTraining implements ResumableRun {
    private static final String VALUE_HEAD = "value_head";
    private static final String STATE = "policy_state";
    /// What the value head learns at, from zero.
    private static final double HEAD_RATE = 3e-3;
    /// At twice as much, a model that answers nine of ten rightly gets worse.
    private static final double RATE = 5e-5;
    /// Held-out prompts that are answered now and then.
    private static final int IMPRESSION = 90;
    private static final int HELD_OUT = 450;
    /// Prompts that the report counts.
    private static final int MOST_DESCRIBED = 100_000;
    /// A run has this many evaluations and checkpoints.
    private static final int LOOKS = 10;

    /// What a run is to be.
    ///
    /// @param folder of the new model
    /// @param title what is trained on what
    /// @param base folder of the model that it begins with
    /// @param policy how it learns
    /// @param training rates and lengths; see [#training]
    /// @param command the command line, for the report
    /// @param source folder of the code, for the commit in the report
    public record Settings(
            Path folder,
            String title,
            Path base,
            PolicySettings policy,
            TrainingConfig training,
            String command,
            Path source) {}

    private final Settings settings;
    private final Prompts prompts;
    private final Reward reward;
    private final Arena arena = Arena.ofShared();
    private final LoadedModel base;
    private final LoadedModel reference;
    private final PolicyLearning learning;
    private final Rollouts judged;
    private final TrainingRun run;

    private PolicyTraining(
            Settings settings,
            LoadedModel base,
            LoadedModel reference,
            Prompts prompts,
            Reward reward,
            Optional<BatchStream> mix,
            Backend backend,
            TrainingListener listener)
            throws IOException {
        this.settings = settings;
        this.base = base;
        this.reference = reference;
        this.prompts = prompts;
        this.reward = reward;
        PolicySettings how = settings.policy;
        Transformer model = base.transformer();
        Optional<Parameter> head = how.method() == PolicySettings.Method.PPO
                ? Optional.of(new Parameter(arena, VALUE_HEAD, 1, model.config().width()))
                : Optional.empty();
        Policy policy = new Policy(model, head);
        PolicyState state = new PolicyState(arena, how.coefficient(), how.prompts());
        // Two engines: what one has cached of held-out prompts must not change how the other one computes.
        judged = new Rollouts(base.generator(backend), how.mostTokens());
        learning = new PolicyLearning(
                policy,
                new Policy(reference.transformer(), Optional.empty()),
                prompts,
                reward,
                new Rollouts(base.generator(backend), how.mostTokens()),
                how,
                state,
                mix.map(rows -> new PolicyLearning.Mix(rows::batch, new LanguageModelling(model, backend, 0))),
                backend,
                settings.training.seed());
        TrainingJob job = new TrainingJob(
                policy,
                learning,
                _ -> learning.batch(),
                "%s, rewarded by %s, %s, base %s"
                        .formatted(prompts.describe(), reward.describe(), how, WeightSum.of(reference.transformer())),
                this::score,
                null,
                companions());
        try {
            run = TrainingRun.open(
                    settings.folder, settings.training, job, optimizer(policy, state, backend), backend, listener);
        } catch (IOException | RuntimeException e) {
            free();
            throw e;
        }
    }

    /// Makes or restores the run; nothing is trained yet. All that is given belongs to the run from here on.
    ///
    /// @param base is trained
    /// @param reference the same model once more, which stays as it is
    /// @param mix other data, of which each step learns a batch
    public static PolicyTraining open(
            Settings settings,
            LoadedModel base,
            LoadedModel reference,
            Prompts prompts,
            Reward reward,
            Optional<BatchStream> mix,
            Backend backend,
            TrainingListener listener)
            throws IOException {
        MemoryNeed.of(base.transformer().config(), settings.training, backend.compute())
                .requireFits(SystemMemory.available());
        return new PolicyTraining(settings, base, reference, prompts, reward, mix, backend, listener);
    }

    /// A run of `iterations` iterations: AdamW at a level rate behind a short warm-up.
    ///
    /// @param length most tokens of a prompt with its answer
    public static TrainingConfig training(PolicySettings how, long iterations, int length) {
        long often = Math.max(1, iterations / LOOKS) * how.steps();
        return TrainingConfig.ofSteps(iterations * how.steps(), how.rows(), length)
                .with(c -> {
                    c.optimizer = OptimizerConfig.adamW(RATE, 0);
                    c.schedule = new Schedule(Schedule.Shape.STABLE_THEN_LINEAR, 5L * how.steps(), 0.2, 0.1);
                    c.evaluate = Interval.ofSteps(often);
                    c.checkpoint = Interval.ofSteps(often);
                });
    }

    private Optimizer optimizer(Policy policy, PolicyState state, Backend backend) {
        OptimizerConfig config = settings.training.optimizer();
        Optimizer all = ModelOptimizer.create(policy.model(), config, arena, backend);
        SequencedMap<String, Tensor> more = new LinkedHashMap<>();
        more.put(STATE, state.tensor());
        if (policy.valueHead().isPresent()) {
            Parameter head = policy.valueHead().get();
            all = new CombinedOptimizer(List.of(
                    all,
                    new AdamW(
                            List.of(new AdamW.Group(List.of(head), HEAD_RATE, 0)),
                            new AdamW.Settings(config.beta1(), config.beta2(), config.epsilon()),
                            arena,
                            backend.workers())));
            more.put(VALUE_HEAD, head.value());
        }
        return new RememberingOptimizer(all, more);
    }

    private SequencedMap<String, byte[]> companions() throws IOException {
        SequencedMap<String, byte[]> files = new LinkedHashMap<>(
                ModelFolder.companions(base.transformer(), base.tokenizer().orElseThrow(), base.defaults()));
        ChatTemplates.file(settings.base).ifPresent(template -> files.put(ChatTemplates.FILE, template));
        files.put(TrainingConfig.FILE, settings.training.toJson());
        return files;
    }

    @Override
    public long step() {
        return run.step();
    }

    @Override
    public boolean isFinished() {
        return run.isFinished();
    }

    /// Asks the run to end after the iteration that it is in, with a checkpoint. For any thread.
    @Override
    public void requestStop() {
        run.requestStop();
    }

    @Override
    public boolean train() throws IOException {
        Map<String, String> configuration = new LinkedHashMap<>();
        configuration.put("model", base.transformer().config().toString());
        configuration.put("policy", settings.policy.toString());
        configuration.put("reward", reward.describe());
        configuration.put("prompts", prompts.describe());
        configuration.put("training", settings.training.toString());
        return run.train(new TrainingRun.Account(
                settings.title, settings.command, settings.source, data(), Optional.empty(), configuration));
    }

    private ObjectNode data() {
        ObjectNode json = new JsonMapper().createObjectNode();
        List<Prompt> asked = LongStream.range(0, Math.min(MOST_DESCRIBED, asked()))
                .mapToObj(prompts::at)
                .toList();
        List<Prompt> heldOut = prompts.heldOut(HELD_OUT);
        ExampleHash hash = new ExampleHash();
        asked.forEach(prompt -> hash.add(prompt.tokens()));
        heldOut.forEach(prompt -> hash.add(prompt.tokens()));
        json.put("sha256", hash.hex());
        json.putObject("split").put("description", prompts.describe());
        side(json.putObject("train"), asked);
        side(json.putObject("held_out"), heldOut);
        return json;
    }

    private long asked() {
        return settings.training.steps() / settings.policy.steps() * settings.policy.prompts();
    }

    private static void side(ObjectNode json, List<Prompt> asked) {
        json.put("documents", asked.size())
                .put(
                        "tokens",
                        asked.stream().mapToLong(one -> one.tokens().length).sum())
                .put(
                        "bytes",
                        asked.stream()
                                .mapToLong(one -> one.text().getBytes(StandardCharsets.UTF_8).length)
                                .sum());
    }

    /// The likeliest answers to held-out prompts, rewarded.
    private Score score(boolean last, BooleanSupplier cancelled) {
        List<Prompt> asked = prompts.heldOut(last ? HELD_OUT : IMPRESSION);
        List<Reply> replies = judged.greedy(asked, cancelled);
        if (cancelled.getAsBoolean()) {
            throw new CancellationException("answering was cancelled");
        }
        SequencedMap<String, Double> measures = new LinkedHashMap<>();
        if (!replies.isEmpty()) {
            measures.put("reward", Arrays.stream(reward.of(replies)).average().orElse(0));
            measures.put(
                    "length",
                    replies.stream()
                            .mapToInt(reply -> reply.tokens().length)
                            .average()
                            .orElse(0));
        }
        return Score.of(measures, last);
    }

    @Override
    public void close() {
        try {
            run.close();
        } finally {
            free();
        }
    }

    private void free() {
        learning.close();
        reward.close();
        base.close();
        reference.close();
        arena.close();
    }
}
