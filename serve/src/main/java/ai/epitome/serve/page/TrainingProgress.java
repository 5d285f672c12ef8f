package ai.epitome.serve.page;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;

/// What a training run has told so far, and a way to hear what comes. Whoever runs the trainer publishes; the page
/// listens.
///
/// Memory is bounded however long the run: of the curves at most [#CURVE_POINTS] points each are kept, thinned evenly,
/// and the last [#SAMPLES] samples. Publishing never waits for a listener: one that does not keep up is cut off and
/// begins again from a fresh history. Safe to use from any thread.
///
/// ```java
/// var progress = new TrainingProgress();
/// progress.publish(new ProgressEvent.StatusChanged(ProgressEvent.Phase.TRAINING, ""));
/// progress.publish(new ProgressEvent.Point(10, 40_960, 1.2, 34_000, 1.9, Double.NaN, 178));
/// ```
public final class TrainingProgress {
    static final int CURVE_POINTS = 1_000;
    static final int SAMPLES = 40;
    static final int SAMPLE_CHARACTERS = 4_000;
    private static final int BACKLOG = 512;

    private final ThinnedCurve training = new ThinnedCurve(CURVE_POINTS);
    private final ThinnedCurve heldOut = new ThinnedCurve(CURVE_POINTS);
    private final Deque<ProgressEvent.Sample> samples = new ArrayDeque<>();
    private final Set<Subscription> subscriptions = new HashSet<>();
    private ProgressEvent.Description description = new ProgressEvent.Description("", "", Double.NaN);
    private ProgressEvent.Baselines baselines = new ProgressEvent.Baselines(Map.of());
    private ProgressEvent.StatusChanged status = new ProgressEvent.StatusChanged(ProgressEvent.Phase.PREPARING, "");
    private Optional<ProgressEvent.Point> latest = Optional.empty();

    /// Everything that a page needs to draw a run from its beginning.
    record History(
            ProgressEvent.Description description,
            ProgressEvent.Baselines baselines,
            ProgressEvent.StatusChanged status,
            Optional<ProgressEvent.Point> latest,
            List<ProgressEvent.Point> training,
            List<ProgressEvent.Point> heldOut,
            List<ProgressEvent.Sample> samples) {}

    /// Tells all listeners, and remembers for those that come later.
    public synchronized void publish(ProgressEvent event) {
        ProgressEvent kept = remember(event);
        subscriptions.removeIf(subscription -> !subscription.offer(kept));
    }

    private ProgressEvent remember(ProgressEvent event) {
        switch (event) {
            case ProgressEvent.Description value -> description = value;
            case ProgressEvent.Baselines value -> baselines = value;
            case ProgressEvent.StatusChanged value -> status = value;
            case ProgressEvent.Point value -> {
                latest = Optional.of(value);
                if (Double.isFinite(value.trainingLoss())) {
                    training.add(value);
                }
                if (Double.isFinite(value.heldOutBitsPerByte())) {
                    heldOut.add(value);
                }
            }
            case ProgressEvent.Sample value -> {
                ProgressEvent.Sample cut =
                        new ProgressEvent.Sample(value.step(), cut(value.prompt()), cut(value.text()));
                samples.addLast(cut);
                if (samples.size() > SAMPLES) {
                    samples.removeFirst();
                }
                return cut;
            }
        }
        return event;
    }

    private static String cut(String text) {
        return text.length() <= SAMPLE_CHARACTERS ? text : text.substring(0, SAMPLE_CHARACTERS) + "…";
    }

    /// Everything so far, then every event from now on, with none lost or told twice in between.
    synchronized Subscription subscribe() {
        var subscription = new Subscription(history());
        subscriptions.add(subscription);
        return subscription;
    }

    private History history() {
        return new History(
                description, baselines, status, latest, training.points(), heldOut.points(), List.copyOf(samples));
    }

    private synchronized void unsubscribe(Subscription subscription) {
        subscriptions.remove(subscription);
    }

    public synchronized int listeners() {
        return subscriptions.size();
    }

    /// One listener's place in the stream of events.
    final class Subscription implements AutoCloseable {
        private final History history;
        private final BlockingQueue<ProgressEvent> backlog = new ArrayBlockingQueue<>(BACKLOG);
        private volatile boolean overrun;

        private Subscription(History history) {
            this.history = history;
        }

        History history() {
            return history;
        }

        private boolean offer(ProgressEvent event) {
            overrun |= !backlog.offer(event);
            return !overrun;
        }

        /// Whether events were lost because this listener was too slow.
        boolean overrun() {
            return overrun;
        }

        /// The next event, or empty when none came within the time.
        Optional<ProgressEvent> next(long milliseconds) throws InterruptedException {
            return Optional.ofNullable(backlog.poll(milliseconds, TimeUnit.MILLISECONDS));
        }

        @Override
        public void close() {
            unsubscribe(this);
        }
    }

    /// A curve of bounded length. When it is full every second point goes, and from then on only every second new one
    /// is kept, and so on: the points stay evenly spaced. The newest point is always there.
    private static final class ThinnedCurve {
        private final int limit;
        private final List<ProgressEvent.Point> points = new ArrayList<>();
        private long seen;
        private long stride = 1;
        private Optional<ProgressEvent.Point> newest = Optional.empty();

        ThinnedCurve(int limit) {
            this.limit = limit;
        }

        void add(ProgressEvent.Point point) {
            newest = Optional.of(point);
            if (seen++ % stride != 0) {
                return;
            }
            points.add(point);
            if (points.size() == limit) {
                for (int kept = 0; kept < limit / 2; kept++) {
                    points.set(kept, points.get(2 * kept));
                }
                points.subList(limit / 2, limit).clear();
                stride *= 2;
            }
        }

        List<ProgressEvent.Point> points() {
            var all = new ArrayList<>(points);
            newest.filter(point -> all.isEmpty() || all.getLast() != point).ifPresent(all::add);
            return all;
        }
    }
}
