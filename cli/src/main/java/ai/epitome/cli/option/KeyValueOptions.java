package ai.epitome.cli.option;

import ai.epitome.model.engine.EngineLimits;
import ai.epitome.tensor.attention.KeyValueFormat;
import picocli.CommandLine.Option;

/// The option that says how keys and values are held.
public final class KeyValueOptions {
    @Option(
            names = "--kv-cache",
            paramLabel = "FORMAT",
            description = "Keep keys and values as ${COMPLETION-CANDIDATES} (default: as products read them, f32 or"
                    + " bf16, which loses nothing).")
    private KeyValueFormat format; // or null

    public EngineLimits limits() {
        return format == null ? EngineLimits.DEFAULT : EngineLimits.DEFAULT.withFormat(format);
    }
}
