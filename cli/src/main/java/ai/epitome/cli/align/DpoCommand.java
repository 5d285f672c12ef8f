package ai.epitome.cli.align;

import ai.epitome.cli.option.KernelOptions;
import ai.epitome.cli.option.Numbers;
import ai.epitome.cli.terminal.Notices;
import ai.epitome.cli.terminal.TypedCommand;
import ai.epitome.cli.train.AdapterOptions;
import ai.epitome.cli.train.ForegroundRun;
import ai.epitome.model.LoadedModel;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.train.TrainingListener;
import ai.epitome.train.data.Corpus;
import ai.epitome.train.preference.DirectPreferenceTraining;
import ai.epitome.train.preference.PreferenceSet;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `epitome dpo`: teaches a model to prefer what people prefer.
@Command(
        name = "dpo",
        description = {
            "Direct preference optimisation: teach a model what is preferred, from pairs of answers; write a report.",
            "In a folder where a run has begun it goes on from the newest checkpoint."
        },
        mixinStandardHelpOptions = true,
        footer = {"", "Example: epitome dpo models/chat preferences.jsonl -o models/chat-dpo --beta 0.1 --lora 8"})
public final class DpoCommand implements Callable<Integer> {
    @Parameters(
            index = "0",
            paramLabel = "MODEL",
            description = "The model to begin with, which is the reference, too; it is not changed.")
    private Path source;

    @Parameters(
            index = "1..*",
            arity = "1..*",
            paramLabel = "DATA",
            description = "A JSON object a line or in one array: `prompt`, `chosen` and `rejected` (strings or lists of"
                    + " messages), or HH-RLHF's layout; also .gz, .zst, .xz, .bz2.")
    private List<Path> files;

    @Option(
            names = {"-o", "--model"},
            required = true,
            paramLabel = "FOLDER",
            description = "Where the new model, or the adapter, is kept.")
    private Path folder;

    @Option(
            names = "--beta",
            paramLabel = "B",
            defaultValue = "0.1",
            description = "How dear it is to leave the reference (default: ${DEFAULT-VALUE}).",
            converter = Numbers.Rate.class)
    private double beta;

    @Option(
            names = "--smoothing",
            paramLabel = "P",
            defaultValue = "0",
            description = "How often a preference is taken to be wrong, below 0.5 (default: ${DEFAULT-VALUE}).")
    private double smoothing;

    @Mixin
    private RecordOptions records;

    @Mixin
    private AdapterOptions adapter;

    @Mixin
    private KernelOptions kernels;

    @Override
    public Integer call() throws IOException {
        return ForegroundRun.from(source, folder, kernels, this::open);
    }

    private DirectPreferenceTraining open(LoadedModel base, Backend backend, TrainingListener listener)
            throws IOException {
        PreferenceSet data = PreferenceSet.read(Corpus.of(files), records.format(base, source), records.skipWrong());
        Notices.terminal().accept(data.description());
        DirectPreferenceTraining.Settings settings = new DirectPreferenceTraining.Settings(
                folder,
                title(base),
                source.toString(),
                adapter.settings(base.transformer()),
                beta,
                smoothing,
                records.config(
                        folder,
                        () -> DirectPreferenceTraining.recipe(data, adapter.given()),
                        data.train().size()),
                TypedCommand.text(),
                TypedCommand.home());
        return DirectPreferenceTraining.open(settings, base, data, backend, listener);
    }

    private String title(LoadedModel base) {
        return String.format(
                Locale.ROOT,
                "%s, %.1fM parameters, taught by the preferences of %s",
                LoadedModel.nameOf(source),
                base.transformer().config().parameters() / 1e6,
                String.join(", ", files.stream().map(Path::toString).toList()));
    }
}
