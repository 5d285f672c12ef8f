package ai.epitome.train.sft;

import ai.epitome.train.Interval;
import ai.epitome.train.Schedule;
import ai.epitome.train.TrainingConfig;
import ai.epitome.train.TrainingConfig.OptimizerConfig;
import ai.epitome.train.data.BatchStream;
import ai.epitome.train.data.CorpusException;

/// How a model is fine-tuned unless something else is asked for: AdamW at a rate below pretraining's, that falls to
/// zero.
public final class FineTuningRecipe {
    /// How often the conversations are read.
    public static final double EPOCHS = 3;
    /// Rows are no longer than this by themselves.
    public static final int LONGEST_ROW = 1024;

    private static final int TOKENS_PER_STEP = 4096;
    private static final double RATE = 5e-4;
    /// An adapter begins with nothing and has far to go.
    private static final double ADAPTER_RATE = 2e-3;
    private static final double WARM_UP = 0.05;
    /// A run has this many evaluations and checkpoints.
    private static final int LOOKS = 10;

    private FineTuningRecipe() {}

    /// Without its length, which is to follow.
    ///
    /// @param length tokens of a row
    /// @param adapter whether an adapter is trained, and not all weights
    public static TrainingConfig of(int length, boolean adapter) {
        return TrainingConfig.ofSteps(1, Math.max(1, TOKENS_PER_STEP / length), length)
                .with(c -> {
                    c.optimizer = OptimizerConfig.adamW(adapter ? ADAPTER_RATE : RATE, 0);
                    c.schedule = new Schedule(Schedule.Shape.COSINE, 0, 0, 0);
                });
    }

    /// Steps in which all conversations are read once.
    public static double stepsPerEpoch(TrainingConfig config, ConversationSet data) throws CorpusException {
        long rows = BatchStream.examples(data.train(), data.table(), 0, 1, data.length())
                .rowsPerEpoch();
        return rows / ((double) config.batchRows() * config.accumulation());
    }

    /// A run of `steps` steps.
    public static TrainingConfig forSteps(TrainingConfig config, long steps) {
        long often = Math.max(1, steps / LOOKS);
        return config.with(c -> {
            c.seconds = 0;
            c.steps = steps;
            c.schedule = warmed(c.schedule, Math.round(WARM_UP * steps));
            c.evaluate = c.evaluate.equals(Interval.NEVER) ? Interval.ofSteps(often) : c.evaluate;
            c.checkpoint = c.checkpoint.equals(Interval.NEVER) ? Interval.ofSteps(often) : c.checkpoint;
        });
    }

    /// A run of `seconds` seconds. Its schedule is level before it falls, since the number of steps is not known.
    public static TrainingConfig forSeconds(TrainingConfig config, double seconds) {
        Interval often = Interval.ofSeconds(Math.clamp(seconds / LOOKS, 5, 300));
        return config.with(c -> {
            c.seconds = seconds;
            c.steps = 0;
            if (c.schedule.shape() == Schedule.Shape.COSINE) {
                c.schedule = new Schedule(Schedule.Shape.STABLE_THEN_LINEAR, 10, 0.5, c.schedule.end());
            }
            c.evaluate = c.evaluate.equals(Interval.NEVER) ? often : c.evaluate;
            c.checkpoint = c.checkpoint.equals(Interval.NEVER) ? often : c.checkpoint;
        });
    }

    private static Schedule warmed(Schedule schedule, long steps) {
        long warmUp = schedule.warmupSteps() > 0 ? schedule.warmupSteps() : steps;
        return new Schedule(schedule.shape(), warmUp, schedule.decay(), schedule.end());
    }
}
