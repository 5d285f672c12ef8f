package ai.epitome.train.preference;

import ai.epitome.model.LoadedModel;
import ai.epitome.model.generation.GenerationRequest;
import ai.epitome.model.generation.Sampling;
import ai.epitome.model.generation.TextGenerator;
import ai.epitome.model.transformer.Adapter;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.text.Tokenizer;
import ai.epitome.text.chat.ChatTemplates;
import ai.epitome.train.MemoryNeed;
import ai.epitome.train.Schedule;
import ai.epitome.train.SystemMemory;
import ai.epitome.train.TrainingConfig;
import ai.epitome.train.TrainingConfig.OptimizerConfig;
import ai.epitome.train.TrainingJob;
import ai.epitome.train.TrainingJob.Score;
import ai.epitome.train.TrainingListener;
import ai.epitome.train.WeightSum;
import ai.epitome.train.data.RecordBatches;
import ai.epitome.train.preference.PairLoss.LogProbabilities;
import ai.epitome.train.run.ResumableRun;
import ai.epitome.train.run.TrainingRun;
import ai.epitome.train.sft.Learner;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.function.BooleanSupplier;

/// Direct preference optimisation (Rafailov et al. 2023) of a model, or of an adapter for it, against the model as it
/// was at the beginning. In a folder of its own; the model that it begins with is not changed.
public final class DirectPreferenceTraining implements ResumableRun {
    private static final int TOKENS_PER_STEP = 4096;
    private static final double RATE = 2e-4;
    /// An adapter begins with nothing and has far to go.
    private static final double ADAPTER_RATE = 5e-4;
    /// Pairs that give a fair impression during a run.
    private static final int IMPRESSION = 200;
    /// Tokens of a sample that is shown during a run.
    private static final int SAMPLE_TOKENS = 60;

    /// What a run is to be.
    ///
    /// @param folder of the new model
    /// @param title what is trained on what
    /// @param base what the model is called that it begins with
    /// @param adapter what is trained instead of all weights
    /// @param begun folder of the adapter that the run begins with, and that is its reference; empty for a new
    /// one
    /// @param beta how dear it is to leave the reference, above 0
    /// @param smoothing how often a preference is taken to be wrong, from 0 up to below 0.5
    /// @param training how
    /// @param command the command line, for the report
    /// @param source folder of the code, for the commit in the report
    public record Settings(
            Path folder,
            String title,
            String base,
            Optional<Adapter.Settings> adapter,
            Optional<Path> begun,
            double beta,
            double smoothing,
            TrainingConfig training,
            String command,
            Path source) {
        /// Beginning with a new adapter, or with the model.
        public Settings(
                Path folder,
                String title,
                String base,
                Optional<Adapter.Settings> adapter,
                double beta,
                double smoothing,
                TrainingConfig training,
                String command,
                Path source) {
            this(folder, title, base, adapter, Optional.empty(), beta, smoothing, training, command, source);
        }
    }

    private final Settings settings;
    private final PreferenceSet data;
    private final Arena arena = Arena.ofShared();
    private final Learner learner;
    private final DirectPreference.Terms terms;
    private final SequenceLogProbabilities scorer;
    private final ReferenceLogProbabilities reference;
    private final DirectPreference objective;
    private final TextGenerator generator;
    private final TrainingRun run;

    private DirectPreferenceTraining(
            Settings settings, LoadedModel base, PreferenceSet data, Backend backend, TrainingListener listener)
            throws IOException {
        this.settings = settings;
        this.data = data;
        TrainingConfig config = settings.training;
        terms = new DirectPreference.Terms(settings.beta, settings.smoothing);
        terms.loss(new LogProbabilities(0, 0), new LogProbabilities(0, 0)); // both are within their limits
        String key = "preferences %s, base %s%s"
                .formatted(
                        data.sha256(),
                        WeightSum.of(base.transformer()),
                        settings.begun.map(path -> ", begun with " + path).orElse(""));
        learner = learner(settings, base.transformer(), backend);
        Transformer model = learner.model();
        scorer = new SequenceLogProbabilities(model, backend, data.table());
        String made = key + ", " + backend.describe();
        ReferenceLogProbabilities kept = ReferenceLogProbabilities.kept(settings.folder, made, data);
        // Before the first step the policy is its own reference: a new adapter adds nothing.
        reference = kept != null ? kept : ReferenceLogProbabilities.of(scorer, data);
        objective =
                new DirectPreference(model, terms, reference.train(), backend, config.dropout(), config.accumulation());
        RecordBatches batches = new RecordBatches(
                data.train().stream().map(PreferencePair::examples).toList(),
                data.table(),
                config.seed(),
                config.batchRows());
        Tokenizer tokenizer = data.format().chat().tokenizer();
        String id = settings.folder.toAbsolutePath().normalize().getFileName().toString();
        generator = new TextGenerator(id, model, tokenizer, base.defaults().endOfText(), backend);
        TrainingJob job = new TrainingJob(
                learner.trained(),
                objective,
                batches::batch,
                "%s, %s%s"
                        .formatted(
                                key,
                                terms,
                                settings.adapter.map(adapter -> ", " + adapter).orElse("")),
                data.heldOut().isEmpty() ? null : this::score,
                this::sample,
                companions(base));
        try {
            run = TrainingRun.open(
                    settings.folder,
                    config,
                    job,
                    learner.optimizer(config.optimizer(), arena, backend),
                    backend,
                    listener);
            if (kept == null) {
                reference.keep(settings.folder, made);
            }
        } catch (IOException | RuntimeException e) {
            free();
            throw e;
        }
    }

    /// Makes or restores the run; nothing is trained yet. `base` belongs to the run from here on.
    public static DirectPreferenceTraining open(
            Settings settings, LoadedModel base, PreferenceSet data, Backend backend, TrainingListener listener)
            throws IOException {
        TrainingConfig rows = settings.training.with(c -> c.batchRows *= 2);
        MemoryNeed need = MemoryNeed.of(base.transformer().config(), rows, backend.compute());
        (settings.adapter.isPresent() ? need.ofFrozen(base.transformer(), backend.compute()) : need)
                .requireFits(SystemMemory.available());
        return new DirectPreferenceTraining(settings, base, data, backend, listener);
    }

    private static Learner learner(Settings settings, Transformer model, Backend backend) throws IOException {
        TrainingConfig config = settings.training;
        if (settings.adapter.isEmpty()) {
            return Learner.ofModel(model, settings.base, config, backend);
        }
        Adapter.Settings adapter = settings.adapter.get();
        return settings.begun.isPresent()
                ? Learner.ofAdapter(model, adapter, settings.begun.get(), settings.base, config, backend)
                : Learner.ofAdapter(model, adapter, settings.base, config, backend);
    }

    /// How a model is trained unless something else is asked for; the length of the run is to follow.
    ///
    /// @param adapter whether an adapter is trained, and not all weights
    public static TrainingConfig recipe(PreferenceSet data, boolean adapter) {
        int length = data.longest();
        return TrainingConfig.ofSteps(1, Math.max(1, TOKENS_PER_STEP / length / 2), length)
                .with(c -> {
                    c.optimizer = OptimizerConfig.adamW(adapter ? ADAPTER_RATE : RATE, 0);
                    c.schedule = new Schedule(Schedule.Shape.COSINE, 0, 0, 0);
                });
    }

    private SequencedMap<String, byte[]> companions(LoadedModel base) throws IOException {
        SequencedMap<String, byte[]> files =
                learner.companions(data.format().chat().tokenizer(), base.defaults());
        ChatTemplates.file(base.source())
                .or(() -> data.turns() ? Optional.of(utf8(data.format().chat().template())) : Optional.empty())
                .ifPresent(template -> files.put(ChatTemplates.FILE, template));
        files.put(TrainingConfig.FILE, settings.training.toJson());
        files.put(PreferenceSet.FILE, utf8(data.toJson().toPrettyString() + "\n"));
        return files;
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private Score score(boolean last, BooleanSupplier cancelled) {
        int count = last
                ? data.heldOut().size()
                : Math.min(IMPRESSION, data.heldOut().size());
        List<PreferencePair> pairs = data.heldOut().subList(0, count);
        List<LogProbabilities> policy = ReferenceLogProbabilities.of(scorer, pairs, cancelled);
        double loss = 0;
        double right = 0;
        double margin = 0;
        double chosen = 0;
        for (int i = 0; i < count; i++) {
            LogProbabilities before = reference.heldOut().get(i);
            double own = PairLoss.impliedMargin(policy.get(i), before);
            loss += terms.loss(policy.get(i), before).loss() / count;
            right += (own > 0 ? 1 : own == 0 ? 0.5 : 0) / count;
            margin += own / count;
            chosen += (policy.get(i).chosen() - before.chosen()) / count;
        }
        SequencedMap<String, Double> measures = new LinkedHashMap<>();
        measures.put("accuracy", right);
        measures.put("loss", loss);
        measures.put("margin in nats", margin);
        measures.put("gain of chosen answers in nats", chosen);
        return Score.of(measures, count == data.heldOut().size());
    }

    /// A held-out request, another one after each evaluation, and how the model goes on.
    private String sample() {
        if (data.heldOut().isEmpty()) {
            return null;
        }
        int[] prompt =
                data.heldOut().get((int) (run.step() % data.heldOut().size())).context();
        if (prompt.length + SAMPLE_TOKENS > generator.contextLength()) {
            return null;
        }
        GenerationRequest request = new GenerationRequest(prompt, SAMPLE_TOKENS, Sampling.ofTemperature(0, 0));
        String before = new String(data.format().chat().tokenizer().decode(prompt), StandardCharsets.UTF_8);
        return before + "\n> "
                + generator.generate(request, _ -> {}, run::stopRequested).text();
    }

    @Override
    public long step() {
        return run.step();
    }

    @Override
    public boolean isFinished() {
        return run.isFinished();
    }

    @Override
    public void requestStop() {
        run.requestStop();
    }

    @Override
    public boolean train() throws IOException {
        Map<String, String> configuration = new LinkedHashMap<>();
        configuration.put("model", learner.model().config().toString());
        settings.adapter.ifPresent(adapter -> configuration.put("adapter", adapter.toString()));
        configuration.put("beta", Double.toString(settings.beta));
        configuration.put("label smoothing", Double.toString(settings.smoothing));
        configuration.put("training", settings.training.toString());
        configuration.put("longer than a row", data.format().policy().name());
        return run.train(new TrainingRun.Account(
                settings.title, settings.command, settings.source, data.toJson(), Optional.empty(), configuration));
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
        scorer.close();
        objective.close();
        learner.close();
        arena.close();
    }
}
