package ai.epitome.train.sft;

import ai.epitome.model.LoadedModel;
import ai.epitome.model.generation.GenerationDefaults;
import ai.epitome.model.generation.GenerationRequest;
import ai.epitome.model.generation.Sampling;
import ai.epitome.model.generation.TextGenerator;
import ai.epitome.model.transformer.Adapter;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.text.chat.ChatTemplates;
import ai.epitome.train.MemoryNeed;
import ai.epitome.train.SystemMemory;
import ai.epitome.train.TrainingConfig;
import ai.epitome.train.TrainingJob;
import ai.epitome.train.TrainingListener;
import ai.epitome.train.WeightSum;
import ai.epitome.train.chat.ChatEncoding;
import ai.epitome.train.chat.Speaker;
import ai.epitome.train.chat.TrainingConversation;
import ai.epitome.train.chat.Turn;
import ai.epitome.train.data.BatchStream;
import ai.epitome.train.run.ResumableRun;
import ai.epitome.train.run.TrainingRun;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.TreeSet;

/// Supervised fine-tuning of a model, or of an adapter for it: the loss is the mean negative log-likelihood of
/// the assistant's tokens of a step (Ouyang et al. 2022, section 3.5, step 1). In a folder of its own; the
/// model that it begins with is not changed.
///
/// ```java
/// ChatEncoding format = ChatStyle.CHATML.over(base.tokenizer().orElseThrow());
/// ConversationSet data = ConversationSet.read(corpus, format, LongConversations.DROP, 512);
/// try (FineTuning run = FineTuning.open(settings, base, format, data, backend, listener)) {
///     run.train(); // false when it was asked to stop before the end
/// }
/// ```
public final class FineTuning implements ResumableRun {
    /// Tokens of a sample that is shown during a run.
    private static final int SAMPLE_TOKENS = 100;

    /// What a run is to be.
    ///
    /// @param folder of the new model
    /// @param title what is trained on what
    /// @param base what the model is called that it begins with
    /// @param adapter what is trained instead of all weights
    /// @param begun folder of the adapter that the run begins with, where it is no new one
    /// @param training how
    /// @param command the command line, for the report
    /// @param source folder of the code, for the commit in the report
    public record Settings(
            Path folder,
            String title,
            String base,
            Optional<Adapter.Settings> adapter,
            Optional<Path> begun,
            TrainingConfig training,
            String command,
            Path source) {
        /// Beginning with a new adapter, or with the model.
        public Settings(
                Path folder,
                String title,
                String base,
                Optional<Adapter.Settings> adapter,
                TrainingConfig training,
                String command,
                Path source) {
            this(folder, title, base, adapter, Optional.empty(), training, command, source);
        }
    }

    private final Settings settings;
    private final ChatEncoding format;
    private final ConversationSet data;
    private final Arena arena = Arena.ofShared();
    private final Learner learner;
    private final Optional<HeldOutAnswers> heldOut;
    private final TextGenerator generator;
    private final TrainingRun run;

    private FineTuning(
            Settings settings,
            LoadedModel base,
            ChatEncoding format,
            ConversationSet data,
            Backend backend,
            TrainingListener listener)
            throws IOException {
        this.settings = settings;
        this.format = format;
        this.data = data;
        TrainingConfig config = settings.training;
        String baseSum = WeightSum.of(base.transformer());
        learner = learner(settings, base, format, backend);
        Transformer model = learner.model();
        GenerationDefaults defaults = defaults(base.defaults(), format);
        String id = settings.folder.toAbsolutePath().normalize().getFileName().toString();
        generator = new TextGenerator(id, model, format.tokenizer(), defaults.endOfText(), backend);
        BatchStream rows =
                BatchStream.examples(data.train(), data.table(), config.seed(), config.batchRows(), config.length());
        heldOut = data.heldOut().isEmpty()
                ? Optional.empty()
                : Optional.of(new HeldOutAnswers(
                        model, backend, BatchStream.examples(data.heldOut(), data.table(), 0, 1, config.length())));
        TrainingJob job = new TrainingJob(
                learner.trained(),
                learner.objective(),
                rows::batch,
                "conversations %s, rows of %d, base %s%s"
                        .formatted(
                                data.sha256(),
                                config.length(),
                                baseSum,
                                settings.adapter.map(adapter -> ", " + adapter).orElse("")
                                        + settings.begun
                                                .map(path -> ", begun with " + path)
                                                .orElse("")),
                heldOut.orElse(null),
                this::sample,
                companions(defaults));
        try {
            run = TrainingRun.open(
                    settings.folder,
                    config,
                    job,
                    learner.optimizer(config.optimizer(), arena, backend),
                    backend,
                    listener);
        } catch (IOException | RuntimeException e) {
            free();
            throw e;
        }
    }

    /// Makes or restores the run; nothing is trained yet. `base` belongs to the run from here on.
    public static FineTuning open(
            Settings settings,
            LoadedModel base,
            ChatEncoding format,
            ConversationSet data,
            Backend backend,
            TrainingListener listener)
            throws IOException {
        MemoryNeed need = MemoryNeed.of(base.transformer().config(), settings.training, backend.compute());
        (settings.adapter.isPresent() ? need.ofFrozen(base.transformer(), backend.compute()) : need)
                .requireFits(SystemMemory.available());
        return new FineTuning(settings, base, format, data, backend, listener);
    }

    private static Learner learner(Settings settings, LoadedModel base, ChatEncoding format, Backend backend)
            throws IOException {
        TrainingConfig config = settings.training;
        Transformer model = base.transformer();
        int tokens = format.tokenizer().vocabularySize();
        if (settings.adapter.isEmpty()) {
            Transformer grown = GrownVocabulary.of(model, tokens, config.seed());
            return Learner.ofModel(grown, settings.base, config, backend);
        }
        if (tokens > model.config().vocabulary()) {
            throw new IllegalArgumentException(
                    "the model has %,d tokens and the format %,d, which an adapter cannot learn; choose the plain style, or begin with a model that knows the format"
                            .formatted(model.config().vocabulary(), tokens));
        }
        Adapter.Settings adapter = settings.adapter.get();
        return settings.begun.isPresent()
                ? Learner.ofAdapter(model, adapter, settings.begun.get(), settings.base, config, backend)
                : Learner.ofAdapter(model, adapter, settings.base, config, backend);
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
        configuration.put("training", settings.training.toString());
        configuration.put("longer than a row", data.policy().name());
        return run.train(new TrainingRun.Account(
                settings.title, settings.command, settings.source, data.toJson(), Optional.empty(), configuration));
    }

    /// A held-out request, another one after each evaluation, and how the model answers it.
    private String sample() {
        if (data.asked().isEmpty()) {
            return null;
        }
        TrainingConversation conversation =
                data.asked().get((int) (run.step() % data.asked().size()));
        List<Turn> asked = conversation.turns().stream()
                .takeWhile(turn -> turn.speaker() != Speaker.ASSISTANT)
                .toList();
        int[] prompt = format.prompt(asked);
        if (prompt.length >= settings.training.length()) {
            return null;
        }
        GenerationRequest request = new GenerationRequest(prompt, SAMPLE_TOKENS, Sampling.ofTemperature(0, 0));
        String answer = generator.generate(request, _ -> {}, run::stopRequested).text();
        String question = asked.isEmpty() ? "" : asked.getLast().text();
        return question + "\n> " + answer;
    }

    /// The new model ends its answers where a turn ends, and still where a text does.
    private static GenerationDefaults defaults(GenerationDefaults base, ChatEncoding format) {
        Set<Integer> ends = new TreeSet<>(base.endOfText());
        ends.add(format.endOfTurn());
        return new GenerationDefaults(ends, base.beginOfText(), base.sampling());
    }

    private SequencedMap<String, byte[]> companions(GenerationDefaults defaults) {
        SequencedMap<String, byte[]> files = learner.companions(format.tokenizer(), defaults);
        files.put(ChatTemplates.FILE, format.template().getBytes(StandardCharsets.UTF_8));
        files.put(TrainingConfig.FILE, settings.training.toJson());
        files.put(ConversationSet.FILE, (data.toJson().toPrettyString() + "\n").getBytes(StandardCharsets.UTF_8));
        return files;
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
        heldOut.ifPresent(HeldOutAnswers::close);
        learner.close();
        arena.close();
    }
}
