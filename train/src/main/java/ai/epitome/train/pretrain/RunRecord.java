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
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Writes `log.jsonl`, a line a step, and remembers what the report at the end tells.
///
/// A step's line waits for the step's evaluation, which comes after it, so that a line has all there is of its step.
final class RunRecord implements TrainingListener, AutoCloseable {
    static final String FILE = "log.jsonl";
    private static final int SAMPLES = 5;

    private final RunLog log;
    private final List<Report.Sample> samples = new ArrayList<>();
    private Map<String, Object> pending = new LinkedHashMap<>();
    private long pendingStep;
    private Optional<Evaluated> whole = Optional.empty();
    private Optional<Finished> finished = Optional.empty();

    RunRecord(Path folder, long step) throws IOException {
        this.log = RunLog.open(folder.resolve(FILE), step);
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
            case Evaluated evaluated -> {
                pending.put(RunLog.HELD_OUT_BITS_PER_BYTE, evaluated.bitsPerByte());
                if (evaluated.whole()) {
                    whole = Optional.of(evaluated);
                }
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
            case TrainingEvent.Started _, TrainingEvent.Planned _, TrainingEvent.Noticed _ -> {}
        }
    }

    List<Report.Sample> samples() {
        return samples;
    }

    /// The score of all held-out text, once the run is complete.
    Optional<Evaluated> whole() {
        return whole;
    }

    Optional<Finished> finished() {
        return finished;
    }

    private void flush() {
        if (pending.isEmpty() || pendingStep == 0) {
            pending = new LinkedHashMap<>();
            return;
        }
        try {
            log.append(pendingStep, pending);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        pending = new LinkedHashMap<>();
        pendingStep = 0;
    }

    private void force() {
        try {
            log.force();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
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
