package ai.epitome.cli.train;

import ai.epitome.cli.option.KernelOptions;
import ai.epitome.cli.terminal.Notices;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.train.pretrain.Pretraining;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `epitome pretrain`: trains a model from raw text.
@Command(
        name = "pretrain",
        description = {
            "Train a model from raw text, and write a report.",
            "In a folder where a run has begun it goes on from the newest checkpoint."
        },
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Example: epitome pretrain articles.jsonl.zst -o models/wiki --depth 6 --time 1h --tokenizer bpe:8192"
        })
public final class PretrainCommand implements Callable<Integer> {
    @Parameters(
            arity = "1..*",
            paramLabel = "TEXT",
            description = "Files or folders: plain text, .jsonl (field `text`), .gz, .zst, .xz, .bz2.")
    private List<Path> texts;

    @Option(
            names = {"-o", "--model"},
            paramLabel = "FOLDER",
            description = "Where the model is kept (default: models/NAME).")
    private Path folder;

    @Mixin
    private TextOptions text;

    @Mixin
    private RunOptions run;

    @Mixin
    private KernelOptions kernels;

    @Override
    public Integer call() throws IOException {
        Path model = folder != null ? folder : ModelPlace.of(texts);
        Backend backend = kernels.backend();
        System.err.println(backend.describe());
        RunPlan plan = RunPlan.of(texts, model, text, run, kernels.threads(), Notices.terminal());
        try (PreparedText _ = plan.text();
                TerminalProgress terminal = new TerminalProgress();
                Pretraining pretraining = plan.open(backend, terminal)) {
            return ForegroundRun.complete(pretraining, model, "--steps or --time");
        } finally {
            backend.workers().close();
        }
    }
}
