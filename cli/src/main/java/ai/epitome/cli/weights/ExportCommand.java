package ai.epitome.cli.weights;

import ai.epitome.model.export.GgufExport;
import ai.epitome.model.export.Llama2cExport;
import ai.epitome.model.export.Quantization;
import ai.epitome.model.export.SafetensorsExport;
import ai.epitome.model.export.StoredModel;
import ai.epitome.tensor.DType;
import ai.epitome.tensor.format.BlockFormat;
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
            "gguf is a file for llama.cpp and all that stands on it (with fewer bits a weight: epitome quantize),"
                    + " safetensors a folder for transformers, llama2c a file for llama2.c."
        },
        mixinStandardHelpOptions = true,
        footer = {"", "Example: epitome export models/mine -o mine.gguf --dtype f16"})
public final class ExportCommand implements Callable<Integer> {
    /// What can be written.
    enum Format {
        SAFETENSORS,
        GGUF,
        LLAMA2C
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
            description = "${COMPLETION-CANDIDATES} (default: gguf where OUT ends in .gguf, llama2c where in .bin,"
                    + " else safetensors).")
    private Format format;

    @Option(
            names = "--dtype",
            paramLabel = "TYPE",
            description =
                    "Numbers: ${COMPLETION-CANDIDATES}; in gguf of matrices only, llama2c has F32 (default: as the"
                            + " model has them, F32 where it is quantised).")
    private Type type;

    @Override
    public Integer call() throws IOException {
        Format chosen = format != null ? format : byName(output.target().toString());
        if (chosen == Format.LLAMA2C && type != null && type != Type.F32) {
            throw new IllegalArgumentException("llama2.c reads f32 only: leave --dtype out");
        }
        return output.write((model, target, progress) -> switch (chosen) {
            case GGUF -> GgufExport.write(model, Quantization.pure(plain(model)), target, progress);
            case SAFETENSORS ->
                SafetensorsExport.write(model, DType.valueOf(plain(model).name()), target, progress);
            case LLAMA2C -> Llama2cExport.write(model, target, progress);
        });
    }

    private static Format byName(String target) {
        return target.endsWith(".gguf") ? Format.GGUF : target.endsWith(".bin") ? Format.LLAMA2C : Format.SAFETENSORS;
    }

    private BlockFormat plain(StoredModel model) {
        return type == null ? model.plainFormat() : BlockFormat.valueOf(type.name());
    }
}
