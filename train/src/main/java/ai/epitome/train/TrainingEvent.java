package ai.epitome.train;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.SequencedMap;

/// What a run tells of itself, in order, on the thread that trains: to a progress bar, a log, a page.
public sealed interface TrainingEvent {
    /// Steps taken when it happened.
    long step();

    /// The first event.
    ///
    /// @param step 0, or where the run goes on
    /// @param seconds of training before it
    /// @param config of the run
    /// @param parameters trainable numbers of the model
    /// @param optimizerBytes that the optimizer remembers of them
    record Started(long step, double seconds, TrainingConfig config, long parameters, long optimizerBytes)
            implements TrainingEvent {}

    /// A step was taken.
    ///
    /// @param step its number, from 1
    /// @param expectedSteps in the whole run; an estimate while a run by time has no plan
    /// @param progress of the run, from 0 to 1
    /// @param tokens trained on since the beginning
    /// @param seconds of training since the beginning
    /// @param loss of the step, nats a token
    /// @param bitsPerByte the same as bits a byte of text
    /// @param rateFactor of the schedule
    /// @param learningRate of matrices
    /// @param gradientNorm before clipping
    /// @param tokensPerSecond of the step
    /// @param measures what else the objective tells of the step, by name
    record Stepped(
            long step,
            long expectedSteps,
            double progress,
            long tokens,
            double seconds,
            double loss,
            double bitsPerByte,
            double rateFactor,
            double learningRate,
            double gradientNorm,
            double tokensPerSecond,
            SequencedMap<String, Double> measures)
            implements TrainingEvent {
        public Stepped(
                long step,
                long expectedSteps,
                double progress,
                long tokens,
                double seconds,
                double loss,
                double bitsPerByte,
                double rateFactor,
                double learningRate,
                double gradientNorm,
                double tokensPerSecond) {
            this(
                    step,
                    expectedSteps,
                    progress,
                    tokens,
                    seconds,
                    loss,
                    bitsPerByte,
                    rateFactor,
                    learningRate,
                    gradientNorm,
                    tokensPerSecond,
                    new LinkedHashMap<>());
        }
    }

    /// A run by time has now, or has changed, its last step.
    ///
    /// @param decayStart where this plan begins
    /// @param lastStep steps of the whole run
    record Planned(long step, long decayStart, long lastStep) implements TrainingEvent {}

    /// Held-out text was scored.
    ///
    /// @param seconds of training since the beginning
    /// @param bytes how many bytes of it were
    /// @param whole whether those are all that are held out
    /// @param took seconds for scoring
    /// @param measures what was measured besides, by name; `bitsPerByte` is NaN where these are all
    record Evaluated(
            long step,
            double seconds,
            double bitsPerByte,
            long bytes,
            boolean whole,
            double took,
            SequencedMap<String, Double> measures)
            implements TrainingEvent {
        public Evaluated(long step, double seconds, double bitsPerByte, long bytes, boolean whole, double took) {
            this(step, seconds, bitsPerByte, bytes, whole, took, new LinkedHashMap<>());
        }
    }

    /// The model wrote something.
    record Sampled(long step, String text) implements TrainingEvent {}

    /// A checkpoint is whole.
    ///
    /// @param bytes of it
    /// @param took seconds of writing, beside training
    record Checkpointed(long step, Path folder, long bytes, double took) implements TrainingEvent {}

    /// Something that a person should know; training goes on.
    record Noticed(long step, String message) implements TrainingEvent {}

    /// The last event of a run that was not broken off by an error.
    ///
    /// @param complete whether it came to its end, and was not stopped
    /// @param tokens trained on since the beginning
    /// @param seconds of training since the beginning
    /// @param wallSeconds since this process began the run, with everything
    record Finished(long step, boolean complete, long tokens, double seconds, double wallSeconds)
            implements TrainingEvent {}
}
