package ai.epitome.train.pretrain;

import ai.epitome.train.TrainingEvent;
import ai.epitome.train.TrainingEvent.Checkpointed;
import ai.epitome.train.TrainingEvent.Evaluated;
import ai.epitome.train.TrainingEvent.Finished;
import ai.epitome.train.TrainingEvent.Sampled;
import ai.epitome.train.TrainingEvent.Stepped;
import ai.epitome.train.TrainingListener;
import ai.epitome.train.report.Report;
import ai.epitome.train.report.RunLog;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/// Writes `log.jsonl`, a line a step, and remembers what the report at the end tells. A line that cannot be written
/// (the disk is full) is left out: training goes on.
final class RunRecord implements TrainingListener, AutoCloseable {
    private static final int SAMPLES = 5;

    private final RunLog log;
    private final Consumer<String> notices;
    private final List<Report.Sample> samples = new ArrayList<>();
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
                write(() -> log(score));
            }
            case Sampled sampled -> {
                if (samples.size() == SAMPLES) {
                    samples.removeFirst();
                }
                samples.add(new Report.Sample("step %,d".formatted(sampled.step()), sampled.text()));
            }
            case Checkpointed _ -> write(log::force);
            case Finished end -> {
                write(log::force);
                finished = Optional.of(end);
            }
            case TrainingEvent.Started _, TrainingEvent.Planned _, TrainingEvent.Noticed _ -> {}
        }
    }

    List<Report.Sample> samples() {
        return samples;
    }

    /// The latest score: that of the end, once the run is complete.
    Optional<Evaluated> evaluated() {
        return evaluated;
    }

    Optional<Finished> finished() {
        return finished;
    }

    /// Adds the score to the line of its step; the line may be missing after a power failure.
    private void log(Evaluated score) throws IOException {
        Map<String, Object> value = Map.of(RunLog.HELD_OUT_BITS_PER_BYTE, score.bitsPerByte());
        if (log.lastStep() < score.step()) {
            log.append(score.step(), value);
        } else {
            log.amend(value);
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

    private static double rounded(double value) {
        return Math.round(value * 1000) / 1000.0;
    }

    @Override
    public void close() throws IOException {
        log.close();
    }
}
