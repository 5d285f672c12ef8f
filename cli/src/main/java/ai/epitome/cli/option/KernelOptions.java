package ai.epitome.cli.option;

import ai.epitome.tensor.backend.Backend;
import ai.epitome.tensor.backend.Backend.Kernels;
import ai.epitome.tensor.backend.Backend.Precision;
import java.util.List;
import picocli.CommandLine.Option;

/// The options that say what computes.
public final class KernelOptions {
    @Option(
            names = "--kernels",
            paramLabel = "KERNELS",
            description = "Matrix products by oneDNN, in pure Java, or there with the same bits in any batch (exact):"
                    + " ${COMPLETION-CANDIDATES} (default: auto).",
            defaultValue = "auto")
    private Kernels kernels;

    @Option(
            names = "--precision",
            paramLabel = "PRECISION",
            description = "Operands of matrix products: ${COMPLETION-CANDIDATES}; sums and weights are f32 always"
                    + " (default: auto).",
            defaultValue = "auto")
    private Precision precision;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "Kernel threads (default: all ${DEFAULT-VALUE} processors).",
            converter = Numbers.Count.class)
    private int threads = Runtime.getRuntime().availableProcessors();

    /// A new backend, with threads of its own, which whoever asks closes.
    ///
    /// @throws IllegalStateException when oneDNN is asked for and does not run here; the message says why
    public Backend backend() {
        return Backend.of(kernels, precision, threads);
    }

    /// The same as arguments of another command.
    public List<String> arguments() {
        return List.of(
                "--kernels", kernels.name(), "--precision", precision.name(), "--threads", Integer.toString(threads));
    }

    public int threads() {
        return threads;
    }
}
