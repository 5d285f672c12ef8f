package ai.epitome.cli.align;

import ai.epitome.cli.option.KernelOptions;
import ai.epitome.cli.terminal.Notices;
import ai.epitome.cli.terminal.TypedCommand;
import ai.epitome.cli.train.ForegroundRun;
import ai.epitome.model.LoadedModel;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.train.TrainingListener;
import ai.epitome.train.data.Corpus;
import ai.epitome.train.reward.RewardSet;
import ai.epitome.train.reward.RewardTraining;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `epitome reward`: teaches a model to judge.
@Command(
        name = "reward",
        description = {
            "Train a reward model from preferences or from texts with labels, measure it, and write a report.",
            "In a folder where a run has begun it goes on from the newest checkpoint."
        },
        mixinStandardHelpOptions = true,
        footer = {"", "Example: epitome reward models/chat preferences.jsonl -o models/reward"})
public final class RewardCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "MODEL", description = "The model to begin with; it is not changed.")
    private Path source;

    @Parameters(
            index = "1..*",
            arity = "1..*",
            paramLabel = "DATA",
            description = "A JSON object a line or in one array: `prompt`, `chosen` and `rejected` (strings or lists of"
                    + " messages), HH-RLHF's layout, or `text` and `label`; also .gz, .zst, .xz, .bz2.")
    private List<Path> files;

    @Option(
            names = {"-o", "--model"},
            required = true,
            paramLabel = "FOLDER",
            description = "Where the reward model is kept.")
    private Path folder;

    @Option(
            names = "--held-out",
            paramLabel = "FILE",
            description = "Data to measure it on, repeatable (default: one record in twenty, by hash).")
    private List<Path> heldOut;

    @Mixin
    private RecordOptions records;

    @Mixin
    private KernelOptions kernels;

    @Override
    public Integer call() throws IOException {
        return ForegroundRun.from(source, folder, kernels, this::open);
    }

    private RewardTraining open(LoadedModel base, Backend backend, TrainingListener listener) throws IOException {
        Optional<Corpus> measured = heldOut == null ? Optional.empty() : Optional.of(Corpus.of(heldOut));
        RewardSet data = RewardSet.read(Corpus.of(files), measured, records.format(base, source), records.skipWrong());
        Notices.terminal().accept(data.description());
        RewardTraining.Settings settings = new RewardTraining.Settings(
                folder,
                title(base),
                records.config(folder, () -> RewardTraining.recipe(data), data.size()),
                TypedCommand.text(),
                TypedCommand.home());
        return RewardTraining.open(settings, base, data, backend, listener);
    }

    private String title(LoadedModel base) {
        return String.format(
                Locale.ROOT,
                "A reward model of %.1fM parameters, from %s and %s",
                base.transformer().config().parameters() / 1e6,
                LoadedModel.nameOf(source),
                String.join(", ", files.stream().map(Path::toString).toList()));
    }
}
