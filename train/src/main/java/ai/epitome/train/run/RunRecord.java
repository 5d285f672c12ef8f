package ai.epitome.train.run;

import ai.epitome.train.TrainingEvent;
import ai.epitome.train.TrainingEvent.Checkpointed;
import ai.epitome.train.TrainingEvent.Evaluated;
import ai.epitome.train.TrainingEvent.Finished;
import ai.epitome.train.TrainingEvent.Sampled;
import ai.epitome.train.TrainingEvent.Stepped;
import ai.epitome.train.TrainingListener;
import ai.epitome.train.report.RunLog;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/// Writes `log.jsonl`, a line a step, and remembers what the report at the end tells. A line that cannot be written
/// (the disk is full) is left out: training goes on.
final class RunRecord implements TrainingListener, AutoCloseable {
    private final RunLog log;
    private final Consumer<String> notices;
    private Optional<Evaluated> evaluated = Optional.empty();
    private Optional<Finished> finished = Optional.empty();
    private boolean failing;

    /// Goes on after `step`.
    ///
    /// @param notices told when the log cannot be written, which is no reason to stop training
    RunRecord(Path folder, long step, Consumer<String> notices) throws IOException {
        this.log = RunLog.open(folder.resolve(RunLog.FILE), step);
        this.notices = notices;
    }

    @Override
    public void on(TrainingEvent event) {
        switch (event) {
            case Stepped step -> write(() -> log.append(step.step(), values(step)));
            case Evaluated score -> {
                evaluated = Optional.of(score);
                write(() -> log(score.step(), values(score)));
            }
            case Sampled sampled -> write(() -> log(sampled.step(), Map.of(RunLog.SAMPLE, sampled.text())));
            case Checkpointed _ -> write(log::force);
            case Finished end -> {
                write(log::force);
                finished = Optional.of(end);
            }
            case TrainingEvent.Started _, TrainingEvent.Planned _, TrainingEvent.Noticed _ -> {}
        }
    }

    /// The latest score: that of the end, once the run is complete.
    Optional<Evaluated> evaluated() {
        return evaluated;
    }

    Optional<Finished> finished() {
        return finished;
    }

    /// Adds to the line of a step; the line may be missing after a power failure.
    private void log(long step, Map<String, Object> values) throws IOException {
        if (log.lastStep() < step) {
            log.append(step, values);
        } else {
            log.amend(values);
        }
    }

    private static Map<String, Object> values(Stepped step) {
        Map<String, Object> values = new LinkedHashMap<>();
        values.put(RunLog.TOKENS, step.tokens());
        values.put(RunLog.SECONDS, rounded(step.seconds()));
        values.put(RunLog.LOSS, step.loss());
        values.put(RunLog.BITS_PER_BYTE, step.bitsPerByte());
        values.put(RunLog.LEARNING_RATE, step.learningRate());
        values.put(RunLog.GRADIENT_NORM, step.gradientNorm());
        values.put(RunLog.TOKENS_PER_SECOND, rounded(step.tokensPerSecond()));
        step.measures().forEach((name, value) -> values.put(name.replace(' ', '_'), value));
        return values;
    }

    /// Something that writes.
    @FunctionalInterface
    private interface Writing {
        void run() throws IOException;
    }

    private void write(Writing writing) {
        try {
            writing.run();
            failing = false;
        } catch (IOException e) {
            if (!failing) {
                notices.accept("%s; training goes on without it".formatted(e.getMessage()));
            }
            failing = true;
        }
    }

    private static Map<String, Object> values(Evaluated score) {
        Map<String, Object> values = new LinkedHashMap<>();
        if (!Double.isNaN(score.bitsPerByte())) {
            values.put(RunLog.HELD_OUT_BITS_PER_BYTE, score.bitsPerByte());
        }
        score.measures().forEach((name, value) -> values.put(RunLog.HELD_OUT + name.replace(' ', '_'), value));
        return values;
    }

    private static double rounded(double value) {
        return Math.round(value * 1000) / 1000.0;
    }

    @Override
    public void close() throws IOException {
        log.close();
    }
}
