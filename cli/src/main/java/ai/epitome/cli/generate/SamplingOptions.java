package ai.epitome.cli.generate;

import ai.epitome.model.generation.Penalties;
import ai.epitome.model.generation.Sampling;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ThreadLocalRandom;
import picocli.CommandLine.Option;

/// The options that say how tokens are drawn; [Sampling] tells their order.
final class SamplingOptions {
    @Option(
            names = "--temperature",
            paramLabel = "T",
            description = "0 always takes the likeliest token (default: ${DEFAULT-VALUE}).")
    private double temperature = 0.8;

    @Option(names = "--top-k", paramLabel = "K", description = "Only the k likeliest tokens (default: 0, all).")
    private int topK;

    @Option(
            names = "--top-p",
            paramLabel = "P",
            description = "Only the likeliest that have this probability together (default: 1, all).")
    private double topP = 1;

    @Option(
            names = "--min-p",
            paramLabel = "P",
            description = "Only tokens at least this fraction as likely as the likeliest (default: 0, all).")
    private double minP;

    @Option(
            names = "--typical",
            paramLabel = "P",
            description = "Only the most usual that have this probability together (default: 1, all).")
    private double typical = 1;

    @Option(
            names = "--repetition-penalty",
            paramLabel = "X",
            description = "Divide logits of tokens that prompt or text have already (default: 1, none).")
    private double repetition = 1;

    @Option(
            names = "--frequency-penalty",
            paramLabel = "X",
            description = "Take this off for each time that the text has a token (default: 0, none).")
    private double frequency;

    @Option(
            names = "--presence-penalty",
            paramLabel = "X",
            description = "Take this off once if the text has a token (default: 0, none).")
    private double presence;

    @Option(
            names = "--logit-bias",
            paramLabel = "TOKEN=BIAS",
            description = "Add this to the logit of a token, by id; may be given again.")
    private Map<Integer, Double> logitBias = new TreeMap<>();

    @Option(
            names = "--seed",
            paramLabel = "SEED",
            description = "The same seed gives the same text (default: a random one).")
    private Long seed;

    /// A seed is drawn where none was given.
    Sampling sampling() {
        long chosen = seed == null ? ThreadLocalRandom.current().nextLong(1L << 53) : seed;
        Penalties penalties = new Penalties(repetition, frequency, presence);
        return new Sampling(temperature, topK, topP, minP, typical, penalties, logitBias, chosen);
    }
}
