package ai.epitome.serve.page;

import java.util.Map;

/// Something that a training run has to tell.
public sealed interface ProgressEvent {

    /// What the run is about; a later one replaces an earlier one.
    ///
    /// @param title what is trained on what, for example `a 3.3M-parameter model on tinyshakespeare`
    /// @param kernels the line that tells which kernels and threads are used
    /// @param bytesPerToken mean length of a token, to turn a loss into bits per byte; NaN when unknown
    record Description(String title, String kernels, double bytesPerToken) implements ProgressEvent {}

    /// What other compressors need for the held-out bytes.
    ///
    /// @param bitsPerByte name to bits per byte
    record Baselines(Map<String, Double> bitsPerByte) implements ProgressEvent {
        public Baselines {
            bitsPerByte = Map.copyOf(bitsPerByte);
        }
    }

    /// The state after a step. Numbers that are not known are NaN.
    ///
    /// @param step optimizer steps so far
    /// @param tokens tokens trained on so far
    /// @param seconds time trained so far
    /// @param tokensPerSecond current speed
    /// @param trainingLoss nats per token
    /// @param heldOutBitsPerByte bits per byte of the held-out text; NaN at steps without evaluation
    /// @param etaSeconds time still to go
    record Point(
            long step,
            long tokens,
            double seconds,
            double tokensPerSecond,
            double trainingLoss,
            double heldOutBitsPerByte,
            double etaSeconds)
            implements ProgressEvent {}

    /// What the model wrote at a step.
    ///
    /// @param prompt what it was given; not part of `text`
    record Sample(long step, String prompt, String text) implements ProgressEvent {}

    /// A new phase.
    ///
    /// @param message what the user should know, and do, about it; may be empty
    record StatusChanged(Phase phase, String message) implements ProgressEvent {}

    /// Where a run stands.
    public enum Phase {
        PREPARING,
        TRAINING,
        EVALUATING,
        READY,
        FAILED
    }
}
