package ai.epitome.serve.page;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class TrainingProgressTest {
    private static ProgressEvent.Point point(long step) {
        return new ProgressEvent.Point(step, step, step, 1, 2, 3, Double.NaN);
    }

    @Test
    void aLongRunIsThinnedEvenlyAndKeepsItsEnds() {
        var progress = new TrainingProgress();
        int steps = 1_000_000;
        for (int step = 0; step < steps; step++) {
            progress.publish(point(step));
        }
        try (TrainingProgress.Subscription subscription = progress.subscribe()) {
            List<ProgressEvent.Point> curve = subscription.history().heldOut();
            assertThat(curve).hasSizeBetween(TrainingProgress.CURVE_POINTS / 2, TrainingProgress.CURVE_POINTS);
            assertThat(curve.getFirst().step()).isZero();
            assertThat(curve.getLast().step()).isEqualTo(steps - 1);
            long stride = curve.get(1).step();
            for (int i = 1; i < curve.size() - 1; i++) {
                assertThat(curve.get(i).step() - curve.get(i - 1).step()).isEqualTo(stride);
            }
        }
    }

    @Test
    void onlyTheLastSamplesAreKeptAndLongOnesCut() {
        var progress = new TrainingProgress();
        for (int step = 0; step < 100; step++) {
            progress.publish(new ProgressEvent.Sample(step, "", "x".repeat(10_000)));
        }
        try (TrainingProgress.Subscription subscription = progress.subscribe()) {
            List<ProgressEvent.Sample> samples = subscription.history().samples();
            assertThat(samples).hasSize(TrainingProgress.SAMPLES);
            assertThat(samples.getLast().step()).isEqualTo(99);
            assertThat(samples.getLast().text()).hasSize(TrainingProgress.SAMPLE_CHARACTERS + 1);
        }
    }

    @Test
    void whatWasPublishedBeforeIsHistoryAndWhatComesAfterIsAnEvent() throws InterruptedException {
        var progress = new TrainingProgress();
        progress.publish(point(1));
        try (TrainingProgress.Subscription subscription = progress.subscribe()) {
            progress.publish(point(2));
            assertThat(subscription.history().heldOut()).containsExactly(point(1));
            assertThat(subscription.next(1)).contains(point(2));
            assertThat(subscription.next(1)).isEqualTo(Optional.empty());
        }
        assertThat(progress.listeners()).isZero();
    }

    @Test
    void aListenerThatDoesNotKeepUpIsCutOff() {
        var progress = new TrainingProgress();
        try (TrainingProgress.Subscription subscription = progress.subscribe()) {
            for (int step = 0; step < 10_000; step++) {
                progress.publish(point(step));
            }
            assertThat(subscription.overrun()).isTrue();
            assertThat(progress.listeners()).isZero();
        }
    }
}
