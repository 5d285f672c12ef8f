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
            description = "Number of steps, instead of epochs.",
            converter = Numbers.LongCount.class)
    private Long steps;

    @Option(
            names = "--time",
            paramLabel = "TIME",
            description = "Time to train instead of epochs: 3m, 90s, 1h30m.",
            converter = TimeConverter.class)
    private Duration time;

    /// A configuration of this length; that of a run that has begun keeps its own where none is given.
    ///
    /// @param begun whether `config` is of a run that goes on
    /// @param usual epochs of a new run
    /// @param stepsPerEpoch steps in which all records are read once
    public TrainingConfig of(TrainingConfig config, boolean begun, double usual, double stepsPerEpoch) {
        if (time != null) {
            return FineTuningRecipe.forSeconds(config, time.toMillis() / 1000.0);
        }
        if (steps != null) {
            return FineTuningRecipe.forSteps(config, steps);
        }
        if (epochs == null && begun) {
            return config;
        }
        double wanted = (epochs == null ? usual : epochs) * stepsPerEpoch;
        return FineTuningRecipe.forSteps(config, Math.max(1, (long) Math.ceil(wanted)));
    }
}
