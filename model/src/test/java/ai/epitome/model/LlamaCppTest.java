package ai.epitome.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.epitome.model.engine.Session;
import ai.epitome.model.export.GgufExport;
import ai.epitome.model.export.Quantization;
import ai.epitome.model.export.StoredModel;
import ai.epitome.model.generation.GenerationRequest;
import ai.epitome.model.generation.Sampling;
import ai.epitome.model.generation.TextGenerator;
import ai.epitome.model.transformer.RotaryScaling;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.tensor.format.BlockFormat;
import ai.epitome.text.BytePairTrainer;
import ai.epitome.text.ByteTokenizer;
import ai.epitome.text.Tokenizer;
import ai.epitome.text.split.Splitting;
import de.kherud.llama.InferenceParameters;
import de.kherud.llama.LlamaModel;
import de.kherud.llama.ModelParameters;
import de.kherud.llama.args.LogFormat;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;
import org.junit.jupiter.params.provider.ValueSource;

/// What is exported runs in llama.cpp, as `de.kherud:llama` carries it (a build of 2025 that does not know qwen3 yet).
class LlamaCppTest {
    private static final String PROMPT = "One day, Lily met a";
    private static final int TOKENS = 57;
    private static final Path STORIES =
            Path.of(System.getProperty("epitome.shared", "../shared"), "data/weights/stories260K/stories260K.bin");
    /// Neither a control token nor U+2581, which encodings of text treat in other ways.
    private static final List<String> TEXTS = List.of(
            "Hello world",
            " leading and trailing ",
            "two  spaces   three\n\n\nlines\r\n\ttab",
            "don't DON'T I'll we'VE 'tis",
            "h\u00e9llo stra\u00dfe \u0391\u0392\u0393 \u0430\u0431\u0432",
            "\u65e5\u672c\u8a9e\u306e\u30c6\u30ad\u30b9\u30c8 \ud83d\ude42\ud83d\udc68\u200d\ud83d\udc69",
            "1234567 12 3 1\u0661\u0662",
            "x=1;y+=2;//c#!? [PAD7] <b>",
            "e\u0301 nbsp\u00a0ideographic\u3000end",
            "\n \n  \n x");

    @TempDir
    private Path folder;

    @BeforeAll
    static void loadLibrary(@TempDir Path unpacked) {
        assumeTrue(
                Boolean.getBoolean("epitome.llama"),
                "llama.cpp runs no export here: where it runs out of memory it ends the whole process, so it wants"
                        + " -Depitome.llama=true");
        System.setProperty("de.kherud.llama.tmpdir", unpacked.toString());
        try {
            LlamaModel.setLogger(LogFormat.TEXT, (level, text) -> {});
        } catch (LinkageError e) {
            abort("llama.cpp's library does not load here, so no export is run by it: " + e.getMessage());
        }
    }

    private static LlamaModel llamaCpp(Path file) {
        return new LlamaModel(new ModelParameters()
                .setModel(file.toString())
                .disableLog()
                .setCtxSize(128)
                .setThreads(1)
                .setThreadsBatch(1));
    }

    private Path export(Path source, Quantization quantization) throws IOException {
        Path file = folder.resolve("exported.gguf");
        try (StoredModel model = StoredModel.open(source)) {
            GgufExport.write(model, quantization, file, part -> {});
        }
        return file;
    }

    private static String greedy(LoadedModel model, String prompt) {
        TextGenerator generator = model.generator(Reference.BACKEND);
        GenerationRequest request = new GenerationRequest(
                generator.encode(prompt.getBytes(StandardCharsets.UTF_8)),
                TOKENS,
                Sampling.ofTemperature(0, 0),
                List.of(),
                0);
        return generator.generate(request, piece -> {}, () -> false).text();
    }

    @ParameterizedTest
    @EnumSource(
            mode = Mode.INCLUDE,
            names = {"F32", "F16", "BF16", "Q8_0"})
    void greedyTextIsTheSame(BlockFormat format) throws IOException {
        assumeTrue(Files.exists(STORIES), () -> STORIES + " is not there: its export is not run");
        Path file = export(STORIES, Quantization.pure(format));
        try (LoadedModel ours = LoadedModel.open(file);
                LlamaModel theirs = llamaCpp(file)) {
            InferenceParameters request =
                    new InferenceParameters(PROMPT).setTemperature(0).setNPredict(TOKENS);
            assertThat(theirs.complete(request)).isEqualTo(greedy(ours, PROMPT));
            for (String text : TEXTS) {
                assertThat(theirs.encode(text))
                        .as(text)
                        .containsExactly(ours.tokenizer().orElseThrow().encode(text));
            }
        }
    }

    private static double furthest(float[] ours, float[] theirs) {
        double most = 0;
        for (int i = 0; i < ours.length; i++) {
            most = Math.max(most, Math.abs((double) ours[i] - theirs[i]));
        }
        return most;
    }

    /// How far logits are from llama.cpp's on the same file, for a prompt in one pass and then token by token. With
    /// plain f32 only the order of sums differs; elsewhere llama.cpp rounds activations: to 16 bits, or to 8 as
    /// Epitome does, but with factors of 16 bits, so that some levels are others.
    private double differs(Path source, BlockFormat format, int[] tokens) throws IOException {
        Path file = export(source, Quantization.pure(format));
        double most = 0;
        try (LoadedModel ours = LoadedModel.open(file)) {
            int vocabulary = ours.transformer().config().vocabulary();
            try (Session session = new Session(ours.transformer(), Reference.BACKEND, tokens.length);
                    LlamaCppLogits theirs = new LlamaCppLogits(library(), file, vocabulary, true)) {
                int[] prompt = Arrays.copyOf(tokens, 8);
                most = furthest(session.advance(prompt), theirs.advance(prompt));
                for (int i = 8; i < tokens.length; i++) {
                    most = Math.max(most, furthest(session.advance(tokens[i]), theirs.advance(tokens[i])));
                }
            }
        }
        return most;
    }

    private static Path library() {
        return Path.of(System.getProperty("de.kherud.llama.tmpdir"), System.mapLibraryName("jllama"));
    }

    @ParameterizedTest
    @CsvSource({"F32, 1e-4", "F16, 0.02", "BF16, 0.1", "Q8_0, 0.5"})
    void logitsAreThoseOfLlamaCpp(BlockFormat format, double tolerance) throws IOException {
        assumeTrue(Files.exists(STORIES), () -> STORIES + " is not there: its export is not run");
        int[] tokens;
        try (LoadedModel model = LoadedModel.open(STORIES)) {
            tokens = model.generator(Reference.BACKEND)
                    .encode((PROMPT + greedy(model, PROMPT)).getBytes(StandardCharsets.UTF_8));
        }
        assertThat(differs(STORIES, format, tokens)).isLessThan(tolerance).isPositive();
    }

    /// GPT-2's is not opened by this build.
    @Test
    void logitsOfTheReferenceModelAreThoseOfLlamaCpp() throws IOException {
        Path source = folder.resolve("model");
        try (Transformer model = Reference.LLAMA.load()) {
            StoredModels.folder(source, model, new ByteTokenizer());
        }
        assertThat(differs(source, BlockFormat.F32, Models.tokens(40, 1))).isLessThan(1e-4);
    }

    @ParameterizedTest
    @ValueSource(doubles = {1, 1.3})
    void logitsWithYarnAreThoseOfLlamaCpp(double longer) throws IOException {
        double magnitude = longer * RotaryScaling.Yarn.magnitude(4);
        TransformerConfig config = Models.modern(128).config().with(c -> {
            c.queryKeyNorm = false;
            c.vocabulary = new ByteTokenizer().vocabularySize();
            c.position = new TransformerConfig.Position.Rotary(10_000, new RotaryScaling.Yarn(4, 8, 1, 32, magnitude));
        });
        Path source = folder.resolve("model");
        try (Transformer model = Models.drawn(config)) {
            StoredModels.folder(source, model, new ByteTokenizer());
        }
        assertThat(differs(source, BlockFormat.F32, Models.tokens(100, 1))).isLessThan(1e-4);
    }

    private void encodesTheSame(Tokenizer tokenizer, List<String> texts) throws IOException {
        TransformerConfig config = Models.modern(64).config().with(c -> {
            c.queryKeyNorm = false;
            c.vocabulary = tokenizer.vocabularySize() + 3;
        });
        try (Transformer model = Models.drawn(config)) {
            Path source = StoredModels.folder(folder.resolve("model"), model, tokenizer);
            try (LlamaModel theirs = llamaCpp(export(source, Quantization.pure(BlockFormat.F16)))) {
                for (String text : texts) {
                    assertThat(theirs.encode(text)).as(text).containsExactly(tokenizer.encode(text));
                }
            }
        }
    }

    private static Tokenizer trained(Splitting splitting) {
        byte[] text = String.join(" ", TEXTS).repeat(2).getBytes(StandardCharsets.UTF_8);
        return BytePairTrainer.train(List.of(text).iterator(), 500, splitting, List.of("<|endoftext|>"), 1);
    }

    /// llama.cpp's patterns of the names that splittings get are ours.
    @Test
    void tokensAreTheSameForEverySplitting() throws IOException {
        for (Splitting splitting : List.of(Splitting.GPT2, Splitting.GPT2_DIGITS, Splitting.GPT4, Splitting.QWEN2)) {
            encodesTheSame(trained(splitting), TEXTS);
        }
        encodesTheSame(new ByteTokenizer(), TEXTS);
        List<String> ascii = TEXTS.stream()
                .filter(text -> text.chars().allMatch(c -> c < 128))
                .toList();
        encodesTheSame(trained(Splitting.GPT4O), ascii); // elsewhere its pattern is another, which an export says
    }
}
