package ai.epitome.train.pretrain;

import ai.epitome.model.generation.GenerationDefaults;
import ai.epitome.model.generation.GenerationRequest;
import ai.epitome.model.generation.Sampling;
import ai.epitome.model.generation.TextGenerator;
import ai.epitome.model.huggingface.ModelFolder;
import ai.epitome.model.transformer.Initialization;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.text.Tokenizer;
import ai.epitome.train.LanguageModelling;
import ai.epitome.train.MemoryNeed;
import ai.epitome.train.ModelOptimizer;
import ai.epitome.train.SystemMemory;
import ai.epitome.train.TrainingConfig;
import ai.epitome.train.TrainingJob;
import ai.epitome.train.TrainingListener;
import ai.epitome.train.data.BatchStream;
import ai.epitome.train.data.Dataset;
import ai.epitome.train.report.Baselines;
import ai.epitome.train.run.ResumableRun;
import ai.epitome.train.run.TrainingRun;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;

/// A pretraining run in a model's folder: new, or going on where its newest checkpoint stands.
///
/// ```java
/// try (Pretraining run = Pretraining.open(settings, dataset, tokenizer, baselines, backend, listener)) {
///     run.train(); // false when it was asked to stop before the end
/// }
/// ```
public final class Pretraining implements ResumableRun {
    /// Tokens of a sample that is shown during a run.
    private static final int SAMPLE_TOKENS = 200;

    /// What a run is to be.
    ///
    /// @param folder of the model
    /// @param title what is trained on what
    /// @param recipe shape and training
    /// @param packed whole documents side by side without attention across them, instead of contiguous windows;
    ///     a run goes on as it began
    /// @param command the command line, for the report
    /// @param source folder of the code, for the commit in the report
    public record Settings(Path folder, String title, Recipe recipe, boolean packed, String command, Path source) {}

    private final Settings settings;
    private final Dataset dataset;
    private final Optional<Baselines> baselines;
    private final Backend backend;
    private final Arena arena = Arena.ofShared();
    private final Transformer model;
    private final LanguageModelling training;
    private final HeldOutScore heldOut;
    private final TextGenerator generator;
    private final TrainingRun run;

    private Pretraining(
            Settings settings,
            Dataset dataset,
            Tokenizer tokenizer,
            Optional<Baselines> baselines,
            Backend backend,
            TrainingListener listener)
            throws IOException {
        this.settings = settings;
        this.dataset = dataset;
        this.baselines = baselines;
        this.backend = backend;
        TrainingConfig config = settings.recipe.training();
        model = new Transformer(settings.recipe.model(), Initialization.modern(config.seed()));
        training = new LanguageModelling(model, backend, config.dropout());
        heldOut = new HeldOutScore(model, backend, dataset.heldOut());
        GenerationDefaults defaults = GenerationDefaults.of(tokenizer.endOfText());
        String id = settings.folder.toAbsolutePath().normalize().getFileName().toString();
        generator = new TextGenerator(id, model, tokenizer, defaults.endOfText(), backend);
        BatchStream batches = settings.packed
                ? BatchStream.packed(dataset.train(), config.seed(), config.batchRows(), config.length())
                : BatchStream.windows(dataset.train(), config.seed(), config.batchRows(), config.length());
        TrainingJob job = new TrainingJob(
                training,
                training,
                batches::batch,
                dataset.folder().getFileName() + (settings.packed ? ", packed" : ""),
                heldOut,
                this::sample,
                companions(tokenizer, defaults));
        try {
            run = TrainingRun.open(
                    settings.folder,
                    config,
                    job,
                    ModelOptimizer.create(model, config.optimizer(), arena, backend),
                    backend,
                    listener);
        } catch (IOException | RuntimeException e) {
            free();
            throw e;
        }
    }

    /// Makes or restores the run; nothing is trained yet.
    public static Pretraining open(
            Settings settings,
            Dataset dataset,
            Tokenizer tokenizer,
            Optional<Baselines> baselines,
            Backend backend,
            TrainingListener listener)
            throws IOException {
        Recipe recipe = settings.recipe;
        MemoryNeed.of(recipe.model(), recipe.training(), backend.compute()).requireFits(SystemMemory.available());
        return new Pretraining(settings, dataset, tokenizer, baselines, backend, listener);
    }

    @Override
    public long step() {
        return run.step();
    }

    @Override
    public boolean isFinished() {
        return run.isFinished();
    }

    /// The model as it is at the moment; it goes on learning while it is used.
    public TextGenerator generator() {
        return generator;
    }

    @Override
    public void requestStop() {
        run.requestStop();
    }

    @Override
    public boolean train() throws IOException {
        return run.train(new TrainingRun.Account(
                settings.title, settings.command, settings.source, dataset.toJson(), baselines, configuration()));
    }

    private String sample() {
        GenerationRequest request =
                new GenerationRequest(new int[0], SAMPLE_TOKENS, Sampling.ofTemperature(0.8, run.step()));
        return generator.generate(request, _ -> {}, run::stopRequested).text();
    }

    private SequencedMap<String, byte[]> companions(Tokenizer tokenizer, GenerationDefaults defaults) {
        SequencedMap<String, byte[]> files = new LinkedHashMap<>(ModelFolder.companions(model, tokenizer, defaults));
        files.put(TrainingConfig.FILE, settings.recipe.training().toJson());
        files.put(DataRecord.FILE, DataRecord.toJson(dataset, settings.packed, baselines));
        return files;
    }

    private Map<String, String> configuration() {
        Map<String, String> values = new LinkedHashMap<>();
        values.put("model", settings.recipe.model().toString());
        values.put("training", settings.recipe.training().toString());
        values.put("rows", settings.packed ? "whole documents, packed" : "contiguous windows");
        return values;
    }

    @Override
    public void close() {
        try {
            run.close();
        } finally {
            free();
        }
    }

    private void free() {
        heldOut.close();
        training.close();
        model.close();
        arena.close();
    }
}
