package ai.epitome.train.run;

import ai.epitome.tensor.backend.Backend;
import ai.epitome.train.Trainer;
import ai.epitome.train.TrainingConfig;
import ai.epitome.train.TrainingEvent;
import ai.epitome.train.TrainingEvent.Noticed;
import ai.epitome.train.TrainingException;
import ai.epitome.train.TrainingJob;
import ai.epitome.train.TrainingListener;
import ai.epitome.train.optimizer.Optimizer;
import ai.epitome.train.report.Baselines;
import ai.epitome.train.report.GitCommit;
import ai.epitome.train.report.Machine;
import ai.epitome.train.report.Report;
import ai.epitome.train.report.RunHistory;
import ai.epitome.train.report.RunLog;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import tools.jackson.databind.JsonNode;

/// A [Trainer] with checkpoints in a model's folder, its log there, and a report at the end: new, or going on where the
/// newest checkpoint stands.
public final class TrainingRun implements AutoCloseable {
    /// What the report tells besides what happened.
    ///
    /// @param title what is trained on what
    /// @param command the command line
    /// @param source folder of the code, for the commit
    /// @param data as [Report] takes it; `held_out.bytes` is what a whole evaluation scores
    /// @param baselines what compressors pay for the held-out text, where that means something
    /// @param configuration every setting by name
    /// @param findings what else is to stand under the results, asked when the run is over
    public record Account(
            String title,
            String command,
            Path source,
            JsonNode data,
            Optional<Baselines> baselines,
            Map<String, String> configuration,
            Supplier<Map<String, String>> findings) {
        /// Without findings.
        public Account(
                String title,
                String command,
                Path source,
                JsonNode data,
                Optional<Baselines> baselines,
                Map<String, String> configuration) {
            this(title, command, source, data, baselines, configuration, Map::of);
        }
    }

    private final Path folder;
    private final TrainingJob job;
    private final Backend backend;
    private final Optimizer optimizer;
    private final Trainer trainer;
    private final RunRecord record;

    private TrainingRun(
            Path folder, TrainingJob job, Optimizer optimizer, Backend backend, Trainer trainer, RunRecord record) {
        this.folder = folder;
        this.job = job;
        this.optimizer = optimizer;
        this.backend = backend;
        this.trainer = trainer;
        this.record = record;
    }

    /// Makes or restores the run; nothing is trained yet.
    ///
    /// @param folder of the model
    /// @param listener hears what happens
    /// @throws TrainingException if the folder is in use, or holds another run or another model
    public static TrainingRun open(
            Path folder,
            TrainingConfig config,
            TrainingJob job,
            Optimizer optimizer,
            Backend backend,
            TrainingListener listener)
            throws IOException {
        RunRecord[] opened = new RunRecord[1]; // the log opens where the trainer has found the run to stand
        TrainingListener all = event -> {
            if (opened[0] != null) {
                opened[0].on(event);
            }
            listener.on(event);
        };
        Trainer trainer = new Trainer(config, job, optimizer, backend, all);
        try {
            trainer.checkpointsIn(folder);
            opened[0] =
                    new RunRecord(folder, trainer.step(), message -> listener.on(new Noticed(trainer.step(), message)));
            return new TrainingRun(folder, job, optimizer, backend, trainer, opened[0]);
        } catch (IOException | RuntimeException e) {
            trainer.close();
            throw e;
        }
    }

    /// Steps taken so far.
    public long step() {
        return trainer.step();
    }

    /// Whether the run had come to its end before, with its report. Training on does nothing then.
    public boolean isFinished() {
        return trainer.isOver() && Files.exists(folder.resolve(Report.FILE));
    }

    /// Asks the run to end after the step that it is in, with a checkpoint. For any thread.
    public void requestStop() {
        trainer.requestStop();
    }

    /// Whether the run was asked to end.
    public boolean stopRequested() {
        return trainer.stopRequested();
    }

    /// Trains to the end, or until [#requestStop]; then writes `report.md`. Returns whether the end was reached.
    public boolean train(Account account) throws IOException {
        Files.deleteIfExists(folder.resolve(Report.FILE)); // it marks the end of a run
        boolean complete = trainer.run();
        if (complete) {
            report(account);
        }
        return complete;
    }

    private void report(Account account) throws IOException {
        Report report = new Report(
                account.title,
                account.command,
                GitCommit.of(account.source),
                Machine.here(backend.describe()),
                account.data,
                account.baselines,
                account.configuration,
                results(account),
                RunHistory.of(folder.resolve(RunLog.FILE)));
        try {
            report.write(folder);
        } catch (IOException e) {
            throw new TrainingException(
                    "the run is complete and its weights are kept, but its report could not be written to %s: %s. Free some space there and give the same command again"
                            .formatted(folder, e.getMessage()),
                    e);
        }
    }

    private Map<String, String> results(Account account) {
        long heldOutBytes = account.data.path("held_out").path("bytes").asLong(0);
        Map<String, String> values = new LinkedHashMap<>();
        long parameters = job.model().parameters().stream()
                .mapToLong(parameter -> parameter.value().size())
                .sum();
        values.put("parameters", format("%,d", parameters));
        values.put("bytes of optimizer state", format("%,d", optimizer.bytes()));
        record.evaluated()
                .filter(score -> !Double.isNaN(score.bitsPerByte()))
                .ifPresent(score -> values.put(
                        score.whole()
                                ? format("held-out bits per byte (all %,d bytes)", score.bytes())
                                : format(
                                        "held-out bits per byte (the first %,d of %,d bytes)",
                                        score.bytes(), heldOutBytes),
                        Double.toString(score.bitsPerByte())));
        record.evaluated()
                .ifPresent(score -> score.measures()
                        .forEach((name, value) -> values.put("held-out " + name, Double.toString(value))));
        values.putAll(account.findings.get());
        record.finished().ifPresent(end -> finished(values, end));
        return values;
    }

    private static void finished(Map<String, String> values, TrainingEvent.Finished end) {
        values.put("steps", format("%,d", end.step()));
        values.put("tokens", format("%,d", end.tokens()));
        values.put("seconds of training", format("%.1f", end.seconds()));
        values.put("tokens per second", format("%,.0f", end.tokens() / end.seconds()));
    }

    private static String format(String pattern, Object... values) {
        return String.format(Locale.ROOT, pattern, values);
    }

    @Override
    public void close() {
        try {
            record.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            trainer.close();
        }
    }
}
