package ai.epitome.train.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.epitome.model.LoadedModel;
import ai.epitome.model.generation.GenerationDefaults;
import ai.epitome.model.transformer.Initialization;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.tensor.StepArena;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.tensor.backend.Backend.Kernels;
import ai.epitome.tensor.backend.Backend.Precision;
import ai.epitome.text.ByteTokenizer;
import ai.epitome.train.TrainingConfig;
import ai.epitome.train.TrainingConfig.OptimizerConfig;
import ai.epitome.train.TrainingEvent.Evaluated;
import ai.epitome.train.TrainingEvent.Stepped;
import ai.epitome.train.TrainingException;
import ai.epitome.train.TrainingListener;
import ai.epitome.train.data.BatchStream;
import ai.epitome.train.data.Corpus;
import ai.epitome.train.data.Example;
import ai.epitome.train.data.TokenTable;
import ai.epitome.train.policy.PolicySettings.Method;
import ai.epitome.train.prompt.Prompt;
import ai.epitome.train.prompt.PromptReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Runs with a model that writes bytes at random, and is rewarded for those below 128.
class PolicyTrainingTest {
    private static final int TOKENS = 6;
    private static final Reward LOW_BYTES = new Reward.OfFunction("bytes below 128", PolicyTrainingTest::low);

    @TempDir
    Path folder;

    private final Backend backend = Backend.of(Kernels.JAVA, Precision.F32, 2);

    @AfterEach
    void close() {
        backend.workers().close();
    }

    private static double low(Reply reply) {
        return Arrays.stream(reply.tokens()).filter(token -> token < 128).count() / (double) TOKENS;
    }

    private static LoadedModel base() {
        ByteTokenizer tokenizer = new ByteTokenizer();
        return new LoadedModel(
                Path.of("base"),
                new Transformer(TransformerConfig.ofDepth(1, 257, 64), Initialization.gpt2(3)),
                Optional.of(tokenizer),
                GenerationDefaults.of(tokenizer.endOfText()));
    }

    private static Prompts prompts() throws IOException {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < 60; i++) {
            lines.append("{\"prompt\": \"no. %d:\"}\n".formatted(i));
        }
        Corpus corpus = Corpus.of("prompts.jsonl", lines.toString().getBytes(StandardCharsets.UTF_8));
        PromptReader reader = new PromptReader(new ByteTokenizer(), null, 4);
        return Prompts.Listed.of(reader.read(corpus, 100), 1, 20);
    }

    private static PolicySettings settings(Method method) {
        return switch (method) {
            case PPO -> new PolicySettings(method, 16, 1, 2, 2, TOKENS, 0.2, 0.01, 4, 1000, 0.95, 0.1, false, 0, 0.1);
            case GRPO -> new PolicySettings(method, 4, 4, 2, 1, TOKENS, 0.2, 0.01, 0, 1000, 1, 0, true, 0, 0);
        };
    }

    private PolicyTraining open(
            Path model, PolicySettings how, Reward reward, long iterations, TrainingListener listener)
            throws IOException {
        TrainingConfig config =
                PolicyTraining.training(how, iterations, 32).with(c -> c.optimizer = OptimizerConfig.adamW(3e-3, 0));
        int[] text = new ByteTokenizer().encode("abcabcabc".getBytes(StandardCharsets.UTF_8));
        boolean[] learned = new boolean[text.length];
        Arrays.fill(learned, 1, text.length, true);
        Optional<BatchStream> mix = how.mixWeight() > 0
                ? Optional.of(BatchStream.examples(
                        List.of(new Example(text, learned)), TokenTable.of(new ByteTokenizer()), 1, 1, 16))
                : Optional.empty();
        return PolicyTraining.open(
                new PolicyTraining.Settings(
                        model, "a tiny policy", Path.of("base"), how, config, "epitome", Path.of("")),
                base(),
                base(),
                prompts(),
                reward,
                mix,
                backend,
                listener);
    }

    @ParameterizedTest
    @EnumSource
    void learnsWhatIsRewarded(Method method) throws IOException {
        List<Evaluated> scores = new ArrayList<>();
        List<Stepped> ends = new ArrayList<>();
        try (PolicyTraining run = open(folder.resolve("model"), settings(method), LOW_BYTES, 25, event -> {
            if (event instanceof Evaluated score) {
                scores.add(score);
            } else if (event instanceof Stepped step && !step.measures().isEmpty()) {
                ends.add(step);
            }
        })) {
            assertThat(run.train()).isTrue();
        }
        assertThat(ends).hasSize(25);
        assertThat(ends.getFirst().measures().get("reward")).isBetween(0.3, 0.7);
        assertThat(ends.getLast().measures().get("reward")).isGreaterThan(0.7);
        assertThat(ends.getLast().measures().get("kl")).isGreaterThan(0.3);
        assertThat(ends.getFirst().measures().get("entropy")).isCloseTo(Math.log(257), within(0.3));
        assertThat(ends).allSatisfy(end -> {
            assertThat(end.measures().get("sampling gap")).isLessThan(1e-4);
            assertThat(end.measures().get("length")).isBetween(TOKENS - 1.0, (double) TOKENS); // few end by themselves
            assertThat(end.measures().get("clip fraction")).isBetween(0.0, 0.9);
        });
        if (method == Method.PPO) {
            assertThat(ends.getLast().measures().get("price"))
                    .isNotEqualTo(ends.getFirst().measures().get("price"));
            assertThat(ends.getLast().measures()).containsKey("value loss");
        }
        assertThat(scores.getLast().measures().get("reward")).isGreaterThan(0.7);
        assertThat(Files.readString(folder.resolve("model/log.jsonl"))).contains("\"clip_fraction\"");
        assertThat(Files.readString(folder.resolve("model/report.md"))).contains("held-out reward", "bytes below 128");
    }

    @ParameterizedTest
    @EnumSource
    void aRunThatIsStoppedNowAndThenEndsWithTheSameBits(Method method) throws IOException {
        Path whole = folder.resolve("whole");
        Path parts = folder.resolve("parts");
        try (PolicyTraining run = open(whole, settings(method), LOW_BYTES, 8, _ -> {})) {
            run.train();
        }
        int runs = 0;
        for (boolean over = false; !over; runs++) {
            PolicyTraining[] open = new PolicyTraining[1];
            try (PolicyTraining run = open(parts, settings(method), LOW_BYTES, 8, event -> {
                if (event instanceof Stepped step && step.step() % 7 == 0) {
                    open[0].requestStop(); // within an iteration: it is brought to its end
                }
            })) {
                open[0] = run;
                over = run.train();
            }
        }
        assertThat(runs).isGreaterThan(2);
        assertThat(parts.resolve("model.safetensors")).hasSameBinaryContentAs(whole.resolve("model.safetensors"));
    }

    @Test
    void enginesAndTrainersNumbersAreTheSame() throws IOException {
        for (Backend other : List.of(backend, Backend.of(Kernels.AUTO, Precision.F32, 2))) {
            try (LoadedModel model = base();
                    StepArena arena = new StepArena()) {
                List<Prompt> asked = prompts().heldOut(1);
                asked = asked.isEmpty() ? List.of(prompts().at(0)) : asked;
                List<Prompt> many = new ArrayList<>();
                for (int i = 0; i < 40; i++) {
                    many.addAll(asked);
                }
                Rollouts rollouts = new Rollouts(model.generator(other), 20);
                List<Reply> replies = rollouts.sampled(many, 7);
                List<double[]> again = Policy.opinion(model.transformer(), Optional.empty(), replies, other, arena)
                        .logProbabilities();
                for (int i = 0; i < replies.size(); i++) {
                    for (int t = 0; t < again.get(i).length; t++) {
                        assertThat(again.get(i)[t]).isCloseTo(replies.get(i).logProbabilities()[t], within(1e-4));
                    }
                }
                assertThat(replies.stream()
                                .map(reply -> Arrays.toString(reply.tokens()))
                                .distinct())
                        .hasSizeGreaterThan(30);
                List<Reply> repeated = new Rollouts(model.generator(other), 20).sampled(many, 7);
                for (int i = 0; i < replies.size(); i++) {
                    assertThat(repeated.get(i).logProbabilities())
                            .isEqualTo(replies.get(i).logProbabilities());
                }
            }
            if (other != backend) {
                other.workers().close();
            }
        }
    }

    @Test
    void whatCannotGoOnIsSaid() throws IOException {
        Reward broken = new Reward.OfFunction("a broken judge", _ -> Double.NaN);
        try (PolicyTraining run = open(folder.resolve("broken"), settings(Method.GRPO), broken, 2, _ -> {})) {
            assertThatThrownBy(run::train)
                    .isInstanceOf(TrainingException.class)
                    .hasMessageContaining("a broken judge gave the reward NaN for answer 1");
        }
        long[] asked = {0};
        Reward falling = new Reward.OfFunction("falling", reply -> low(reply) - asked[0]++ * 0.05);
        try (PolicyTraining run = open(folder.resolve("falling"), settings(Method.GRPO), falling, 40, _ -> {})) {
            assertThatThrownBy(run::train)
                    .isInstanceOf(TrainingException.class)
                    .hasMessageContaining("the reward has collapsed");
        }
        assertThatThrownBy(() -> new PolicySettings(Method.GRPO, 4, 1, 1, 1, 8, 0.2, 0, 0, 1, 1, 0, false, 0, 0))
                .hasMessageContaining("needs two or more");
        assertThatThrownBy(() -> new PolicySettings(Method.PPO, 5, 1, 2, 1, 8, 0.2, 0, 0, 1, 1, 0, false, 0, 0))
                .hasMessageContaining("make no 2 equal minibatches");
    }

    @Test
    void anIterationEndsEarlyOnceThePolicyHasChangedEnough() throws IOException {
        PolicySettings hasty =
                new PolicySettings(Method.PPO, 8, 1, 1, 6, TOKENS, 0.2, 0, 0, 1000, 0.95, 0.1, false, 1e-5, 0);
        List<Double> taken = new ArrayList<>();
        try (PolicyTraining run = open(folder.resolve("model"), hasty, LOW_BYTES, 12, event -> {
            if (event instanceof Stepped step && !step.measures().isEmpty()) {
                taken.add(step.measures().get("steps taken"));
            }
        })) {
            run.train();
        }
        assertThat(taken).hasSize(12).allMatch(steps -> steps >= 1 && steps <= 6);
        assertThat(taken.getLast()).isLessThan(6);
    }

    @Test
    void theBestOfSeveralIsChosen() throws IOException {
        try (LoadedModel model = base()) {
            BestOfN choice = new BestOfN(LOW_BYTES, 6, TOKENS);
            List<BestOfN.Choice> chosen = choice.choose(
                    model.generator(backend), List.of(prompts().at(0), prompts().at(1)), 3);
            assertThat(chosen).hasSize(2).allSatisfy(one -> {
                assertThat(one.best()).isGreaterThan(one.mean());
                assertThat(LOW_BYTES.of(List.of(one.reply()))[0]).isEqualTo(one.best());
            });
            assertThat(BestOfN.divergence(6)).isCloseTo(0.958426, within(1e-6)); // ln 6 - 5/6
        }
    }
}
