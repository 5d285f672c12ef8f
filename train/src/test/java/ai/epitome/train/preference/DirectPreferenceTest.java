package ai.epitome.train.preference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.epitome.model.LoadedModel;
import ai.epitome.model.generation.GenerationDefaults;
import ai.epitome.model.generation.GenerationRequest;
import ai.epitome.model.generation.Sampling;
import ai.epitome.model.generation.ScoredToken;
import ai.epitome.model.generation.TextGenerator;
import ai.epitome.model.transformer.Adapter;
import ai.epitome.model.transformer.Initialization;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.tensor.autograd.Parameter;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.tensor.backend.Backend.Kernels;
import ai.epitome.tensor.backend.Backend.Precision;
import ai.epitome.text.ByteTokenizer;
import ai.epitome.train.Interval;
import ai.epitome.train.TrainingConfig;
import ai.epitome.train.TrainingEvent.Evaluated;
import ai.epitome.train.TrainingEvent.Stepped;
import ai.epitome.train.TrainingListener;
import ai.epitome.train.chat.ChatStyle;
import ai.epitome.train.chat.LongConversations;
import ai.epitome.train.data.Batch;
import ai.epitome.train.data.Corpus;
import ai.epitome.train.data.Example;
import ai.epitome.train.data.RecordBatches;
import ai.epitome.train.data.TokenTable;
import ai.epitome.train.preference.PairLoss.LogProbabilities;
import ai.epitome.train.sft.FineTuningRecipe;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DirectPreferenceTest {
    private static final Optional<Adapter.Settings> ADAPTER =
            Optional.of(Adapter.Settings.of(4, Set.of("q_proj", "v_proj", "down_proj", "gate_proj")));

    @TempDir
    Path folder;

    private final Backend backend = Backend.of(Kernels.JAVA, Precision.F32, 2);

    @AfterEach
    void close() {
        backend.workers().close();
    }

    private static LoadedModel base() {
        ByteTokenizer tokenizer = new ByteTokenizer();
        return new LoadedModel(
                Path.of("base"),
                new Transformer(TransformerConfig.ofDepth(1, 257, 64), Initialization.gpt2(3)),
                Optional.of(tokenizer),
                GenerationDefaults.of(tokenizer.endOfText()));
    }

    private static PreferenceSet pairs() throws IOException {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < 80; i++) {
            lines.append(
                    "{\"prompt\": \"no. %d is\", \"chosen\": \" fine\", \"rejected\": \" a bore\"}\n".formatted(i));
        }
        return PreferenceSet.read(
                Corpus.of("pairs.jsonl", lines.toString().getBytes(StandardCharsets.UTF_8)),
                new PreferenceFormat(ChatStyle.PLAIN.over(new ByteTokenizer()), LongConversations.DROP, 64),
                false);
    }

    private DirectPreferenceTraining open(Path model, Optional<Adapter.Settings> adapter, TrainingListener listener)
            throws IOException {
        PreferenceSet set = pairs();
        TrainingConfig recipe = DirectPreferenceTraining.recipe(set, adapter.isPresent())
                .with(c -> {
                    c.batchRows = 4;
                    c.accumulation = 2;
                    c.optimizer = TrainingConfig.OptimizerConfig.adamW(2e-3, 0);
                });
        TrainingConfig config = FineTuningRecipe.forSteps(recipe, 30).with(c -> c.checkpoint = Interval.ofSteps(7));
        return DirectPreferenceTraining.open(
                new DirectPreferenceTraining.Settings(
                        model, "tiny", "base", adapter, 0.1, 0.05, config, "epitome dpo tiny", Path.of("")),
                base(),
                set,
                backend,
                listener);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void learnsWhatIsPreferred(boolean adapts) throws IOException {
        List<Evaluated> scores = new ArrayList<>();
        List<Stepped> steps = new ArrayList<>();
        Path model = folder.resolve("model");
        try (DirectPreferenceTraining run = open(model, adapts ? ADAPTER : Optional.empty(), event -> {
            if (event instanceof Evaluated score) {
                scores.add(score);
            } else if (event instanceof Stepped step) {
                steps.add(step);
            }
        })) {
            assertThat(run.train()).isTrue();
        }
        // The policy is the reference at first: every margin is 0.
        assertThat(steps.getFirst().loss()).isEqualTo(Math.log(2), within(1e-5));
        assertThat(scores.getLast().measures().get("accuracy")).isEqualTo(1);
        assertThat(scores.getLast().measures().get("margin in nats")).isGreaterThan(3);
        assertThat(model.resolve("report.md")).content().contains("| beta | 0.1 |", "margin in nats");
        assertThat(model.resolve(adapts ? "adapter_model.safetensors" : "model.safetensors"))
                .isNotEmptyFile();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aRunThatIsStoppedNowAndThenEndsWithTheSameBits(boolean adapts) throws IOException {
        Optional<Adapter.Settings> adapter = adapts ? ADAPTER : Optional.empty();
        Path whole = folder.resolve("whole");
        Path parts = folder.resolve("parts");
        try (DirectPreferenceTraining run = open(whole, adapter, _ -> {})) {
            run.train();
        }
        for (boolean over = false; !over; ) {
            DirectPreferenceTraining[] open = new DirectPreferenceTraining[1];
            try (DirectPreferenceTraining run = open(parts, adapter, event -> {
                if (event instanceof Stepped step && step.step() % 9 == 0) {
                    open[0].requestStop();
                }
            })) {
                open[0] = run;
                over = run.train();
            }
        }
        String weights = adapts ? "adapter_model.safetensors" : "model.safetensors";
        assertThat(parts.resolve(weights)).hasSameBinaryContentAs(whole.resolve(weights));
        assertThat(parts.resolve("reference.json")).hasSameBinaryContentAs(whole.resolve("reference.json"));
    }

    /// Differences of the loss beside the gradient, for pairs of unequal lengths and a reference that is another model.
    @Test
    void theGradientIsThatOfTheLoss() throws IOException {
        PreferenceSet set = pairs();
        List<LogProbabilities> reference =
                set.train().stream().map(_ -> new LogProbabilities(-20, -30)).toList();
        try (LoadedModel base = base()) {
            Transformer model = base.transformer();
            DirectPreference.Terms terms = new DirectPreference.Terms(0.3, 0.1);
            try (DirectPreference objective = new DirectPreference(model, terms, reference, backend, 0, 1);
                    SequenceLogProbabilities scorer = new SequenceLogProbabilities(model, backend, set.table())) {
                Batch batch = new RecordBatches(
                                set.train().stream()
                                        .map(PreferencePair::examples)
                                        .toList(),
                                set.table(),
                                1,
                                3)
                        .batch(0);
                double loss = objective.accumulate(batch, 1, 0) / batch.targetCount();
                double expected = 0;
                for (int row = 0; row < 6; row += 2) {
                    double[] sums =
                            scorer.of(set.train().get(batch.records()[row]).examples());
                    expected += terms.loss(new LogProbabilities(sums[0], sums[1]), new LogProbabilities(-20, -30))
                                    .loss()
                            / 3;
                }
                assertThat(loss).isEqualTo(expected, within(1e-5));
                List<Float> slopes = new ArrayList<>();
                for (Parameter parameter : model.parameters()) {
                    slopes.add(parameter.gradient().get(parameter.value().size() / 2));
                }
                for (int i = 0; i < slopes.size(); i++) {
                    Parameter parameter = model.parameters().get(i);
                    float slope = slopes.get(i);
                    long at = parameter.value().size() / 2;
                    float before = parameter.value().get(at);
                    double[] around = new double[2];
                    for (int side = 0; side < 2; side++) {
                        parameter.value().set(at, before + (side == 0 ? -1e-2f : 1e-2f));
                        parameter.changed();
                        around[side] = objective.accumulate(batch, 1, 0) / batch.targetCount();
                    }
                    parameter.value().set(at, before);
                    parameter.changed();
                    assertThat((around[1] - around[0]) / 2e-2)
                            .as(parameter.name())
                            .isEqualTo(slope, within(2e-3 + 0.02 * Math.abs(slope)));
                }
            }
        }
    }

    /// What is sampled has, in training's sums, the log-probability that sampling gave it.
    @Test
    void samplingAndTrainingAgree() {
        try (LoadedModel base = base();
                SequenceLogProbabilities scorer =
                        new SequenceLogProbabilities(base.transformer(), backend, TokenTable.of(new ByteTokenizer()))) {
            TextGenerator generator = base.generator(backend);
            int[] prompt = {256, 'a', 'b'};
            List<ScoredToken> sampled = new ArrayList<>();
            generator.generate(
                    new GenerationRequest(prompt, 20, Sampling.ofTemperature(1, 5), List.of(), 0),
                    piece -> sampled.addAll(piece.tokens()),
                    () -> false);
            int[] tokens = Arrays.copyOf(prompt, prompt.length + sampled.size());
            boolean[] learned = new boolean[tokens.length];
            double expected = 0;
            for (int i = 0; i < sampled.size(); i++) {
                tokens[prompt.length + i] = sampled.get(i).id();
                learned[prompt.length + i] = true;
                expected += sampled.get(i).logProbability();
            }
            assertThat(sampled).isNotEmpty();
            assertThat(scorer.of(List.of(new Example(tokens, learned)))[0]).isEqualTo(expected, within(1e-4));
        }
    }

    @Test
    void betaAndSmoothingHaveLimits() throws IOException {
        PreferenceSet set = pairs();
        DirectPreferenceTraining.Settings settings = new DirectPreferenceTraining.Settings(
                folder,
                "tiny",
                "base",
                Optional.empty(),
                0.1,
                0.5,
                FineTuningRecipe.forSteps(DirectPreferenceTraining.recipe(set, false), 1),
                "",
                Path.of(""));
        try (LoadedModel base = base()) {
            assertThatThrownBy(() -> DirectPreferenceTraining.open(settings, base, set, backend, _ -> {}))
                    .hasMessageContaining("a smoothing from 0 up to below 0.5");
        }
    }
}
