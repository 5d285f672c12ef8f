package ai.epitome.cli.align;

import ai.epitome.cli.terminal.Notices;
import ai.epitome.cli.terminal.TypedCommand;
import ai.epitome.cli.text.CorpusTexts;
import ai.epitome.cli.train.ForegroundRun;
import ai.epitome.cli.train.Pace;
import ai.epitome.cli.train.TerminalProgress;
import ai.epitome.model.LoadedModel;
import ai.epitome.model.huggingface.AdapterFolder;
import ai.epitome.model.transformer.Adapter;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.text.Tokenizer;
import ai.epitome.train.TrainingConfig;
import ai.epitome.train.align.AlignmentReport;
import ai.epitome.train.align.Comparison;
import ai.epitome.train.align.Judge;
import ai.epitome.train.data.Corpus;
import ai.epitome.train.preference.DirectPreferenceTraining;
import ai.epitome.train.preference.PreferenceFormat;
import ai.epitome.train.preference.PreferenceSet;
import ai.epitome.train.prompt.Prompt;
import ai.epitome.train.prompt.PromptReader;
import ai.epitome.train.report.GitCommit;
import ai.epitome.train.report.Machine;
import ai.epitome.train.reward.RewardModel;
import ai.epitome.train.reward.RewardSet;
import ai.epitome.train.reward.RewardTraining;
import ai.epitome.train.run.ResumableRun;
import ai.epitome.train.sft.FineTuningRecipe;
import java.io.IOException;
import java.nio.IntBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;

/// The steps of a round: a judge and an adapter learn, and the adapter is compared with what answers now. What is there
/// already is not made again.
record AlignLoop(AlignRound round, Learning learning, Asking asking, Backend backend) {
    private static final int MOST_TEXTS = 300;

    /// How the judge and the adapter learn.
    ///
    /// @param judgeEpochs how often the judge reads its part; without, as many as few data want
    /// @param epochs the same of the adapter
    record Learning(OptionalDouble judgeEpochs, OptionalDouble epochs, double beta, int rank, long seed) {}

    /// What both are asked, and what is too much.
    ///
    /// @param prompts a file; empty for the requests of what is judged
    /// @param most of them
    /// @param each answers to one
    /// @param tokens of an answer
    /// @param texts whose price is compared
    /// @param mostDivergence nats
    record Asking(Optional<Path> prompts, int most, int each, int tokens, List<Path> texts, double mostDivergence) {}

    /// Lets both learn. False when it was interrupted.
    boolean learn() throws IOException {
        return (round.judge().isPresent() || complete("the judge", round.ownJudge(), this::judge))
                && complete("the adapter", round.adapter(), this::adapter);
    }

    /// Opens a run.
    @FunctionalInterface
    private interface Opener {
        ResumableRun open(TerminalProgress terminal) throws IOException;
    }

    private boolean complete(String what, Path folder, Opener opener) throws IOException {
        System.err.println(what + ": " + folder);
        try (TerminalProgress terminal = new TerminalProgress();
                ResumableRun run = opener.open(terminal)) {
            return run.isFinished() || ForegroundRun.complete(run, folder, "") == 0;
        }
    }

    private ResumableRun judge(TerminalProgress terminal) throws IOException {
        LoadedModel base = LoadedModel.open(round.source());
        PreferenceFormat format = new RecordOptions().format(base, round.source());
        RewardSet data = RewardSet.read(Corpus.of(List.of(round.judged())), Optional.empty(), format, false);
        Notices.terminal().accept(data.description());
        RewardTraining.Settings settings = new RewardTraining.Settings(
                round.ownJudge(),
                "A judge of the answers of " + base.id(),
                paced(RewardTraining.recipe(data), data.size(), learning.judgeEpochs),
                TypedCommand.text(),
                TypedCommand.home());
        return RewardTraining.open(settings, base, data, backend, terminal);
    }

    private ResumableRun adapter(TerminalProgress terminal) throws IOException {
        LoadedModel base = LoadedModel.open(round.source());
        PreferenceFormat format = new RecordOptions().format(base, round.source());
        PreferenceSet data = PreferenceSet.read(Corpus.of(List.of(round.learned())), format, false);
        Notices.terminal().accept(data.description());
        Adapter.Settings settings = round.begun().isPresent()
                ? AdapterFolder.settings(round.begun().get())
                : Adapter.Settings.of(learning.rank, Adapter.names(base.transformer()));
        return DirectPreferenceTraining.open(
                new DirectPreferenceTraining.Settings(
                        round.adapter(),
                        base.id() + ", taught by feedback",
                        round.source().toString(),
                        Optional.of(settings),
                        round.begun(),
                        learning.beta,
                        0,
                        paced(
                                DirectPreferenceTraining.recipe(data, true),
                                data.train().size(),
                                learning.epochs),
                        TypedCommand.text(),
                        TypedCommand.home()),
                base,
                data,
                backend,
                terminal);
    }

    private TrainingConfig paced(TrainingConfig recipe, int pairs, OptionalDouble epochs) {
        Pace pace = Pace.of(
                epochs,
                OptionalInt.empty(),
                pairs,
                recipe.batchRows(),
                Pace.PREFERENCE_EPOCHS,
                Pace.MOST_PREFERENCE_EPOCHS);
        TrainingConfig config = recipe.with(c -> {
            c.seed = learning.seed;
            c.batchRows = pace.batch();
        });
        return FineTuningRecipe.forSteps(config, pace.steps(pairs));
    }

    /// Asks both, and writes the report.
    AlignVerdict compare() throws IOException, InterruptedException {
        Path judge = round.judge().orElse(round.ownJudge());
        Comparison.Settings settings = new Comparison.Settings(asking.tokens, asking.each, learning.seed);
        try (LoadedModel base = served();
                RewardModel reward = RewardModel.load(judge, backend);
                Comparison comparison = new Comparison(
                        base,
                        prompts(base),
                        new Judge(reward, tokenizer(base)),
                        CorpusTexts.first(asking.texts, MOST_TEXTS),
                        settings,
                        backend);
                LoadedModel candidate = LoadedModel.open(round.source()).withAdapter(round.adapter())) {
            Comparison.Entry after = comparison.of("this round's adapter", candidate);
            List<Comparison.Entry> entries = new ArrayList<>(List.of(comparison.base(), after));
            new AlignmentReport(
                            "What feedback has changed in " + base.id(),
                            TypedCommand.text(),
                            GitCommit.of(TypedCommand.home()),
                            Machine.here(backend.describe()),
                            LoadedModel.nameOf(judge),
                            comparison.plainTexts(),
                            settings,
                            comparison.asked(),
                            entries)
                    .write(round.report());
            System.err.println("report: " + round.report().resolve(AlignmentReport.FILE));
            long answers = (long) comparison.asked().size() * asking.each;
            return AlignVerdict.of(comparison.base(), after, answers, asking.mostDivergence);
        }
    }

    /// The model as it answered when the round began.
    private LoadedModel served() throws IOException {
        LoadedModel base = LoadedModel.open(round.source());
        return round.begun().isPresent() ? base.withAdapter(round.begun().get()) : base;
    }

    private static Tokenizer tokenizer(LoadedModel model) {
        return model.tokenizer().orElseThrow(() -> new IllegalArgumentException(model.source() + " has no tokenizer"));
    }

    /// Those that leave room for an answer, each once.
    private List<Prompt> prompts(LoadedModel model) throws IOException {
        int room = model.transformer().config().context() - asking.tokens;
        Path file = asking.prompts.orElse(round.judged());
        Set<IntBuffer> seen = new HashSet<>();
        List<Prompt> fitting = new PromptReader(tokenizer(model), model.chat(), PromptReader.BEGINNING)
                .read(Corpus.of(List.of(file)), asking.most).stream()
                        .filter(prompt -> prompt.tokens().length <= room && seen.add(IntBuffer.wrap(prompt.tokens())))
                        .toList();
        if (fitting.isEmpty()) {
            throw new IllegalArgumentException(
                    "no request of %s leaves room for %d tokens in the context of %s: --max-tokens N asks for fewer"
                            .formatted(file, asking.tokens, model.id()));
        }
        return fitting;
    }
}
