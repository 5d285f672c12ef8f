package ai.epitome.cli.train;

import java.util.OptionalDouble;
import java.util.OptionalInt;

/// How many rows, or pairs, a step has, and how often they are read. What is left open is as usual where there
/// are many; few are read more often, in smaller steps, so that a run has some steps to learn in.
public record Pace(int batch, double epochs) {
    /// Pairs are read once, and few of them some times more.
    public static final double PREFERENCE_EPOCHS = 1;
    public static final double MOST_PREFERENCE_EPOCHS = 3;

    private static final int LEAST_STEPS = 60;

    /// @param rows that there are
    public static Pace of(
            OptionalDouble epochs, OptionalInt size, long rows, int usualBatch, double usualEpochs, double mostEpochs) {
        double usual = epochs.orElse(usualEpochs);
        int batch = size.orElse(Math.clamp((long) (usual * rows / LEAST_STEPS), 1, usualBatch));
        double wanted = Math.ceil((double) LEAST_STEPS * batch / rows);
        return new Pace(batch, epochs.orElse(Math.clamp(wanted, usualEpochs, mostEpochs)));
    }

    /// Steps that these epochs are; at least one.
    public long steps(long rows) {
        return Math.max(1, (long) Math.ceil(epochs * rows / batch));
    }
}
