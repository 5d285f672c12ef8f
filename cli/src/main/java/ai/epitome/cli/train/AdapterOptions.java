package ai.epitome.cli.train;

import ai.epitome.cli.option.Numbers;
import ai.epitome.model.transformer.Adapter;
import ai.epitome.model.transformer.Transformer;
import java.util.Optional;
import java.util.Set;
import picocli.CommandLine.Option;

/// Whether an adapter is trained instead of all weights, and which.
public final class AdapterOptions {
    @Option(
            names = "--lora",
            paramLabel = "RANK",
            description = "Train an adapter of this rank (LoRA, kept as PEFT keeps it), not the model itself.",
            converter = Numbers.Count.class)
    private Integer rank;

    @Option(
            names = "--lora-alpha",
            paramLabel = "A",
            description = "The adapter counts A / RANK times (default: twice the rank).",
            converter = Numbers.Rate.class)
    private Double alpha;

    @Option(names = "--lora-dropout", paramLabel = "P", description = "Dropout before the adapter (default: 0).")
    private double dropout;

    @Option(
            names = "--lora-targets",
            paramLabel = "NAME",
            split = ",",
            description = "Projections that it is added to, by their names in files: q_proj,v_proj for example"
                    + " (default: all).")
    private Set<String> targets;

    /// Whether an adapter is to be trained in place of all weights.
    public boolean given() {
        return rank != null;
    }

    /// @throws IllegalArgumentException if other options are given without `--lora`
    public Optional<Adapter.Settings> settings(Transformer model) {
        if (rank == null) {
            if (alpha != null || dropout != 0 || targets != null) {
                throw new IllegalArgumentException("options of an adapter need --lora RANK");
            }
            return Optional.empty();
        }
        return Optional.of(new Adapter.Settings(
                rank,
                alpha == null ? 2.0 * rank : alpha,
                false,
                dropout,
                targets == null ? Adapter.names(model) : targets));
    }
}
