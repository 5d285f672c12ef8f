package ai.epitome.train.report;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.SequencedMap;

/// What a report tells of the steps of a run, gathered in one pass over its log. The curves of the steps are thinned
/// as they come, so that memory grows with the number of measurements and not with that of steps.
public final class RunHistory {
    /// Samples that the report shows.
    private static final int SAMPLES = 5;

    /// A measurement of the held-out text.
    ///
    /// @param tokens trained on before, where the log says it
    /// @param seconds of training before, where the log says it
    record Measurement(long step, OptionalDouble tokens, OptionalDouble seconds, double bitsPerByte) {}

    /// What the model wrote after a step.
    record Sample(long step, String text) {}

    private final Curve loss = new Curve();
    private final Curve learningRate = new Curve();
    private final Curve speed = new Curve();
    private final List<Measurement> measurements = new ArrayList<>();
    private final SequencedMap<String, Curve> measures = new LinkedHashMap<>();
    private final Deque<Sample> samples = new ArrayDeque<>();

    /// The history of a run that has a log.
    public static RunHistory of(Path log) throws IOException {
        var history = new RunHistory();
        RunLog.read(log, history::add);
        return history;
    }

    void add(RunLog.Entry entry) {
        long step = entry.step();
        entry.number(RunLog.LOSS).ifPresent(value -> loss.add(step, value));
        entry.number(RunLog.LEARNING_RATE).ifPresent(value -> learningRate.add(step, value));
        entry.number(RunLog.TOKENS_PER_SECOND).ifPresent(value -> speed.add(step, value));
        entry.number(RunLog.HELD_OUT_BITS_PER_BYTE)
                .ifPresent(value -> measurements.add(
                        new Measurement(step, entry.number(RunLog.TOKENS), entry.number(RunLog.SECONDS), value)));
        for (String name : entry.values().propertyNames()) {
            if (name.startsWith(RunLog.HELD_OUT) && !name.equals(RunLog.HELD_OUT_BITS_PER_BYTE)) {
                String said = name.substring(RunLog.HELD_OUT.length()).replace('_', ' ');
                entry.number(name)
                        .ifPresent(value ->
                                measures.computeIfAbsent(said, _ -> new Curve()).add(step, value));
            }
        }
        entry.text(RunLog.SAMPLE).ifPresent(text -> {
            samples.addLast(new Sample(step, text));
            if (samples.size() > SAMPLES) {
                samples.removeFirst();
            }
        });
    }

    /// Natural logarithm, per token, over steps.
    Curve loss() {
        return loss;
    }

    /// Over steps.
    Curve learningRate() {
        return learningRate;
    }

    /// Tokens per second, over steps.
    Curve speed() {
        return speed;
    }

    List<Measurement> measurements() {
        return measurements;
    }

    Optional<Measurement> lastMeasurement() {
        return measurements.isEmpty() ? Optional.empty() : Optional.of(measurements.getLast());
    }

    /// What else was measured on held-out data, over steps.
    SequencedMap<String, Curve> measures() {
        return measures;
    }

    /// The last ones, the newest at the end.
    List<Sample> samples() {
        return List.copyOf(samples);
    }
}
