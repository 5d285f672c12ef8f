package ai.epitome.train;

/// How the learning rate moves through a run: up in a warm-up, level, and down in a decay. A pure function.
///
/// ```
///        STABLE_THEN_*                COSINE
///   1      ________                     __
///         /        \                   /  `.
///        /          \                 /     `-.
///       /            \  end          /         `__ end
///      |----|-------|-----|         |----|----------|
///      warm-up      decay           warm-up  decay
/// ```
///
/// The level part does not depend on the length of the run, which may stay open until the decay begins (warmup-stable-
/// decay: Hu et al. 2024; the square-root shape: Hägele et al. 2024). Factors are taken at the middle of a step, so the
/// first and the last step are not wasted on a rate of zero.
///
/// @param shape see the drawing
/// @param warmupSteps steps of linear warm-up
/// @param decay last part of the run that decays, from 0 to 1; [Shape#COSINE] decays from the warm-up on and ignores it
/// @param end factor at the very end, from 0 to 1
public record Schedule(Shape shape, long warmupSteps, double decay, double end) {
    /// The form of the decay.
    public enum Shape {
        /// Level, then a straight line.
        STABLE_THEN_LINEAR,
        /// Level, then `1 - sqrt(x)`.
        STABLE_THEN_SQUARE_ROOT,
        /// Half a cosine (Loshchilov and Hutter 2017).
        COSINE
    }

    public Schedule {
        if (warmupSteps < 0 || !(decay >= 0 && decay <= 1) || !(end >= 0 && end <= 1)) {
            throw new IllegalArgumentException(
                    "a schedule needs warm-up steps of at least 0 and a decay and an end from 0 to 1, not %d, %s and %s"
                            .formatted(warmupSteps, decay, end));
        }
    }

    /// The step at which a run of `steps` steps begins to decay.
    public long decayStart(long steps) {
        return switch (shape) {
            case COSINE -> Math.min(warmupSteps, steps);
            case STABLE_THEN_LINEAR, STABLE_THEN_SQUARE_ROOT -> steps - Math.round(decay * steps);
        };
    }

    /// The learning rate's factor.
    ///
    /// @param step steps taken before this one
    /// @param decayed how much of the decay has passed, from 0 to 1
    public double factor(long step, double decayed) {
        double warm = step < warmupSteps ? (step + 0.5) / warmupSteps : 1;
        double left = switch (shape) {
            case STABLE_THEN_LINEAR -> 1 - decayed;
            case STABLE_THEN_SQUARE_ROOT -> 1 - Math.sqrt(decayed);
            case COSINE -> 0.5 * (1 + Math.cos(Math.PI * decayed));
        };
        return warm * (end + (1 - end) * left);
    }

    /// The factor in a run whose length is known from the beginning.
    public double factor(long step, long steps) {
        long start = decayStart(steps);
        return factor(step, step < start ? 0 : (step - start + 0.5) / (steps - start));
    }
}
