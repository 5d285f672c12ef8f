package ai.epitome.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.epitome.train.Schedule.Shape;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ScheduleTest {
    @Test
    void warmsUpStaysLevelAndDecays() {
        Schedule schedule = new Schedule(Shape.STABLE_THEN_LINEAR, 10, 0.4, 0.1);
        assertThat(schedule.factor(0, 100L)).isCloseTo(0.05, within(1e-12));
        assertThat(schedule.factor(4, 100L)).isCloseTo(0.45, within(1e-12));
        assertThat(schedule.factor(10, 100L)).isOne();
        assertThat(schedule.factor(59, 100L)).isOne();
        assertThat(schedule.factor(60, 100L)).isCloseTo(1 - 0.9 * 0.5 / 40, within(1e-12));
        assertThat(schedule.factor(99, 100L)).isCloseTo(0.1 + 0.9 * 0.5 / 40, within(1e-12));
    }

    @Test
    void squareRootFallsFasterAtFirst() {
        Schedule root = new Schedule(Shape.STABLE_THEN_SQUARE_ROOT, 0, 0.5, 0);
        assertThat(root.factor(62, 100L)).isCloseTo(1 - Math.sqrt(0.25), within(1e-12));
        assertThat(root.factor(49, 100L)).isOne();
    }

    @Test
    void cosineIsHalfWayInTheMiddle() {
        Schedule cosine = new Schedule(Shape.COSINE, 10, 0, 0.2);
        assertThat(cosine.factor(59, 109L)).isCloseTo(0.6, within(1e-12));
        assertThat(cosine.factor(108, 109L)).isBetween(0.2, 0.201);
    }

    @ParameterizedTest
    @EnumSource(Shape.class)
    void neverRisesAfterTheWarmUp(Shape shape) {
        Schedule schedule = new Schedule(shape, 7, 0.3, 0.05);
        for (int step = 8; step < 200; step++) {
            assertThat(schedule.factor(step, 200L))
                    .isLessThanOrEqualTo(schedule.factor(step - 1, 200L))
                    .isBetween(0.05, 1.0);
        }
    }

    @Test
    void refusesNonsense() {
        assertThatThrownBy(() -> new Schedule(Shape.COSINE, -1, 0, 0)).hasMessageContaining("-1");
        assertThatThrownBy(() -> new Schedule(Shape.COSINE, 0, 1.5, 0)).hasMessageContaining("1.5");
        assertThatThrownBy(() -> new Pace(new Schedule(Shape.COSINE, 0, 0, 0), 0, 0))
                .hasMessageContaining("steps or of seconds");
    }

    @Test
    void aRunOfStepsFollowsTheScheduleExactly() {
        Schedule schedule = new Schedule(Shape.STABLE_THEN_LINEAR, 3, 0.5, 0);
        Pace pace = new Pace(schedule, 20, 0);
        for (long step = 0; step < 20; step++) {
            assertThat(pace.over(step, 1e9)).isFalse();
            assertThat(pace.factor(step)).isEqualTo(schedule.factor(step, 20L));
            assertThat(pace.stepTaken(step + 1, step, 1)).isFalse();
        }
        assertThat(pace.over(20, 0)).isTrue();
        assertThat(pace.progress(10, 0)).isEqualTo(0.5);
    }

    @Test
    void aBudgetEndsOnTimeThoughTheMachineSlowsDown() {
        Schedule schedule = new Schedule(Shape.STABLE_THEN_LINEAR, 10, 0.5, 0);
        Pace pace = new Pace(schedule, 0, 100);
        double seconds = 0;
        long step = 0;
        List<Double> factors = new ArrayList<>();
        int plans = 0;
        while (!pace.over(step, seconds)) {
            factors.add(pace.factor(step));
            // Ten slow steps at first, then 10 a second, then 5 a second from 70 s on.
            double duration = step < 5 ? 0.5 : seconds < 70 ? 0.1 : 0.2;
            seconds += duration;
            step++;
            plans += pace.stepTaken(step, seconds, duration) ? 1 : 0;
        }
        assertThat(seconds).isBetween(97.0, 103.0);
        assertThat(plans).isBetween(2, 10);
        assertThat(factors.getLast()).isLessThan(0.02);
        for (int i = 11; i < factors.size(); i++) {
            assertThat(factors.get(i)).isLessThanOrEqualTo(factors.get(i - 1));
            // No jumps, not even where the plan changes.
            assertThat(factors.get(i - 1) - factors.get(i)).isLessThan(0.02);
        }
    }

    /// A machine that keeps its speed until three quarters of the decay are over, where the first check is long past.
    @Test
    void aPlanThatHeldIsStillCheckedAgain() {
        Pace pace = new Pace(new Schedule(Shape.STABLE_THEN_LINEAR, 0, 0.5, 0), 0, 100);
        double seconds = 0;
        long step = 0;
        while (!pace.over(step, seconds)) {
            double duration = step < 800 ? 0.1 : 0.3;
            seconds += duration;
            step++;
            pace.stepTaken(step, seconds, duration);
        }
        assertThat(seconds).isBetween(98.0, 108.0); // 140 without
    }

    @ParameterizedTest
    @EnumSource(Shape.class)
    void aBudgetedRunIsARunOfAsManySteps(Shape shape) {
        Pace pace = new Pace(new Schedule(shape, 5, 0.25, 0.1), 0, 10);
        long step = 0;
        double seconds = 0;
        while (!pace.over(step, seconds)) {
            step++;
            seconds += 0.05;
            pace.stepTaken(step, seconds, 0.05);
        }
        assertThat(step).isBetween(199L, 201L);
        assertThat(pace.plan().toStep()).isEqualTo(step);
        assertThat(pace.progress(step, seconds)).isOne();
    }

    /// The first of both ends the run, and its decay is whole either way.
    @ParameterizedTest
    @CsvSource({"0.05, 200", "0.1, 150", "0.01, 150"})
    void aRunOfStepsAndSecondsEndsWithTheFirst(double duration, long limit) {
        Pace pace = new Pace(new Schedule(Shape.STABLE_THEN_LINEAR, 5, 0.5, 0), limit, 10);
        long expected = Math.min(limit, Math.round(10 / duration));
        List<Double> factors = new ArrayList<>();
        List<Long> plans = new ArrayList<>();
        double seconds = 0;
        while (!pace.over(factors.size(), seconds)) {
            factors.add(pace.factor(factors.size()));
            seconds += duration;
            if (pace.stepTaken(factors.size(), seconds, duration)) {
                plans.add(pace.plan().fromStep());
            }
        }
        assertThat((long) factors.size()).isBetween(expected - 1, expected);
        assertThat(plans.getFirst()).isBetween(expected / 2 - 1, expected / 2 + 1);
        assertThat(factors.getLast()).isLessThan(0.02);
        assertThat(pace.progress(factors.size(), seconds)).isOne();
    }

    /// A machine that becomes faster after the plan was made does not go beyond the steps that it may take.
    @Test
    void noPlanGoesBeyondTheSteps() {
        Pace pace = new Pace(new Schedule(Shape.STABLE_THEN_LINEAR, 0, 0.5, 0), 120, 10);
        long step = 0;
        double seconds = 0;
        while (!pace.over(step, seconds)) {
            double duration = step < 60 ? 0.1 : 0.02;
            seconds += duration;
            step++;
            pace.stepTaken(step, seconds, duration);
            assertThat(pace.expectedSteps(step, seconds)).isLessThanOrEqualTo(120);
        }
        assertThat(step).isEqualTo(120);
        Pace.Plan kept = pace.plan();
        Pace shorter = new Pace(new Schedule(Shape.STABLE_THEN_LINEAR, 0, 0.5, 0), 100, 10);
        shorter.plan(kept);
        assertThat(shorter.plan()).isNull();
        assertThat(shorter.over(100, 1)).isTrue();
    }

    @Test
    void theGuardForgivesOneSpikeAndTripsOnAPlateau() {
        LossGuard guard = new LossGuard();
        for (int i = 0; i < 100; i++) {
            guard = guard.after(2 + 0.3 * Math.sin(i));
        }
        guard = guard.after(9).after(8).after(2.1);
        assertThat(guard.above()).isZero();
        assertThat(guard.mean()).isBetween(1.8, 2.2);
        for (int i = 0; i < LossGuard.PATIENCE; i++) {
            assertThat(guard.tripped()).isFalse();
            guard = guard.after(5);
        }
        assertThat(guard.tripped()).isTrue();
    }
}
