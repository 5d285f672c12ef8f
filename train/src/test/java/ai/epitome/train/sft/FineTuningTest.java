package ai.epitome.train.sft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.epitome.model.LoadedModel;
import ai.epitome.model.export.GgufExport;
import ai.epitome.model.export.Quantization;
import ai.epitome.model.export.StoredModel;
import ai.epitome.model.huggingface.ModelFolder;
import ai.epitome.model.transformer.Adapter;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.tensor.DType;
import ai.epitome.tensor.autograd.Parameter;
import ai.epitome.tensor.format.BlockFormat;
import ai.epitome.text.ByteTokenizer;
import ai.epitome.text.file.Tokenizers;
import ai.epitome.train.LanguageModelling;
import ai.epitome.train.MemoryNeed;
import ai.epitome.train.TrainingEvent.Evaluated;
import ai.epitome.train.TrainingEvent.Stepped;
import ai.epitome.train.TrainingException;
import ai.epitome.train.chat.ChatEncoding;
import ai.epitome.train.chat.ChatStyle;
import ai.epitome.train.chat.LongConversations;
import ai.epitome.train.data.Batch;
import ai.epitome.train.data.BatchStream;
import ai.epitome.train.data.Corpus;
import ai.epitome.train.data.CorpusException;
import ai.epitome.train.data.Example;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class FineTuningTest {
    private static final Optional<Adapter.Settings> ADAPTER =
            Optional.of(new Adapter.Settings(4, 8, false, 0.1, Set.of("q_proj", "v_proj", "gate_proj", "down_proj")));

    @TempDir
    Path folder;

    @Test
    void leavesAChatModelThatLearnedToAnswer() throws IOException {
        Path model = folder.resolve("chat");
        List<Evaluated> scores = new ArrayList<>();
        try (TinyConversations tiny = new TinyConversations()) {
            try (FineTuning run = tiny.open(model, event -> {
                if (event instanceof Evaluated score) {
                    scores.add(score);
                }
            })) {
                assertThat(run.train()).isTrue();
                assertThat(run.isFinished()).isTrue();
            }
            assertThat(scores.getLast().whole()).isTrue();
            assertThat(scores.getLast().bitsPerByte())
                    .isLessThan(0.4 * scores.getFirst().bitsPerByte());
            try (LoadedModel chat = LoadedModel.open(model)) {
                assertThat(chat.transformer().config().vocabulary()).isEqualTo(320); // 259, in whole blocks
                assertThat(chat.defaults().endOfText()).containsExactlyInAnyOrder(256, 258);
                assertThat(chat.tokenizer().orElseThrow().specialTokens()).containsKeys("<|im_start|>", "<|im_end|>");
            }
        }
        assertThat(model.resolve("chat_template.jinja")).content().contains("add_generation_prompt");
        assertThat(model.resolve(ConversationSet.FILE)).content().contains("chats.jsonl");
        assertThat(Files.readString(model.resolve("report.md")))
                .startsWith("# a tiny chat")
                .contains("held-out bits per byte (all", "epitome sft tiny", "## Samples", "one conversation in 20");
    }

    /// The adapter alone is trained, in PEFT's files, and the answers that it gives are those of the run.
    @Test
    void leavesAnAdapter() throws IOException {
        Path adapter = folder.resolve("adapter");
        List<Evaluated> scores = new ArrayList<>();
        try (TinyConversations tiny = new TinyConversations(ChatStyle.PLAIN)) {
            try (FineTuning run = tiny.open(TinyConversations.settings(adapter, ADAPTER), event -> {
                if (event instanceof Evaluated score) {
                    scores.add(score);
                }
            })) {
                assertThat(run.train()).isTrue();
            }
            assertThat(scores.getLast().bitsPerByte())
                    .isLessThan(0.95 * scores.getFirst().bitsPerByte());
            assertThat(adapter.resolve("model.safetensors")).doesNotExist();
            assertThat(adapter.resolve("config.json")).doesNotExist();
            BatchStream rows = BatchStream.examples(tiny.data.heldOut(), tiny.data.table(), 0, 1, 96);
            try (LoadedModel answering = TinyConversations.base().withAdapter(adapter);
                    HeldOutAnswers heldOut = new HeldOutAnswers(answering.transformer(), tiny.backend, rows)) {
                assertThat(heldOut.score(true, () -> false).bitsPerByte())
                        .isEqualTo(scores.getLast().bitsPerByte());
                assertThat(answering.defaults().endOfText()).containsExactly(256);
            }
        }
        assertThat(adapter.resolve("report.md"))
                .content()
                .contains("| adapter | ", "| parameters | 3,072 |", "| bytes of optimizer state | 24,576 |");
    }

    /// It learns beside quantised weights, which stay in their file, and answers of that file with it are the run's.
    @Test
    void leavesAnAdapterOfAQuantisedModel() throws IOException {
        Path adapter = folder.resolve("adapter");
        Path file = folder.resolve("base.gguf");
        List<Evaluated> scores = new ArrayList<>();
        try (TinyConversations tiny = new TinyConversations(ChatStyle.PLAIN)) {
            try (LoadedModel base = TinyConversations.base()) {
                ModelFolder.save(folder.resolve("base"), base.transformer(), base.defaults());
                Tokenizers.save(base.tokenizer().orElseThrow(), folder.resolve("base"));
            }
            try (StoredModel stored = StoredModel.open(folder.resolve("base"))) {
                GgufExport.write(stored, Quantization.pure(BlockFormat.Q8_0), file, _ -> {});
            }
            byte[] before = Files.readAllBytes(file);
            FineTuning.Settings settings = TinyConversations.settings(adapter, ADAPTER);
            try (FineTuning run =
                    FineTuning.open(settings, LoadedModel.open(file), tiny.format, tiny.data, tiny.backend, event -> {
                        if (event instanceof Evaluated score) {
                            scores.add(score);
                        }
                    })) {
                assertThat(run.train()).isTrue();
            }
            assertThat(scores.getLast().bitsPerByte())
                    .isLessThan(0.95 * scores.getFirst().bitsPerByte());
            assertThat(file).hasBinaryContent(before);
            BatchStream rows = BatchStream.examples(tiny.data.heldOut(), tiny.data.table(), 0, 1, 96);
            try (LoadedModel answering = LoadedModel.open(file).withAdapter(adapter);
                    HeldOutAnswers heldOut = new HeldOutAnswers(answering.transformer(), tiny.backend, rows)) {
                assertThat(heldOut.score(true, () -> false).bitsPerByte())
                        .isEqualTo(scores.getLast().bitsPerByte());
            }
            try (LoadedModel base = LoadedModel.open(file)) {
                MemoryNeed need = MemoryNeed.of(base.transformer().config(), settings.training(), DType.F32);
                assertThat(need.ofFrozen(base.transformer(), DType.F32).weights())
                        .isLessThan(need.weights());
            }
            settings = TinyConversations.settings(folder.resolve("all"), Optional.empty());
            FineTuning.Settings all = settings;
            assertThatThrownBy(() ->
                            FineTuning.open(all, LoadedModel.open(file), tiny.format, tiny.data, tiny.backend, _ -> {}))
                    .hasMessageContaining(
                            "is quantised, and quantised weights cannot be trained: train an adapter (--lora)");
        }
    }

    @Test
    void anAdapterCannotLearnNewTokens() throws IOException {
        try (TinyConversations tiny = new TinyConversations()) {
            assertThatThrownBy(() -> tiny.open(TinyConversations.settings(folder, ADAPTER), _ -> {}))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("the model has 257 tokens and the format 259");
        }
    }

    @ParameterizedTest
    @EnumSource(ChatStyle.class)
    void aRunThatIsStoppedNowAndThenEndsWithTheSameBits(ChatStyle style) throws IOException {
        boolean adapts = style == ChatStyle.PLAIN;
        Path whole = folder.resolve("whole");
        Path parts = folder.resolve("parts");
        try (TinyConversations tiny = new TinyConversations(style)) {
            FineTuning.Settings settings = TinyConversations.settings(whole, adapts ? ADAPTER : Optional.empty());
            try (FineTuning run = tiny.open(settings, _ -> {})) {
                run.train();
            }
            for (boolean over = false; !over; ) {
                FineTuning[] open = new FineTuning[1];
                settings = TinyConversations.settings(parts, settings.adapter());
                try (FineTuning run = tiny.open(settings, event -> {
                    if (event instanceof Stepped step && step.step() % 7 == 0) {
                        open[0].requestStop();
                    }
                })) {
                    open[0] = run;
                    over = run.train();
                }
            }
        }
        String weights = adapts ? "adapter_model.safetensors" : "model.safetensors";
        assertThat(parts.resolve(weights)).hasSameBinaryContentAs(whole.resolve(weights));
    }

    @Test
    void otherConversationsAreAnotherRun() throws IOException {
        try (TinyConversations tiny = new TinyConversations()) {
            try (FineTuning run = tiny.open(folder, event -> {})) {
                run.train();
            }
            ConversationSet fewer = ConversationSet.read(
                    corpus("{\"instruction\": \"a\", \"output\": \"b\"}\n{\"instruction\": \"c\", \"output\": \"d\"}"),
                    tiny.format,
                    LongConversations.DROP,
                    TinyConversations.LENGTH);
            FineTuning.Settings settings = TinyConversations.settings(folder, Optional.empty());
            assertThatThrownBy(() -> FineTuning.open(
                            settings, TinyConversations.base(), tiny.format, fewer, tiny.backend, _ -> {}))
                    .isInstanceOf(TrainingException.class)
                    .hasMessageContaining("was trained on other data");
        }
    }

    private static Corpus corpus(String text) {
        return Corpus.of("chats.jsonl", text.getBytes(StandardCharsets.UTF_8));
    }

    /// The loss and the gradients of conversations side by side in one row are those of each by itself.
    @Test
    void packedConversationsDoNotSeeEachOther() throws IOException {
        try (TinyConversations tiny = new TinyConversations();
                Transformer model = GrownVocabulary.of(TinyConversations.transformer(), 259, 1);
                LanguageModelling objective = new LanguageModelling(model, tiny.backend, 0)) {
            List<Example> examples = tiny.data.train().subList(0, 3);
            double apart = 0;
            for (Example example : examples) {
                Batch alone = rows(tiny, List.of(example), example.tokens().length - 1);
                apart += objective.accumulate(alone, 0.01f, 0);
            }
            List<float[]> expected = takeGradients(model);
            Batch packed = rows(tiny, examples, 128);
            assertThat(Arrays.stream(packed.segmentStarts())
                            .filter(start -> start < 60)
                            .distinct())
                    .hasSize(2);
            assertThat(objective.accumulate(packed, 0.01f, 0)).isEqualTo(apart, within(1e-4));
            List<float[]> found = takeGradients(model);
            for (int i = 0; i < expected.size(); i++) {
                assertThat(found.get(i)).usingComparatorWithPrecision(1e-5f).containsExactly(expected.get(i));
            }
        }
    }

    private static Batch rows(TinyConversations tiny, List<Example> examples, int length) throws IOException {
        return BatchStream.examples(examples, tiny.data.table(), 1, 1, length).batch(0);
    }

    private static List<float[]> takeGradients(Transformer model) {
        List<float[]> gradients = new ArrayList<>();
        for (Parameter parameter : model.parameters()) {
            gradients.add(parameter.gradient().toFloats());
            parameter.zeroGradient();
        }
        return gradients;
    }

    @Test
    void aRowWithoutTargetsAddsNothing() throws IOException {
        try (TinyConversations tiny = new TinyConversations();
                Transformer model = GrownVocabulary.of(TinyConversations.transformer(), 259, 1);
                LanguageModelling objective = new LanguageModelling(model, tiny.backend, 0)) {
            Batch batch = rows(tiny, tiny.data.train().subList(0, 1), 96);
            int[] none = new int[96];
            Arrays.fill(none, Batch.NO_TARGET);
            assertThat(objective.accumulate(new Batch(1, 96, batch.inputs(), none, batch.segmentStarts(), 0), 1f, 0))
                    .isZero();
            assertThat(takeGradients(model))
                    .allSatisfy(gradient -> assertThat(gradient).containsOnly(0f));
        }
    }

    @Test
    void newRowsAreNearTheMeanAndOldOnesAreKept() {
        try (Transformer before = TinyConversations.transformer();
                Transformer grown = GrownVocabulary.of(TinyConversations.transformer(), 259, 1)) {
            int width = before.config().width();
            float[] old = before.embedding().value().toFloats();
            float[] all = grown.embedding().value().toFloats();
            assertThat(Arrays.copyOf(all, old.length)).isEqualTo(old);
            double mean = 0;
            for (int row = 0; row < 257; row++) {
                mean += old[row * width] / 257;
            }
            assertThat((double) all[257 * width]).isEqualTo(mean, within(0.02));
            assertThat(all[257 * width]).isNotEqualTo(all[258 * width]);
            assertThat(GrownVocabulary.of(grown, 300, 1)).isSameAs(grown);
        }
    }

    @Test
    void copiesAreOnTheSameSideAndOneInTwentyIsHeldOut() throws IOException {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 400; i++) {
            text.append("{\"instruction\": \"Say %d.\", \"output\": \"%d\"}\n".formatted(i % 200, i % 200));
        }
        ChatEncoding format = ChatStyle.CHATML.over(new ByteTokenizer());
        ConversationSet set = ConversationSet.read(corpus(text.toString()), format, LongConversations.DROP, 96);
        assertThat(set.counts().heldOut()).isEqualTo(20);
        List<String> train =
                set.train().stream().map(e -> Arrays.toString(e.tokens())).toList();
        assertThat(set.heldOut()).allSatisfy(e -> assertThat(train).doesNotContain(Arrays.toString(e.tokens())));
    }

    @Test
    void ofTextsTheCompletionIsLearnedAsItStands() throws IOException {
        ChatEncoding format = ChatStyle.PLAIN.over(new ByteTokenizer());
        String texts = "{\"prompt\": \"ab\", \"completion\": \" cd\"}\n{\"prompt\": \"\", \"completion\": \"efghi\"}\n";
        ConversationSet set = ConversationSet.read(corpus(texts), format, LongConversations.CUT, 5);
        List<Example> all = new ArrayList<>(set.train());
        all.addAll(set.heldOut());
        all.sort(Comparator.comparing(example -> example.tokens()[1]));
        assertThat(all.get(0).tokens()).containsExactly(256, 'a', 'b', ' ', 'c', 'd');
        assertThat(all.get(0).learned()).containsExactly(false, false, false, true, true, true);
        assertThat(all.get(1).tokens()).containsExactly(256, 'e', 'f', 'g', 'h', 'i');
        assertThat(set.asked()).isEmpty();
        ConversationSet cut = ConversationSet.read(corpus(texts), format, LongConversations.CUT, 3);
        assertThat(cut.counts().tooLong()).isEqualTo(2);
        assertThat(cut.train()).allSatisfy(e -> assertThat(e.tokens()).hasSize(4));
        assertThatThrownBy(() -> ConversationSet.read(
                        corpus(texts + "{\"prompt\": [], \"completion\": \"x\"}"), format, LongConversations.CUT, 5))
                .isInstanceOf(CorpusException.class)
                .hasMessageContaining("line 3: `prompt` and `completion` must be texts");
    }

    @Test
    void whatIsTooLongIsCounted() throws IOException {
        ChatEncoding format = ChatStyle.CHATML.over(new ByteTokenizer());
        String text = "{\"instruction\": \"a\", \"output\": \"b\"}\n{\"instruction\": \"c\", \"output\": \"d\"}\n"
                + "{\"instruction\": \"" + "e".repeat(90) + "\", \"output\": \"f\"}\n";
        ConversationSet set = ConversationSet.read(corpus(text), format, LongConversations.DROP, 60);
        assertThat(set.description()).endsWith("; 1 are longer than 60 tokens and dropped");
        ConversationSet cut = ConversationSet.read(corpus(text), format, LongConversations.CUT, 60);
        assertThat(cut.description()).endsWith("; 1 are longer than 60 tokens and cut, 1 of them lost");
        assertThatThrownBy(() -> ConversationSet.read(corpus(text), format, LongConversations.DROP, 10))
                .isInstanceOf(CorpusException.class)
                .hasMessageContaining("of 3 conversations none is left to train on: 3 are longer than 10 tokens");
    }
}
