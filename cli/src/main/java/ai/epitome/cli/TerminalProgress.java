package ai.epitome.cli;

import ai.epitome.train.TrainingEvent;
import ai.epitome.train.TrainingEvent.Evaluated;
import ai.epitome.train.TrainingEvent.Finished;
import ai.epitome.train.TrainingEvent.Noticed;
import ai.epitome.train.TrainingEvent.Sampled;
import ai.epitome.train.TrainingEvent.Started;
import ai.epitome.train.TrainingEvent.Stepped;
import ai.epitome.train.TrainingListener;
import java.util.Locale;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/// A progress bar with speed, loss and held-out bits per byte, and samples above it as the model learns. Where
/// standard error is no terminal there is no bar, only a line for each evaluation.
final class TerminalProgress implements TrainingListener, AutoCloseable {
    private static final int SAMPLE_LINES = 4;
    private static final String CLEAR_LINE = "\r\u001b[K";

    private final boolean interactive = Terminal.errorIsOne();
    private ProgressBar bar;
    private double heldOut = Double.NaN;

    @Override
    public void on(TrainingEvent event) {
        switch (event) {
            case Started started -> start(started);
            case Stepped step -> step(step);
            case Evaluated evaluated -> evaluated(evaluated);
            case Sampled sampled -> sample(sampled);
            case Noticed notice -> line("note: " + notice.message());
            case Finished end -> finish(end);
            case TrainingEvent.Planned _, TrainingEvent.Checkpointed _ -> {}
        }
    }

    private void start(Started started) {
        line(format("model: %,d parameters", started.parameters()));
        if (started.step() > 0) {
            line(format("going on after step %,d (%.0f s of training)", started.step(), started.seconds()));
        }
        if (interactive) {
            bar = new ProgressBarBuilder()
                    .setTaskName("training")
                    .setInitialMax(1000)
                    .setStyle(ProgressBarStyle.ASCII)
                    .setUpdateIntervalMillis(250)
                    .continuousUpdate()
                    .clearDisplayOnFinish()
                    .hideEta()
                    .build();
        }
    }

    private void step(Stepped step) {
        if (bar == null) {
            return;
        }
        bar.stepTo(Math.round(step.progress() * 1000));
        double left = step.progress() > 0 ? step.seconds() / step.progress() - step.seconds() : 0;
        bar.setExtraMessage(format(
                " %,.0f tok/s  loss %.3f  %s  ETA %s",
                step.tokensPerSecond(),
                step.loss(),
                Double.isNaN(heldOut) ? "" : format("held-out %.3f bits/byte", heldOut),
                time(left)));
    }

    private void evaluated(Evaluated evaluated) {
        heldOut = evaluated.bitsPerByte();
        line(format(
                "step %,6d  %6s  held-out %.4f bits per byte%s",
                evaluated.step(), time(evaluated.seconds()), heldOut, evaluated.whole() ? " (all of it)" : ""));
    }

    private void sample(Sampled sampled) {
        sampled.text().lines().limit(SAMPLE_LINES).forEach(text -> line("  | " + Visible.line(text)));
    }

    private void finish(Finished end) {
        close();
        line(format(
                "%s after %,d steps: %,d tokens in %s of training, %,.0f tokens/s",
                end.complete() ? "done" : "stopped",
                end.step(),
                end.tokens(),
                time(end.seconds()),
                end.tokens() / Math.max(1e-9, end.seconds())));
    }

    private void line(String text) {
        System.err.println((bar == null ? "" : CLEAR_LINE) + text);
    }

    private static String time(double seconds) {
        long whole = Math.round(seconds);
        return whole >= 3600
                ? format("%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60)
                : format("%d:%02d", whole / 60, whole % 60);
    }

    private static String format(String pattern, Object... values) {
        return String.format(Locale.ROOT, pattern, values);
    }

    @Override
    public void close() {
        if (bar != null) {
            bar.close();
            bar = null;
        }
    }
}
