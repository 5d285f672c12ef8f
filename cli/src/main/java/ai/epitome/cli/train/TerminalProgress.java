package ai.epitome.cli.train;

import ai.epitome.cli.terminal.StatusLine;
import ai.epitome.cli.terminal.Terminal;
import ai.epitome.cli.terminal.Visible;
import ai.epitome.train.TrainingEvent;
import ai.epitome.train.TrainingEvent.Evaluated;
import ai.epitome.train.TrainingEvent.Finished;
import ai.epitome.train.TrainingEvent.Noticed;
import ai.epitome.train.TrainingEvent.Sampled;
import ai.epitome.train.TrainingEvent.Started;
import ai.epitome.train.TrainingEvent.Stepped;
import ai.epitome.train.TrainingListener;
import java.io.PrintStream;
import java.util.Locale;

/// A progress bar with speed, loss and held-out bits per byte, and samples above it as the model learns. Where
/// standard error is no terminal there is no bar, only a line for each evaluation.
public final class TerminalProgress implements TrainingListener, AutoCloseable {
    private static final int SAMPLE_LINES = 4;
    private static final int BAR = 20;
    private static final long REFRESH_NANOS = 100_000_000;

    private final StatusLine out;
    private double heldOut = Double.NaN;
    private long shown = System.nanoTime() - REFRESH_NANOS;

    public TerminalProgress() {
        this(System.err, Terminal.errorIsOne());
    }

    TerminalProgress(PrintStream err, boolean terminal) {
        out = new StatusLine(err, terminal);
    }

    @Override
    public void on(TrainingEvent event) {
        switch (event) {
            case Started started -> start(started);
            case Stepped step -> step(step);
            case Evaluated evaluated -> evaluated(evaluated);
            case Sampled sampled ->
                sampled.text().lines().limit(SAMPLE_LINES).forEach(text -> out.shortLine("  | " + Visible.line(text)));
            case Noticed notice -> out.line("note: " + notice.message());
            case Finished end -> finish(end);
            case TrainingEvent.Planned _, TrainingEvent.Checkpointed _ -> {}
        }
    }

    private void start(Started started) {
        out.line(format(
                "model: %,d parameters, %,d bytes of optimizer state", started.parameters(), started.optimizerBytes()));
        if (started.step() > 0) {
            out.line(format("going on after step %,d (%.0f s of training)", started.step(), started.seconds()));
        }
    }

    /// What matters most stands first: the end may not fit on the screen.
    private void step(Stepped step) {
        if (!step.measures().isEmpty()) {
            StringBuilder measures = new StringBuilder();
            step.measures().forEach((name, value) -> measures.append(format("  %s %.3f", name, value)));
            out.line(format("step %,6d%s", step.step(), measures));
        }
        long now = System.nanoTime();
        if (now - shown < REFRESH_NANOS) {
            return;
        }
        shown = now;
        int full = (int) (step.progress() * BAR);
        double left = step.progress() > 0 ? step.seconds() / step.progress() - step.seconds() : 0;
        out.show(format(
                "%3.0f%% [%s%s] ETA %s%s  %,.0f tok/s  loss %.3f  step %,d",
                Math.floor(step.progress() * 100),
                "#".repeat(full),
                "-".repeat(BAR - full),
                time(left),
                Double.isNaN(heldOut) ? "" : format("  %.3f bits/byte", heldOut),
                step.tokensPerSecond(),
                step.loss(),
                step.step()));
    }

    private void evaluated(Evaluated evaluated) {
        heldOut = evaluated.bitsPerByte();
        if (Double.isNaN(heldOut)) {
            StringBuilder measures = new StringBuilder();
            evaluated.measures().forEach((name, value) -> measures.append(format("  %s %.4f", name, value)));
            out.line(format(
                    "step %,6d  %6s  held-out%s%s",
                    evaluated.step(), time(evaluated.seconds()), measures, evaluated.whole() ? " (all of it)" : ""));
            return;
        }
        out.line(format(
                "step %,6d  %6s  held-out %.4f bits per byte%s",
                evaluated.step(), time(evaluated.seconds()), heldOut, evaluated.whole() ? " (all of it)" : ""));
    }

    private void finish(Finished end) {
        out.show("");
        out.line(format(
                "%s after %,d steps: %,d tokens in %s of training, %,.0f tokens/s",
                end.complete() ? "done" : "stopped",
                end.step(),
                end.tokens(),
                time(end.seconds()),
                end.tokens() / Math.max(1e-9, end.seconds())));
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

    /// Takes the bar away, so that an error does not stand behind it.
    @Override
    public void close() {
        out.show("");
    }
}
