package ai.epitome.cli.weights;

import ai.epitome.model.export.GgufExport;
import ai.epitome.model.export.Quantization;
import ai.epitome.tensor.format.BlockFormat;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `epitome quantize`: a model as a GGUF file with fewer bits a weight.
@Command(
        name = "quantize",
        description = {
            "Write a model as a GGUF file with fewer bits a weight.",
            "Vectors stay F32, and matrices that decide more keep more bits, as in llama.cpp's mixtures: the head gets"
                    + " Q6_K; with Q4_K so do values and the MLP's way down in half of the layers. Rows that are no whole"
                    + " blocks of a type (32, or 256 with _K) get a larger one; what each tensor got is said at the end."
        },
        mixinStandardHelpOptions = true,
        footer = {"", "Example: epitome quantize models/mine -o mine-q4.gguf --type Q4_K"})
public final class QuantizeCommand implements Callable<Integer> {
    /// What can be written, with bits a weight.
    enum Type {
        Q8_0,
        Q6_K,
        Q5_K,
        Q4_K,
        Q4_0
    }

    @Mixin
    private ModelOutput output;

    @Option(
            names = "--type",
            paramLabel = "TYPE",
            required = true,
            description = "Blocks of matrices: ${COMPLETION-CANDIDATES} (8.5, 6.6, 5.5, 4.5 and 4.5 bits a weight).")
    private Type type;

    @Option(names = "--pure", description = "All matrices in this type.")
    private boolean pure;

    @Override
    public Integer call() throws IOException {
        Quantization quantization = new Quantization(BlockFormat.valueOf(type.name()), pure);
        return output.write((model, target, progress) -> GgufExport.write(model, quantization, target, progress));
    }
}
