package ai.epitome.cli.serve;

import ai.epitome.serve.tuning.TuningEvent;
import ai.epitome.train.TrainingEvent;
import ai.epitome.train.TrainingListener;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;

/// Tells the service what a run tells. Of a long run not every step is told.
final class TuningTeller implements TrainingListener {
    private static final long MOST_STEPS = 1_000;

    private final Path folder;
    private final Consumer<TuningEvent> events;
    private final Map<String, Double> latest = new LinkedHashMap<>();
    private double epochs;
    private double rateMultiplier;
    private long steps;
    private long tokens;

    /// @param folder of the job
    TuningTeller(Path folder, Consumer<TuningEvent> events) {
        this.folder = folder.toAbsolutePath();
        this.events = events;
    }

    /// The data have been read.
    ///
    /// @param description of them
    void begins(String description, double ofEpochs, double multiplier) {
        epochs = ofEpochs;
        rateMultiplier = multiplier;
        events.accept(new TuningEvent.Said(false, "Files validated: " + description));
    }

    @Override
    public void on(TrainingEvent event) {
        switch (event) {
            case TrainingEvent.Started started -> {
                steps = started.config().steps();
                events.accept(new TuningEvent.Started(
                        started.step(), steps, epochs, started.config().batchRows(), rateMultiplier));
            }
            case TrainingEvent.Stepped step -> {
                tokens = step.tokens();
                Map<String, Double> values = new LinkedHashMap<>();
                values.put("train_loss", step.loss());
                step.measures().forEach((name, value) -> values.put("train_" + name.replace(' ', '_'), value));
                tell(step.step(), values, step.step() % Math.max(1, steps / MOST_STEPS) == 0);
            }
            case TrainingEvent.Evaluated evaluated -> {
                Map<String, Double> values = new LinkedHashMap<>();
                evaluated.measures().forEach((name, value) -> values.put("valid_" + name.replace(' ', '_'), value));
                if (!Double.isNaN(evaluated.bitsPerByte())) {
                    values.put("valid_bits_per_byte", evaluated.bitsPerByte());
                }
                tell(evaluated.step(), values, true);
            }
            case TrainingEvent.Checkpointed checkpoint ->
                events.accept(new TuningEvent.Checkpointed(
                        checkpoint.step(),
                        folder.relativize(checkpoint.folder().toAbsolutePath()).toString(),
                        new LinkedHashMap<>(latest)));
            case TrainingEvent.Noticed notice -> events.accept(new TuningEvent.Said(true, notice.message()));
            case TrainingEvent.Sampled _, TrainingEvent.Planned _, TrainingEvent.Finished _ -> {}
        }
    }

    private void tell(long step, Map<String, Double> values, boolean aloud) {
        latest.putAll(values);
        if (aloud && !values.isEmpty()) {
            events.accept(new TuningEvent.Measured(step, steps, tokens, values));
        }
    }
}
