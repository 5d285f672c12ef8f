package ai.epitome.train.pretrain;

import ai.epitome.train.TrainingEvent;
import ai.epitome.train.TrainingEvent.Checkpointed;
import ai.epitome.train.TrainingEvent.Evaluated;
import ai.epitome.train.TrainingEvent.Finished;
import ai.epitome.train.TrainingEvent.Sampled;
import ai.epitome.train.TrainingEvent.Started;
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

/// Writes `log.jsonl`, a line a step, and remembers what the report at the end tells.
///
/// A step's line waits for the step's evaluation, which comes after it, so that a line has all there is of its step.
final class RunRecord implements TrainingListener, AutoCloseable {
    static final String FILE = "log.jsonl";
    private static final int SAMPLES = 5;

    private final RunLog log;
    private final Consumer<String> notices;
    private final List<Report.Sample> samples = new ArrayList<>();
    private Map<String, Object> pending = new LinkedHashMap<>();
    private long pendingStep;
    private Optional<Evaluated> evaluated = Optional.empty();
    private Optional<Finished> finished = Optional.empty();
    private boolean failing;

    /// @param step where the run goes on
    /// @param notices told when the log cannot be written, which is no reason to stop training
    RunRecord(Path folder, long step, Consumer<String> notices) throws IOException {
        this.log = RunLog.open(folder.resolve(FILE), step);
        this.notices = notices;
    }

    @Override
    public void on(TrainingEvent event) {
        switch (event) {
            case Stepped step -> {
                flush();
                pendingStep = step.step();
                pending.put(RunLog.TOKENS, step.tokens());
                pending.put(RunLog.SECONDS, rounded(step.seconds()));
                pending.put(RunLog.LOSS, step.loss());
                pending.put(RunLog.BITS_PER_BYTE, step.bitsPerByte());
                pending.put(RunLog.LEARNING_RATE, step.learningRate());
                pending.put(RunLog.GRADIENT_NORM, step.gradientNorm());
                pending.put(RunLog.TOKENS_PER_SECOND, rounded(step.tokensPerSecond()));
            }
            case Evaluated score -> {
                pending.put(RunLog.HELD_OUT_BITS_PER_BYTE, score.bitsPerByte());
                evaluated = Optional.of(score);
            }
            case Sampled sampled -> {
                if (samples.size() == SAMPLES) {
                    samples.removeFirst();
                }
                samples.add(new Report.Sample("step %,d".formatted(sampled.step()), sampled.text()));
            }
            case Checkpointed _ -> force();
            case Finished end -> {
                flush();
                force();
                finished = Optional.of(end);
            }
            case Started started -> start(started);
            case TrainingEvent.Planned _, TrainingEvent.Noticed _ -> {}
        }
    }

    /// A run that was killed just after a checkpoint has lost the line of that step, which was waiting.
    private void start(Started started) {
        if (started.step() > log.lastStep()) {
            pendingStep = started.step();
            pending.put(RunLog.SECONDS, rounded(started.seconds()));
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

    private void flush() {
        long step = pendingStep;
        Map<String, Object> values = pending;
        pending = new LinkedHashMap<>();
        pendingStep = 0;
        if (step > 0) {
            write(() -> log.append(step, values));
        }
    }

    private void force() {
        write(log::force);
    }

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
        flush();
        log.close();
    }
}
