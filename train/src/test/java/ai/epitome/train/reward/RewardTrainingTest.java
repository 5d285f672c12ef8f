package ai.epitome.train.reward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.epitome.model.LoadedModel;
import ai.epitome.model.file.MalformedModelException;
import ai.epitome.model.generation.GenerationDefaults;
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
import ai.epitome.train.chat.Speaker;
import ai.epitome.train.chat.TrainingConversation;
import ai.epitome.train.chat.Turn;
import ai.epitome.train.data.Batch;
import ai.epitome.train.data.Corpus;
import ai.epitome.train.data.CorpusException;
import ai.epitome.train.data.RecordBatches;
import ai.epitome.train.data.TokenTable;
import ai.epitome.train.policy.Reply;
import ai.epitome.train.policy.Reward;
import ai.epitome.train.preference.PreferenceFormat;
import ai.epitome.train.prompt.Prompt;
import ai.epitome.train.sft.FineTuningRecipe;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RewardTrainingTest {
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

    private static PreferenceFormat format(LongConversations policy, int most) {
        return new PreferenceFormat(ChatStyle.PLAIN.over(new ByteTokenizer()), policy, most);
    }

    private static Corpus corpus(String lines) {
        return Corpus.of("data.jsonl", lines.getBytes(StandardCharsets.UTF_8));
    }

    /// What ends with x is good.
    private static RewardSet set(boolean pairs) throws IOException {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < 160; i++) {
            lines.append(
                    pairs
                            ? "{\"prompt\": \"no. %d\", \"chosen\": \" is x\", \"rejected\": \" is y!\"}\n".formatted(i)
                            : "{\"text\": \"no. %d is %s\", \"label\": %d}\n"
                                    .formatted(i, i % 2 == 0 ? "x" : "y", 1 - i % 2));
        }
        return RewardSet.read(corpus(lines.toString()), Optional.empty(), format(LongConversations.DROP, 64), false);
    }

    private RewardTraining open(Path model, RewardSet set, TrainingListener listener) throws IOException {
        TrainingConfig config = FineTuningRecipe.forSteps(
                        RewardTraining.recipe(set).with(c -> c.batchRows = 8), 40)
                .with(c -> c.checkpoint = Interval.ofSteps(9));
        return RewardTraining.open(
                new RewardTraining.Settings(model, "a tiny judge", config, "epitome reward tiny", Path.of("")),
                base(),
                set,
                backend,
                listener);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void learnsToJudge(boolean pairs) throws IOException {
        Path model = folder.resolve("judge");
        List<Evaluated> scores = new ArrayList<>();
        List<Stepped> steps = new ArrayList<>();
        try (RewardTraining run = open(model, set(pairs), event -> {
            if (event instanceof Evaluated score) {
                scores.add(score);
            } else if (event instanceof Stepped step) {
                steps.add(step);
            }
        })) {
            assertThat(run.train()).isTrue();
        }
        assertThat(steps.getFirst().loss()).isEqualTo(Math.log(2), within(1e-6)); // the head is zero
        assertThat(scores.getLast().whole()).isTrue();
        assertThat(scores.getLast().measures().get("accuracy")).isEqualTo(1);
        assertThat(scores.getLast().measures().get("loss")).isLessThan(0.2);
        assertThat(Files.readString(model.resolve("report.md")))
                .contains("**Held out: accuracy 1.0000", "held-out calibration error", "held out, 90 to 100 % sure");
        assertThat(model.resolve("held-out.png")).isNotEmptyFile();
        assertThat(Files.readString(model.resolve("config.json"))).contains("Qwen3ForSequenceClassification");
        try (RewardModel reward = RewardModel.load(model, backend)) {
            double[] found = reward.score(
                    List.of(reward.tokens("no. 777 is x"), reward.tokens("no. 5 is y" + (pairs ? "!" : ""))));
            assertThat(found[0] - found[1]).isGreaterThan(1.5);
            assertThat(reward.score(List.of(reward.tokens("no. 777 is x")))[0]).isEqualTo(found[0], within(1e-4));
        }
        assertThatThrownBy(() -> LoadedModel.open(model))
                .isInstanceOf(MalformedModelException.class)
                .hasMessageContaining("score.weight");
    }

    /// A conversation reaches the judge with its marks and the token that ends a turn; a text without.
    @Test
    void repliesAreJudgedAsTheJudgeHasLearnedToReadThem() throws IOException {
        Path model = folder.resolve("judge");
        try (RewardTraining run = open(model, set(true), _ -> {})) {
            run.train();
        }
        ByteTokenizer tokenizer = new ByteTokenizer();
        Turn question = new Turn(Speaker.USER, "no. 7");
        int[] asked = ChatStyle.PLAIN.over(tokenizer).prompt(List.of(question));
        int[] answer = {' ', 'x', tokenizer.endOfText().orElseThrow()};
        Prompt turns = new Prompt(asked, "no. 7", List.of(question), Optional.empty());
        Prompt text = Prompt.ofText(tokenizer, "no. 7");
        try (RewardModel judge = RewardModel.load(model, backend)) {
            Reward reward = Reward.OfModel.of("judge", judge, tokenizer);
            double[] found = reward.of(List.of(
                    new Reply(turns, answer, new float[3], " x", true),
                    new Reply(text, answer, new float[3], " x", true)));
            int[] whole = ChatStyle.PLAIN
                    .over(tokenizer)
                    .render(new TrainingConversation(List.of(question, new Turn(Speaker.ASSISTANT, " x"))))
                    .tokens();
            assertThat(found).isEqualTo(judge.score(List.of(whole, judge.tokens("no. 7 x"))));
            assertThat(found[0]).isNotEqualTo(found[1]);
        }
    }

    /// Wants `-Depitome.python=PYTHON`, one that has transformers (5.17), torch and safetensors.
    @Test
    void huggingFaceOpensTheFolderWithEqualScores() throws IOException, InterruptedException {
        String python = System.getProperty("epitome.python");
        assumeTrue(python != null, "scores are not compared with transformers: that wants -Depitome.python=PYTHON");
        Path model = folder.resolve("judge");
        try (RewardTraining run = open(model, set(true), _ -> {})) {
            run.train();
        }
        List<String> texts = List.of("no. 777 is x", "no. 5 is y!", "something else", "x");
        List<int[]> tokens;
        double[] ours;
        try (RewardModel reward = RewardModel.load(model, backend)) {
            tokens = texts.stream().map(reward::tokens).toList();
            ours = reward.score(tokens);
        }
        Path scores = folder.resolve("scores.txt");
        Process process = new ProcessBuilder(
                        python,
                        "-c",
                        """
                        import sys, torch, transformers
                        model = transformers.AutoModelForSequenceClassification.from_pretrained(sys.argv[1]).eval()
                        with torch.no_grad():
                            for line in sys.argv[2:]:
                                print(model(torch.tensor([[int(t) for t in line.split(",")]])).logits.item())
                        """,
                        model.toString(),
                        listed(tokens.get(0)),
                        listed(tokens.get(1)),
                        listed(tokens.get(2)),
                        listed(tokens.get(3)))
                .redirectError(folder.resolve("errors.txt").toFile())
                .redirectOutput(scores.toFile())
                .start();
        assertThat(process.waitFor())
                .as(Files.readString(folder.resolve("errors.txt")))
                .isZero();
        List<String> theirs = Files.readAllLines(scores);
        assertThat(theirs).hasSize(ours.length);
        for (int i = 0; i < ours.length; i++) {
            assertThat(Double.parseDouble(theirs.get(i))).as(texts.get(i)).isCloseTo(ours[i], within(1e-4));
        }
    }

    private static String listed(int[] tokens) {
        return Arrays.stream(tokens).mapToObj(Integer::toString).collect(Collectors.joining(","));
    }

    @Test
    void aRunThatIsStoppedNowAndThenEndsWithTheSameBits() throws IOException {
        Path whole = folder.resolve("whole");
        Path parts = folder.resolve("parts");
        try (RewardTraining run = open(whole, set(true), _ -> {})) {
            run.train();
        }
        for (boolean over = false; !over; ) {
            RewardTraining[] open = new RewardTraining[1];
            try (RewardTraining run = open(parts, set(true), event -> {
                if (event instanceof Stepped step && step.step() % 11 == 0) {
                    open[0].requestStop();
                }
            })) {
                open[0] = run;
                over = run.train();
            }
        }
        assertThat(parts.resolve("model.safetensors")).hasSameBinaryContentAs(whole.resolve("model.safetensors"));
    }

    /// The gradient of a batch is that of the mean loss of its records, whatever their lengths.
    @Test
    void theGradientIsThatOfTheLoss() throws IOException {
        RewardSet set = set(true);
        try (Arena arena = Arena.ofShared();
                LoadedModel base = base()) {
            ScoringHead head =
                    ScoringHead.create(arena, base.transformer().config().width());
            for (int i = 0; i < head.weight().value().size(); i++) {
                head.weight().value().set(i, (float) Math.sin(i));
            }
            head.weight().changed();
            try (RewardLearning learning = new RewardLearning(base.transformer(), head, set.train(), backend, 0, 1)) {
                Batch batch = new RecordBatches(
                                set.train().stream().map(Judged::texts).toList(),
                                TokenTable.of(new ByteTokenizer()),
                                1,
                                4)
                        .batch(0);
                double loss = learning.accumulate(batch, 1, 0) / batch.targetCount();
                RewardModel judge = RewardModel.over(base.transformer(), head, new ByteTokenizer(), backend);
                double expected = 0;
                for (int row = 0; row < 8; row += 2) {
                    Judged judged = set.train().get(batch.records()[row]);
                    double[] scores = judge.score(
                            judged.texts().stream().map(text -> text.tokens()).toList());
                    expected += judged.loss(scores).loss() / 4;
                }
                assertThat(loss).isEqualTo(expected, within(1e-5));
                Parameter weight = head.weight();
                float slope = weight.gradient().get(3);
                float before = weight.value().get(3);
                double[] around = new double[2];
                for (int side = 0; side < 2; side++) {
                    weight.value().set(3, before + (side == 0 ? -1e-2f : 1e-2f));
                    weight.changed();
                    around[side] = learning.accumulate(batch, 1, 0) / batch.targetCount();
                }
                assertThat((around[1] - around[0]) / 2e-2).isEqualTo(slope, within(1e-4));
                judge.close();
            }
        }
    }

    @Test
    void longTextsAreSplitAndKeepTheirLabel() throws IOException {
        String lines =
                "{\"text\": \"%s\", \"label\": \"positive\"}\n{\"text\": \"short\", \"label\": false}\n{\"text\": \"ab\", \"label\": 0}\n"
                        .formatted("abcdefghij".repeat(3));
        RewardSet split =
                RewardSet.read(corpus(lines), Optional.of(corpus(lines)), format(LongConversations.SPLIT, 16), false);
        assertThat(split.train()).hasSize(4); // 15 tokens and their beginning, twice
        assertThat(split.train().get(1).texts().getFirst().tokens())
                .startsWith(256, 'f', 'g')
                .hasSize(16);
        assertThat(split.train().get(1).positive()).isTrue();
        assertThat(split.description())
                .startsWith(
                        "3 texts with labels, and 3 that are held out; 4 to learn from, 2 of them positive; 1 are longer than 16 tokens and split");
        RewardSet cut =
                RewardSet.read(corpus(lines), Optional.of(corpus(lines)), format(LongConversations.CUT, 16), false);
        assertThat(cut.train()).hasSize(3);
    }

    /// What the chat page exports of single ratings.
    @Test
    void ratedAnswersAreLabels() throws IOException {
        String lines = """
                {"prompt": [{"role": "user", "content": "Hi?"}], "completion": [{"role": "assistant", "content": "Yes."}], "label": true}
                {"prompt": "Once ", "completion": "upon", "label": false}
                {"prompt": "Once ", "completion": "more", "label": true}
                """;
        RewardSet set =
                RewardSet.read(corpus(lines), Optional.of(corpus(lines)), format(LongConversations.DROP, 64), false);
        assertThat(set.train()).hasSize(3);
        byte[] chat = new ByteTokenizer()
                .decode(set.train().getFirst().texts().getFirst().tokens());
        assertThat(new String(chat, StandardCharsets.UTF_8)).contains("user:\nHi?\n\nassistant:\nYes.");
        assertThat(set.train().get(1).texts().getFirst().tokens()).hasSize(10);
        assertThat(set.train().get(1).positive()).isFalse();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '§', textBlock = """
            {'text': 'a', 'label': 2} | `label` must be 0 or 1, false or true, "negative" or "positive", found 2
            {'text': 'a'} | `label` must be
            {'text': '', 'label': 1} | `text` is empty
            {'label': 1} | `text` must be a string, found none
            """)
    void wrongLabelsAreNamed(String json, String expected) {
        String lines = "{\"text\": \"good\", \"label\": 1}\n" + json.replace('\'', '"') + "\n";
        assertThatThrownBy(() ->
                        RewardSet.read(corpus(lines), Optional.empty(), format(LongConversations.DROP, 16), false))
                .isInstanceOf(CorpusException.class)
                .hasMessageStartingWith("data.jsonl, line 2: " + expected);
    }
}
