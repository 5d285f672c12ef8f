package ai.epitome.train;

/// How long a run lasts, and how far its schedule has come: by a number of steps, by a budget of training time, or by
/// what comes first of both.
///
/// With a number of steps everything is fixed in advance. With a budget, the run is open while the schedule is level,
/// where the number of steps does not matter. When the decay is due ([Schedule#decay] of the budget is left), the speed
/// measured so far fixes the last step, and from there on the run is an ordinary one. Since a machine's speed drifts,
/// the rest is planned again when half of it is done, and half of what is then left, and so on, the decay going on from
/// where it stands. Every plan is reported, and kept in the checkpoint. With both, the run is open until one of them
/// makes the decay due, and no plan goes beyond the number of steps.
final class Pace {
    /// Steps that are slow because the compiler is still at work.
    private static final int COLD_STEPS = 5;
    /// A rest of fewer steps is not planned again.
    private static final long FEW_STEPS = 8;
    /// Part of a budget after which a schedule that decays from the start, or never, gets its last step.
    private static final double EARLY = 0.05;

    private static final double LATE = 0.97;

    /// From `fromStep`, where the decay stood at `fromDecayed`, evenly to its end at `toStep`.
    ///
    /// @param fromStep first step of the plan
    /// @param fromDecayed part of the decay that had passed
    /// @param toStep steps in the whole run
    record Plan(long fromStep, double fromDecayed, long toStep) {
        double decayed(long step) {
            if (step < fromStep) {
                return 0;
            }
            return fromDecayed + (1 - fromDecayed) * (step - fromStep + 0.5) / Math.max(1, toStep - fromStep);
        }
    }

    private final Schedule schedule;
    private final long limit; // steps
    private final double budget;
    private Plan plan;
    private int measured;
    private double secondsPerStep;

    /// @param steps most steps of the run, or 0 for as many as there are in `seconds`
    /// @param seconds most seconds of training, or 0 for as many as `steps` take
    Pace(Schedule schedule, long steps, double seconds) {
        if (steps <= 0 && !(seconds > 0)) {
            throw new IllegalArgumentException(
                    "a run needs a number of steps or of seconds, at least one of them above 0, not %d and %s"
                            .formatted(steps, seconds));
        }
        this.schedule = schedule;
        this.limit = steps > 0 ? steps : Long.MAX_VALUE;
        this.budget = seconds;
        this.plan = seconds > 0 ? null : new Plan(schedule.decayStart(steps), 0, steps);
    }

    /// Whether a run that has taken `step` steps in `seconds` is over.
    boolean over(long step, double seconds) {
        return plan == null ? seconds >= budget || step >= limit : step >= plan.toStep;
    }

    /// The learning rate's factor of the step after `step` steps.
    double factor(long step) {
        return schedule.factor(step, plan == null ? 0 : Math.min(1, plan.decayed(step)));
    }

    /// How much of the run is done, from 0 to 1.
    double progress(long step, double seconds) {
        double bySteps = step / (double) (plan == null ? limit : plan.toStep);
        return Math.clamp(budget > 0 ? Math.max(bySteps, seconds / budget) : bySteps, 0, 1);
    }

    /// The number of steps that the run will have: fixed, or estimated while it is open (0 before the first step).
    long expectedSteps(long step, double seconds) {
        if (plan != null) {
            return plan.toStep;
        }
        double pace = pace(step, seconds);
        return pace == 0 ? 0 : Math.min(limit, step + Math.max(0, Math.round((budget - seconds) / pace)));
    }

    /// Notes that a step took `duration` and that there are now `step` steps in `seconds`. Returns whether the plan
    /// changed.
    boolean stepTaken(long step, double seconds, double duration) {
        if (budget == 0) {
            return false;
        }
        measured++;
        if (measured > COLD_STEPS) {
            double weight = Math.max(0.05, 1.0 / (measured - COLD_STEPS));
            secondsPerStep += weight * (duration - secondsPerStep);
        }
        if (plan == null ? progress(step, seconds) < planAt() : !due(step)) {
            return false;
        }
        long inTime = step + Math.max(1, Math.round((budget - seconds) / pace(step, seconds)));
        long to = Math.min(limit, inTime);
        boolean fresh = plan == null;
        double decayed = fresh ? 0 : Math.min(1, plan.decayed(step) - halfStep());
        plan = new Plan(step, Math.max(0, decayed), to);
        return true;
    }

    private double halfStep() {
        return 0.5 * (1 - plan.fromDecayed) / Math.max(1, plan.toStep - plan.fromStep);
    }

    private boolean due(long step) {
        long rest = plan.toStep - plan.fromStep;
        return measured > COLD_STEPS && rest > FEW_STEPS && step == plan.fromStep + rest / 2;
    }

    private double planAt() {
        return switch (schedule.shape()) {
            case COSINE -> EARLY;
            case STABLE_THEN_LINEAR, STABLE_THEN_SQUARE_ROOT -> Math.clamp(1 - schedule.decay(), EARLY, LATE);
        };
    }

    private double pace(long step, double seconds) {
        return secondsPerStep > 0 ? secondsPerStep : step == 0 ? 0 : seconds / step;
    }

    /// The plan in force, or null while the run is open.
    Plan plan() {
        return plan;
    }

    /// Goes on with the plan of a checkpoint, unless it goes too far.
    void plan(Plan saved) {
        plan = saved == null || saved.toStep <= limit ? saved : null;
    }
}
