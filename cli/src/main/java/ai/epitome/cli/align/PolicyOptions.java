package ai.epitome.cli.align;

import ai.epitome.cli.option.KernelOptions;
import ai.epitome.cli.option.Numbers;
import ai.epitome.cli.terminal.Notices;
import ai.epitome.cli.terminal.TypedCommand;
import ai.epitome.cli.train.ForegroundRun;
import ai.epitome.cli.train.PreparedText;
import ai.epitome.cli.train.TerminalProgress;
import ai.epitome.cli.train.TokenizerChoice;
import ai.epitome.cli.train.TrainingOptions;
import ai.epitome.model.LoadedModel;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.train.TrainingConfig;
import ai.epitome.train.data.BatchStream;
import ai.epitome.train.policy.PolicySettings;
import ai.epitome.train.policy.PolicySettings.Method;
import ai.epitome.train.policy.PolicyTraining;
import ai.epitome.train.policy.Prompts;
import ai.epitome.train.policy.Reward;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// What `ppo` and `grpo` share: nearly everything.
final class PolicyOptions {
    private static final int MIXED_TOKENS = 2048;

    @Parameters(index = "0", paramLabel = "MODEL", description = "The model to begin with; it is not changed.")
    private Path source;

    @Option(
            names = {"-o", "--model"},
            required = true,
            paramLabel = "FOLDER",
            description = "Where the new model is kept.")
    private Path folder;

    @Mixin
    private RewardOptions rewards;

    @Option(
            names = "--iterations",
            paramLabel = "N",
            description = "How often the model answers and learns from it (default: ${DEFAULT-VALUE}).",
            converter = Numbers.Count.class)
    private int iterations = 100;

    @Option(
            names = "--ask",
            paramLabel = "N",
            description = "Prompts of an iteration (default: 128 for ppo, 64 for grpo).",
            converter = Numbers.Count.class)
    private Integer asked;

    @Option(
            names = "--group",
            paramLabel = "N",
            description = "Answers to each prompt (default: 1 for ppo, 8 for grpo).",
            converter = Numbers.Count.class)
    private Integer group;

    @Option(
            names = "--minibatches",
            paramLabel = "N",
            description = "Parts of an iteration's answers, each a step (default: 2 for ppo, 1 for grpo).",
            converter = Numbers.Count.class)
    private Integer minibatches;

    @Option(
            names = "--epochs",
            paramLabel = "N",
            description = "How often an iteration's answers are gone through (default: 2 for ppo, 1 for grpo).",
            converter = Numbers.Count.class)
    private Integer epochs;

    @Option(
            names = "--ratio-clip",
            paramLabel = "RANGE",
            description = "How far a probability may move in an iteration, as a ratio (default: 0.2).",
            converter = Numbers.Rate.class)
    private Double ratioClip;

    @Option(
            names = "--kl",
            paramLabel = "PRICE",
            description = "Price of a nat of divergence from MODEL (default: 0.05 for ppo, 0.02 for grpo).",
            converter = Numbers.Rate.class)
    private Double price;

    @Option(
            names = "--kl-target",
            paramLabel = "NATS",
            description = "Adapt the price so that an answer diverges by so many nats (default: the price is fixed).",
            converter = Numbers.Rate.class)
    private Double target;

    @Option(
            names = "--kl-horizon",
            paramLabel = "ANSWERS",
            description = "Answers in which the price follows (default: 10000).",
            converter = Numbers.Rate.class)
    private Double horizon;

    @Option(
            names = "--stop-kl",
            paramLabel = "NATS",
            description =
                    "End an iteration early once a token has changed by so many nats (default: 0.1; 0 for never).",
            converter = Numbers.Rate.class)
    private Double stopAt;

    @Option(
            names = "--lambda",
            paramLabel = "L",
            description = "Of generalised advantages, ppo (default: 0.95).",
            converter = Numbers.Rate.class)
    private Double lambda;

    @Option(
            names = "--value-weight",
            paramLabel = "W",
            description = "Weight of the loss of values, ppo (default: 0.1).",
            converter = Numbers.Rate.class)
    private Double valueWeight;

    @Option(
            names = "--whiten-rewards",
            description = "Divide rewards by their deviation: of all tokens with ppo, of a prompt's answers with grpo.")
    private boolean whitenRewards;

    @Option(
            names = "--mix",
            paramLabel = "TEXT",
            description = "Text that each step learns to predict besides, as in pretraining; may be given again.")
    private List<Path> mix = List.of();

    @Option(
            names = "--mix-weight",
            paramLabel = "W",
            description = "Weight of its loss (default: ${DEFAULT-VALUE}).",
            converter = Numbers.Rate.class)
    private double mixWeight = 1;

    @Mixin
    private TrainingOptions training;

    @Mixin
    private KernelOptions kernels;

    /// Trains, or goes on. The exit code.
    int run(Method method) throws IOException {
        Backend backend = kernels.backend();
        System.err.println(backend.describe());
        LoadedModel base = LoadedModel.open(source);
        PolicySettings how = settings(method);
        TrainingConfig config = config(how, base.transformer().config().context());
        Prompts prompts = rewards.prompts(base, config.seed());
        Reward reward = rewards.reward(base, backend);
        Notices.terminal().accept("%s; rewarded: %s".formatted(prompts.describe(), reward.describe()));
        Optional<PreparedText> mixed = mix.isEmpty()
                ? Optional.empty()
                : Optional.of(PreparedText.of(
                        mix, new TokenizerChoice.Automatic(), source, kernels.threads(), Notices.terminal()));
        PolicyTraining.Settings settings = new PolicyTraining.Settings(
                folder, title(method), source, how, config, TypedCommand.text(), TypedCommand.home());
        Optional<BatchStream> rows = mixed.isEmpty() ? Optional.empty() : Optional.of(rows(mixed.get(), config));
        try (TerminalProgress terminal = new TerminalProgress();
                PolicyTraining run = PolicyTraining.open(
                        settings, base, LoadedModel.open(source), prompts, reward, rows, backend, terminal)) {
            return ForegroundRun.complete(run, folder, "--iterations");
        } finally {
            mixed.ifPresent(PreparedText::close);
            backend.workers().close();
        }
    }

    private static BatchStream rows(PreparedText text, TrainingConfig config) throws IOException {
        int rows = Math.max(1, MIXED_TOKENS / config.length());
        return BatchStream.windows(text.dataset().train(), config.seed(), rows, config.length());
    }

    private PolicySettings settings(Method method) {
        PolicySettings usual = PolicySettings.of(method);
        return new PolicySettings(
                method,
                or(asked, usual.prompts()),
                or(group, usual.group()),
                or(minibatches, usual.minibatches()),
                or(epochs, usual.epochs()),
                rewards.mostTokens(),
                or(ratioClip, usual.clip()),
                or(price, usual.coefficient()),
                or(target, usual.target()),
                or(horizon, usual.horizon()),
                or(lambda, usual.lambda()),
                or(valueWeight, usual.valueWeight()),
                whitenRewards,
                or(stopAt, usual.stopAt()),
                mix.isEmpty() ? 0 : mixWeight);
    }

    /// That of the run in the folder, where one has begun, or a new one; with what is given changed.
    private TrainingConfig config(PolicySettings how, int context) throws IOException {
        TrainingConfig usual = PolicyTraining.training(how, iterations, Math.min(context, 256));
        TrainingConfig begun = TrainingConfig.read(folder)
                .map(kept -> kept.with(c -> c.steps = usual.steps()))
                .orElse(usual);
        return training.changed(begun).with(c -> {
            c.batchRows = how.rows(); // these follow from the answers
            c.accumulation = 1;
        });
    }

    private String title(Method method) {
        return String.format(Locale.ROOT, "%s, trained by %s", LoadedModel.nameOf(source), method);
    }

    private static <T> T or(T given, T otherwise) {
        return given == null ? otherwise : given;
    }
}
