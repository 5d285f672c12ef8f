package ai.epitome.cli;

import ai.epitome.model.GgufExport;
import ai.epitome.model.Quantization;
import ai.epitome.model.StoredModel;
import ai.epitome.tensor.BlockFormat;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `epitome export`: a model in the files of other tools.
@Command(
        name = "export",
        description = {
            "Write a model in the files of other tools.",
            "gguf is for llama.cpp and all that stands on it. With fewer bits a weight: epitome quantize."
        },
        mixinStandardHelpOptions = true,
        footer = {"", "Example: epitome export models/mine -o mine.gguf --dtype f16"})
final class ExportCommand implements Callable<Integer> {
    /// What can be written.
    enum Format {
        GGUF
    }

    /// What a matrix's numbers may be.
    enum Type {
        F32,
        BF16,
        F16
    }

    @Mixin
    private ModelOutput output;

    @Option(
            names = "--format",
            paramLabel = "FORMAT",
            description = "${COMPLETION-CANDIDATES} (default: what OUT ends in).")
    private Format format;

    @Option(
            names = "--dtype",
            paramLabel = "TYPE",
            description = "Numbers of matrices: ${COMPLETION-CANDIDATES}; vectors are F32 always (default: as the model"
                    + " has them, F32 where it is quantised).")
    private Type type;

    @Override
    public Integer call() throws IOException {
        requireFormat();
        return output.write((model, target, progress) ->
                GgufExport.write(model, Quantization.pure(plain(model)), target, progress));
    }

    private void requireFormat() {
        if (format == null && !output.target().toString().endsWith(".gguf")) {
            throw new IllegalArgumentException(
                    "%s does not end in .gguf: say which --format".formatted(output.target()));
        }
    }

    private BlockFormat plain(StoredModel model) {
        return type == null ? model.plainFormat() : BlockFormat.valueOf(type.name());
    }
}
