package ai.epitome.cli.align;

import ai.epitome.cli.account.AccountOptions;
import ai.epitome.cli.account.FeedbackCommand;
import ai.epitome.cli.option.Numbers;
import ai.epitome.cli.terminal.Interruption;
import ai.epitome.model.LoadedModel;
import ai.epitome.serve.account.Accounts;
import ai.epitome.serve.store.PromotionStore;
import ai.epitome.serve.store.PromotionStore.Promotion;
import ai.epitome.tensor.backend.Backend;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `epitome align loop`: from what people said of answers to the adapter that answers next.
@Command(
        name = "loop",
        description = {
            "One round from feedback to a better model: half of it teaches an adapter (dpo), half of it a judge, which"
                    + " compares the adapter's answers with those of the model as it is served now.",
            "With --promote, and if it is better, a running service answers with it from then on.",
            "In a folder where a round has begun it goes on with that; the next round wants another folder."
        },
        mixinStandardHelpOptions = true,
        footer = {"", "Example: epitome align loop models/chat -o rounds/1 --promote"})
final class AlignLoopCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "MODEL", description = "The model that is served.")
    private Path source;

    @Option(
            names = {"-o", "--output"},
            required = true,
            paramLabel = "FOLDER",
            description = "Where the round is kept: feedback, judge, adapter, report.")
    private Path folder;

    @Option(
            names = "--feedback",
            paramLabel = "FILE",
            description = "Preferences to learn from, repeatable (default: what the database has).")
    private List<Path> feedback;

    @Option(
            names = "--judge",
            paramLabel = "FOLDER",
            description = "A reward model that compares (default: one is taught, with half of the feedback).")
    private Path judge;

    @Option(
            names = "--judge-epochs",
            paramLabel = "N",
            description = "How often the judge reads its half (default: once; up to 3 times where there is little).",
            converter = Numbers.Rate.class)
    private Double judgeEpochs;

    @Option(
            names = "--epochs",
            paramLabel = "N",
            description = "How often the adapter reads its part (default: once; up to 3 times where there is little).",
            converter = Numbers.Rate.class)
    private Double epochs;

    @Option(
            names = "--beta",
            paramLabel = "B",
            defaultValue = "0.1",
            description = "How dear it is to leave the model as it is (default: ${DEFAULT-VALUE}).",
            converter = Numbers.Rate.class)
    private double beta;

    @Option(
            names = "--lora",
            paramLabel = "RANK",
            defaultValue = "8",
            description = "Rank of the first adapter (default: ${DEFAULT-VALUE}); later rounds go on with it.",
            converter = Numbers.Count.class)
    private int rank;

    @Option(
            names = "--prompts",
            paramLabel = "FILE",
            description = "What both are asked (default: the requests of the feedback that the adapter has not read).")
    private Path prompts;

    @Option(
            names = "-n",
            paramLabel = "N",
            defaultValue = "1",
            description = "Answers to each (default: ${DEFAULT-VALUE}).",
            converter = Numbers.Count.class)
    private int each;

    @Option(
            names = "--texts",
            paramLabel = "FILE",
            description = "Texts whose bits per byte may rise by 3 %% at most, repeatable.")
    private List<Path> texts = List.of();

    @Option(
            names = "--most-kl",
            paramLabel = "NATS",
            defaultValue = "10",
            description = "How far from the model as it is an answer may be at most (default: ${DEFAULT-VALUE}).",
            converter = Numbers.Rate.class)
    private double mostDivergence;

    @Option(
            names = "--promote",
            description = {
                "Let the adapter answer for MODEL in running services, if it is better:",
                "the judge prefers more than half of its answers, beyond chance (95 %%), within --most-kl and --texts."
            })
    private boolean promote;

    @Mixin
    private AccountOptions accounts;

    @Mixin
    private AnswerOptions answers;

    @Override
    public Integer call() throws IOException, InterruptedException {
        Backend backend = answers.kernels().backend();
        System.err.println(backend.describe());
        String name = LoadedModel.nameOf(source);
        try (Accounts opened = accounts.open()) {
            PromotionStore promotions = new PromotionStore(opened.database());
            Optional<Path> served = promotions.current(name).map(Promotion::adapter);
            AlignRound round =
                    AlignRound.open(folder, source, Optional.ofNullable(judge), served, () -> preferences(opened));
            AlignLoop loop = new AlignLoop(
                    round,
                    new AlignLoop.Learning(given(judgeEpochs), given(epochs), beta, rank, answers.seed()),
                    new AlignLoop.Asking(
                            Optional.ofNullable(prompts),
                            answers.most(),
                            each,
                            answers.tokens(),
                            texts,
                            mostDivergence),
                    backend);
            if (!loop.learn()) {
                return Interruption.EXIT_CODE;
            }
            AlignVerdict verdict = loop.compare();
            System.err.println(verdict.inWords());
            if (promote && verdict.better()) {
                promote(promotions, name, round, verdict);
            } else {
                System.err.println(
                        verdict.better()
                                ? "not promoted: the same command with --promote does it"
                                : "not promoted: " + name + " answers as before");
            }
            return 0;
        } finally {
            backend.workers().close();
        }
    }

    private static OptionalDouble given(Double value) {
        return value == null ? OptionalDouble.empty() : OptionalDouble.of(value);
    }

    private byte[] preferences(Accounts opened) throws IOException {
        if (feedback == null) {
            return FeedbackCommand.pairs(opened);
        }
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (Path file : feedback) {
            all.write(Files.readAllBytes(file));
            all.write('\n');
        }
        return all.toByteArray();
    }

    private void promote(PromotionStore promotions, String name, AlignRound round, AlignVerdict verdict) {
        Path adapter = round.adapter().toAbsolutePath().normalize();
        if (promotions.current(name).map(Promotion::adapter).equals(Optional.of(adapter))) {
            System.err.println("promoted before: " + adapter + " answers for " + name);
            return;
        }
        if (!promotions.promote(name, round.begun(), adapter, verdict.inWords(), Instant.now())) {
            throw new IllegalStateException(
                    "another adapter answers for %s since this round began, so this one is not promoted over it; begin a new round in another folder"
                            .formatted(name));
        }
        System.err.printf(
                "promoted: %s answers for %s, in running services within seconds (`epitome align rollback %s` takes it back)%n",
                adapter, name, source);
    }

    /// `epitome align rollback`.
    @Command(
            name = "rollback",
            description = {
                "Take the last promotion of a model back: the adapter before it answers again, or the model itself.",
                "Running services follow within seconds."
            },
            mixinStandardHelpOptions = true,
            footer = {"", "Example: epitome align rollback models/chat"})
    static final class Rollback implements Callable<Integer> {
        @Parameters(index = "0", paramLabel = "MODEL", description = "The model that is served, or its name.")
        private Path source;

        @Mixin
        private AccountOptions accounts;

        @Override
        public Integer call() {
            String name = LoadedModel.nameOf(source);
            try (Accounts opened = accounts.open()) {
                PromotionStore promotions = new PromotionStore(opened.database());
                Promotion back = promotions
                        .takeBack(name, Instant.now())
                        .orElseThrow(() -> new IllegalArgumentException(
                                "nothing has been promoted for " + name + ": it answers as it is"));
                System.err.printf(
                        "taken back: %s; now %s for %s%n",
                        back.adapter(),
                        promotions
                                .current(name)
                                .map(now -> now.adapter() + " answers")
                                .orElse("the model itself answers"),
                        name);
                return 0;
            }
        }
    }
}
