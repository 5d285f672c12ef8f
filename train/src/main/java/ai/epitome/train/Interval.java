package ai.epitome.train;

/// How often something happens: every so many steps, every so many seconds of training, whichever comes first.
///
/// @param steps 0 for not by steps
/// @param seconds 0 for not by time
public record Interval(long steps, double seconds) {
    /// Not at all.
    public static final Interval NEVER = new Interval(0, 0);

    public Interval {
        if (steps < 0 || !(seconds >= 0)) {
            throw new IllegalArgumentException("an interval cannot be %d steps, %s seconds".formatted(steps, seconds));
        }
    }

    /// At every `steps`-th step.
    public static Interval ofSteps(long steps) {
        return new Interval(steps, 0);
    }

    /// When so many seconds have gone by since the last time.
    public static Interval ofSeconds(double seconds) {
        return new Interval(0, seconds);
    }

    /// Whether it is due at `step`, `since` seconds after the last time.
    boolean due(long step, double since) {
        return steps > 0 && step % steps == 0 || seconds > 0 && since >= seconds;
    }
}
