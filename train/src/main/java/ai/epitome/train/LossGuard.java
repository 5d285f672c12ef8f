package ai.epitome.train;

/// Stops a run whose loss has left its course: not for one bad batch, but when it stays far above its running mean.
///
/// @param mean running mean of the losses that were not above the limit
/// @param count losses in it
/// @param above losses in a row above the limit
record LossGuard(double mean, long count, int above) {
    /// Weight of the newest loss in the mean.
    private static final double WEIGHT = 0.02;
    /// Losses before the mean means something.
    private static final int WARM = 50;
    /// How far above the mean is far: half as much again, and 0.5 nats where the mean is small.
    private static final double FACTOR = 1.5;

    private static final double MARGIN = 0.5;
    /// A spike that heals by itself is over sooner.
    static final int PATIENCE = 20;

    LossGuard() {
        this(0, 0, 0);
    }

    /// The guard after one more loss.
    LossGuard after(double loss) {
        if (count >= WARM && loss > limit()) {
            return new LossGuard(mean, count, above + 1);
        }
        double weight = Math.max(WEIGHT, 1.0 / (count + 1));
        return new LossGuard(mean + weight * (loss - mean), count + 1, 0);
    }

    boolean tripped() {
        return above >= PATIENCE;
    }

    double limit() {
        return FACTOR * mean + MARGIN;
    }
}
