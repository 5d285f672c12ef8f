package ai.epitome.cli.compress;

import ai.epitome.cli.option.Numbers;
import ai.epitome.cli.option.SizeConverter;
import ai.epitome.cli.terminal.StandardText;
import ai.epitome.compress.archive.Codings;
import ai.epitome.train.pretrain.PrequentialCode;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `epitome measure`: description lengths of files under a model, beside the usual compressors.
@Command(
        name = "measure",
        description = {
            "Compress files with a model and with the usual compressors, in memory, and compare what it takes.",
            "Sizes are of whole archives, the same that `compress -m` writes. The model pays from that many bytes of"
                    + " such text on at which the archive and the model's files together are shorter."
        },
        mixinStandardHelpOptions = true,
        footer = {"", "Example: epitome measure held-out.txt -m models/wiki --training training.txt"})
public final class MeasureCommand implements Callable<Integer> {
    @Parameters(arity = "1..*", paramLabel = "FILE", description = "Files that the model has not seen; any bytes.")
    private List<Path> files;

    @Option(
            names = {"-m", "--model"},
            required = true,
            paramLabel = "MODEL",
            description = "Model: a folder, a GGUF file, or one of llama2.c.")
    private Path model;

    @Option(
            names = "--training",
            paramLabel = "FILE",
            description = "Also what compressors pay when they have read the end of this text before (8 MB of it).")
    private Path training;

    @Option(
            names = "--block",
            paramLabel = "SIZE",
            description = "Blocks in which the model codes (default: 64k).",
            converter = SizeConverter.class)
    private int block = CompressCommand.PRETRAINED_BLOCK;

    @Option(
            names = {"-T", "--threads"},
            paramLabel = "N",
            description = "Threads (default: all ${DEFAULT-VALUE} processors).",
            converter = Numbers.Count.class)
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        try (Codings codings = new Codings(Optional.of(model), threads)) {
            codings.pretrained(); // a model that cannot be read is said before anything else
            ModelBytes bytes = ModelBytes.of(model);
            PrequentialCode prequential = PrequentialCode.of(model);
            Measuring measuring = new Measuring(codings, bytes.total(), block, threads);
            byte[] before = training == null ? new byte[0] : measuring.endOf(training);
            List<Measurement> measured = new ArrayList<>();
            for (Path file : files) {
                measured.add(measuring.of(file, before));
            }
            if (measured.size() > 1) {
                measured.add(Measurement.sum(measured));
            }
            PrintStream out = StandardText.output();
            MeasurementReport report = new MeasurementReport(model, bytes, prequential, measured);
            if (json) {
                out.println(report.toJson());
            } else {
                report.print(out);
            }
            out.flush();
            return 0;
        }
    }
}
