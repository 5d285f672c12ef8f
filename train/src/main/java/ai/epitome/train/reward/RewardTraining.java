package ai.epitome.train.reward;

import ai.epitome.model.LoadedModel;
import ai.epitome.model.huggingface.ModelFolder;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.text.chat.ChatTemplates;
import ai.epitome.train.MemoryNeed;
import ai.epitome.train.ModelOptimizer;
import ai.epitome.train.Schedule;
import ai.epitome.train.SystemMemory;
import ai.epitome.train.TrainingConfig;
import ai.epitome.train.TrainingConfig.OptimizerConfig;
import ai.epitome.train.TrainingJob;
import ai.epitome.train.TrainingJob.Score;
import ai.epitome.train.TrainingListener;
import ai.epitome.train.WeightSum;
import ai.epitome.train.data.Example;
import ai.epitome.train.data.RecordBatches;
import ai.epitome.train.optimizer.AdamW;
import ai.epitome.train.optimizer.CombinedOptimizer;
import ai.epitome.train.optimizer.Optimizer;
import ai.epitome.train.run.ResumableRun;
import ai.epitome.train.run.TrainingRun;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// A language model becomes a [RewardModel]: all its weights and a head of one row learn to judge (Ouyang et al. 2022,
/// section 3.5, step 2). In a folder of its own; the model that it begins with is not changed.
public final class RewardTraining implements ResumableRun {
    /// How often judgements are read: more than once, and a reward model knows them by heart (Ouyang et al. 2022).
    public static final double EPOCHS = 1;

    private static final int TOKENS_PER_STEP = 4096;
    private static final double RATE = 3e-4;
    /// The head begins with nothing and has far to go.
    private static final double HEAD_RATE = 3e-3;
    /// Records that give a fair impression during a run.
    private static final int IMPRESSION = 400;
    /// Records that are scored before asking whether to go on.
    private static final int PORTION = 200;

    private static final JsonMapper JSON = new JsonMapper();

    /// What a run is to be.
    ///
    /// @param folder of the new model
    /// @param title what is trained on what
    /// @param training how
    /// @param command the command line, for the report
    /// @param source folder of the code, for the commit in the report
    public record Settings(Path folder, String title, TrainingConfig training, String command, Path source) {}

    private final Settings settings;
    private final RewardSet data;
    private final Arena arena = Arena.ofShared();
    private final Transformer model;
    private final RewardLearning learning;
    private final RewardModel judge;
    private final TrainingRun run;
    private Calibration calibration = Calibration.of(new double[0]);

    private RewardTraining(
            Settings settings, LoadedModel base, RewardSet data, Backend backend, TrainingListener listener)
            throws IOException {
        this.settings = settings;
        this.data = data;
        this.model = base.transformer();
        TrainingConfig config = settings.training;
        String baseSum = WeightSum.of(model);
        if (model.head() != model.embedding()) {
            model.head().trainable(false); // it says which token follows, and nobody asks
        }
        ScoringHead head = ScoringHead.create(arena, model.config().width());
        learning = new RewardLearning(model, head, data.train(), backend, config.dropout(), config.accumulation());
        judge = RewardModel.over(model, head, data.tokenizer(), backend);
        List<List<Example>> records = data.train().stream().map(Judged::texts).toList();
        RecordBatches batches = new RecordBatches(records, data.table(), config.seed(), config.batchRows());
        TrainingJob job = new TrainingJob(
                learning,
                learning,
                batches::batch,
                "judgements %s, base %s".formatted(data.sha256(), baseSum),
                data.heldOut().isEmpty() ? null : this::score,
                null,
                companions(base));
        try {
            run = TrainingRun.open(settings.folder, config, job, optimizer(head, backend), backend, listener);
        } catch (IOException | RuntimeException e) {
            free();
            throw e;
        }
    }

    /// Makes or restores the run; nothing is trained yet. `base` belongs to the run from here on.
    public static RewardTraining open(
            Settings settings, LoadedModel base, RewardSet data, Backend backend, TrainingListener listener)
            throws IOException {
        TrainingConfig rows = settings.training.with(c -> c.batchRows *= data.texts());
        MemoryNeed.of(base.transformer().config(), rows, backend.compute()).requireFits(SystemMemory.available());
        return new RewardTraining(settings, base, data, backend, listener);
    }

    /// How a reward model is trained unless something else is asked for; the length of the run is to follow.
    public static TrainingConfig recipe(RewardSet data) {
        int length = data.longest();
        return TrainingConfig.ofSteps(1, Math.max(1, TOKENS_PER_STEP / length / data.texts()), length)
                .with(c -> {
                    c.optimizer = OptimizerConfig.adamW(RATE, 0);
                    c.schedule = new Schedule(Schedule.Shape.COSINE, 0, 0, 0);
                });
    }

    private Optimizer optimizer(ScoringHead head, Backend backend) {
        OptimizerConfig config = settings.training.optimizer();
        AdamW own = new AdamW(
                List.of(new AdamW.Group(List.of(head.weight()), HEAD_RATE, 0)),
                new AdamW.Settings(config.beta1(), config.beta2(), config.epsilon()),
                arena,
                backend.workers());
        return new CombinedOptimizer(List.of(ModelOptimizer.create(model, config, arena, backend), own));
    }

    private SequencedMap<String, byte[]> companions(LoadedModel base) throws IOException {
        SequencedMap<String, byte[]> files =
                new LinkedHashMap<>(ModelFolder.companions(model, data.tokenizer(), base.defaults()));
        files.put(ModelFolder.CONFIG, classifier(files.get(ModelFolder.CONFIG)));
        if (data.pairs()) {
            files.put(ChatTemplates.FILE, data.chat().template().getBytes(StandardCharsets.UTF_8));
        }
        files.put(TrainingConfig.FILE, settings.training.toJson());
        files.put(RewardSet.FILE, (data.json().toPrettyString() + "\n").getBytes(StandardCharsets.UTF_8));
        return files;
    }

    /// The model's description as Hugging Face's classifiers of sequences with one number have it.
    private static byte[] classifier(byte[] config) {
        ObjectNode json = (ObjectNode) JSON.readTree(config);
        String architecture = json.path("architectures").path(0).asString();
        json.putArray("architectures")
                .add(architecture
                        .replace("ForCausalLM", "ForSequenceClassification")
                        .replace("LMHeadModel", "ForSequenceClassification"));
        json.put("num_labels", 1);
        json.putObject("id2label").put("0", "reward");
        json.putObject("label2id").put("reward", 0);
        if (json.has("eos_token_id")) {
            json.set("pad_token_id", json.get("eos_token_id"));
        }
        return (json.toPrettyString() + "\n").getBytes(StandardCharsets.UTF_8);
    }

    /// Judges held-out records.
    private Score score(boolean last, BooleanSupplier cancelled) {
        int count = last
                ? data.heldOut().size()
                : Math.min(IMPRESSION, data.heldOut().size());
        double[] probabilities = new double[count];
        double loss = 0;
        int texts = data.texts();
        for (int from = 0; from < count; from += PORTION) {
            if (cancelled.getAsBoolean()) {
                throw new CancellationException("judging was cancelled");
            }
            List<Judged> portion = data.heldOut().subList(from, Math.min(count, from + PORTION));
            List<int[]> tokens = new ArrayList<>();
            portion.forEach(judged -> judged.texts().forEach(text -> tokens.add(text.tokens())));
            double[] scores = judge.score(tokens);
            for (int i = 0; i < portion.size(); i++) {
                double[] own = java.util.Arrays.copyOfRange(scores, i * texts, (i + 1) * texts);
                loss += portion.get(i).loss(own).loss() / count;
                probabilities[from + i] = portion.get(i).probability(own);
            }
        }
        calibration = Calibration.of(probabilities);
        SequencedMap<String, Double> measures = new LinkedHashMap<>();
        measures.put("accuracy", calibration.accuracy());
        measures.put("loss", loss);
        measures.put("calibration error", calibration.error());
        return Score.of(measures, count == data.heldOut().size());
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
        configuration.put("model", model.config().toString());
        configuration.put("training", settings.training.toString());
        configuration.put("learns from", data.pairs() ? "comparisons" : "labels");
        configuration.put("longer than a row", data.format().policy().name());
        return run.train(new TrainingRun.Account(
                settings.title,
                settings.command,
                settings.source,
                data.json(),
                Optional.empty(),
                configuration,
                () -> calibration.lines()));
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
        judge.close();
        learning.close();
        model.close();
        arena.close();
    }
}
