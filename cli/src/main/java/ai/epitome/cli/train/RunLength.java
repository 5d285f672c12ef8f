package ai.epitome.cli.train;

import ai.epitome.cli.option.Numbers;
import ai.epitome.cli.option.TimeConverter;
import ai.epitome.train.TrainingConfig;
import ai.epitome.train.sft.FineTuningRecipe;
import java.time.Duration;
import picocli.CommandLine.Option;

/// How long a run lasts that reads the same records again and again.
public final class RunLength {
    @Option(
            names = "--epochs",
            paramLabel = "N",
            description = "How often the data are read (default: 3 of conversations, 1 of pairs and labelled texts).",
            converter = Numbers.Rate.class)
    private Double epochs;

    @Option(
            names = "--steps",
            paramLabel = "N",
            description = "Number of steps, instead of epochs; with --time what comes first.",
            converter = Numbers.LongCount.class)
    private Long steps;

    @Option(
            names = "--time",
            paramLabel = "TIME",
            description = "Time to train instead of epochs: 3m, 90s, 1h30m; with --epochs or --steps what comes first.",
            converter = TimeConverter.class)
    private Duration time;

    /// A configuration of this length; that of a run that has begun keeps its own where none is given.
    ///
    /// @param begun whether `config` is of a run that goes on
    /// @param usual epochs of a new run
    /// @param stepsPerEpoch steps in which all records are read once
    /// @throws IllegalArgumentException when both epochs and steps are given
    public TrainingConfig of(TrainingConfig config, boolean begun, double usual, double stepsPerEpoch) {
        if (epochs != null && steps != null) {
            throw new IllegalArgumentException(
                    "--epochs %s and --steps %d are two lengths of one run; leave one of them out"
                            .formatted(epochs, steps));
        }
        Long given = epochs == null ? steps : Long.valueOf(steps(epochs, stepsPerEpoch));
        if (time != null) {
            return FineTuningRecipe.forSeconds(config, time.toMillis() / 1000.0)
                    .with(c -> c.steps = given == null ? 0 : given);
        }
        if (given != null) {
            return FineTuningRecipe.forSteps(config, given);
        }
        return begun ? config : FineTuningRecipe.forSteps(config, steps(usual, stepsPerEpoch));
    }

    private static long steps(double epochs, double stepsPerEpoch) {
        return Math.max(1, (long) Math.ceil(epochs * stepsPerEpoch));
    }
}
