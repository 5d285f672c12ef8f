package ai.epitome.cli.up;

import ai.epitome.cli.train.RunPlan;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.serve.page.ProgressEvent;
import ai.epitome.serve.page.ProgressEvent.Phase;
import ai.epitome.serve.page.TrainingProgress;
import ai.epitome.train.TrainingEvent;
import ai.epitome.train.TrainingEvent.Evaluated;
import ai.epitome.train.TrainingEvent.Sampled;
import ai.epitome.train.TrainingEvent.Started;
import ai.epitome.train.TrainingEvent.Stepped;
import ai.epitome.train.TrainingListener;
import ai.epitome.train.pretrain.DataRecord;
import ai.epitome.train.report.Baselines;
import ai.epitome.train.report.RunLog;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Tells the page what the trainer tells.
final class WebProgress implements TrainingListener {
    private final TrainingProgress progress;
    private Stepped latest;

    WebProgress(TrainingProgress progress) {
        this.progress = progress;
    }

    /// Tells what is trained, and what it competes with.
    ///
    /// @param kernels what computes
    /// @param bytesPerToken mean length of a token, NaN where it is not known
    void describe(String title, String kernels, double bytesPerToken, Optional<Baselines> baselines) {
        progress.publish(new ProgressEvent.Description(title, kernels, bytesPerToken));
        Map<String, Double> lines = new LinkedHashMap<>();
        for (Baselines.Line line : baselines.map(Baselines::lines).orElse(List.of())) {
            lines.put(line.name(), Math.min(line.alone(), line.givenTraining()));
        }
        progress.publish(new ProgressEvent.Baselines(lines));
    }

    /// Tells all that a run told which has come to its end.
    ///
    /// @param model what it trained
    /// @param kernels what computes now
    void replayFinished(Path folder, TransformerConfig model, String kernels) throws IOException {
        Optional<DataRecord> data = DataRecord.read(folder);
        describe(
                RunPlan.title(model, folder),
                kernels,
                data.map(DataRecord::bytesPerToken).orElse(Double.NaN),
                data.flatMap(DataRecord::baselines));
        replay(folder, Long.MAX_VALUE);
    }

    /// Tells what a run has logged: before it was stopped, or to its end.
    ///
    /// @param folder of the run
    /// @param last the last step to tell of
    void replay(Path folder, long last) throws IOException {
        Path log = folder.resolve(RunLog.FILE);
        if (Files.exists(log)) {
            RunLog.read(log, entry -> {
                if (entry.step() <= last) {
                    replay(entry);
                }
            });
        }
    }

    private void replay(RunLog.Entry entry) {
        progress.publish(point(entry));
        entry.text(RunLog.SAMPLE).ifPresent(text -> progress.publish(new ProgressEvent.Sample(entry.step(), "", text)));
    }

    private static ProgressEvent.Point point(RunLog.Entry entry) {
        return new ProgressEvent.Point(
                entry.step(),
                entry.values().path(RunLog.TOKENS).asLong(),
                entry.number(RunLog.SECONDS).orElse(Double.NaN),
                entry.number(RunLog.TOKENS_PER_SECOND).orElse(Double.NaN),
                entry.number(RunLog.LOSS).orElse(Double.NaN),
                entry.number(RunLog.HELD_OUT_BITS_PER_BYTE).orElse(Double.NaN),
                Double.NaN);
    }

    @Override
    public void on(TrainingEvent event) {
        switch (event) {
            case Started _ -> progress.publish(new ProgressEvent.StatusChanged(Phase.TRAINING, ""));
            case Stepped step -> {
                latest = step;
                progress.publish(point(step, Double.NaN));
            }
            case Evaluated evaluated -> {
                if (latest != null) {
                    progress.publish(point(latest, evaluated.bitsPerByte()));
                }
            }
            case Sampled sampled -> progress.publish(new ProgressEvent.Sample(sampled.step(), "", sampled.text()));
            case TrainingEvent.Planned _,
                    TrainingEvent.Checkpointed _,
                    TrainingEvent.Noticed _,
                    TrainingEvent.Finished _ -> {}
        }
    }

    /// Tells of a run that teaches the model to answer: how long it takes, and what it answers. Its losses are of other
    /// texts, and no part of the curve.
    TrainingListener ofAnswers() {
        return event -> {
            switch (event) {
                case Stepped step -> progress.publish(timeOf(point(step, Double.NaN)));
                case Sampled sampled -> progress.publish(new ProgressEvent.Sample(sampled.step(), "", sampled.text()));
                default -> {}
            }
        };
    }

    /// Without losses.
    private static ProgressEvent.Point timeOf(ProgressEvent.Point point) {
        return new ProgressEvent.Point(
                point.step(),
                point.tokens(),
                point.seconds(),
                point.tokensPerSecond(),
                Double.NaN,
                Double.NaN,
                point.etaSeconds());
    }

    /// Tells what such a run has answered.
    void replayAnswers(Path folder) throws IOException {
        Path log = folder.resolve(RunLog.FILE);
        if (!Files.exists(log)) {
            return;
        }
        RunLog.Entry[] last = new RunLog.Entry[1];
        RunLog.read(log, entry -> {
            last[0] = entry;
            entry.text(RunLog.SAMPLE)
                    .ifPresent(text -> progress.publish(new ProgressEvent.Sample(entry.step(), "", text)));
        });
        if (last[0] != null) {
            progress.publish(timeOf(point(last[0])));
        }
    }

    private static ProgressEvent.Point point(Stepped step, double heldOut) {
        double left = step.progress() > 0 ? step.seconds() / step.progress() - step.seconds() : Double.NaN;
        return new ProgressEvent.Point(
                step.step(), step.tokens(), step.seconds(), step.tokensPerSecond(), step.loss(), heldOut, left);
    }
}
