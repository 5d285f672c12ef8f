package ai.epitome.text.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.epitome.text.BytePairTokenizer;
import ai.epitome.text.BytePairTrainer;
import ai.epitome.text.ByteTokenizer;
import ai.epitome.text.MalformedTokenizerException;
import ai.epitome.text.MarkedText;
import ai.epitome.text.Tokenizer;
import ai.epitome.text.split.Splitting;
import com.knuddels.jtokkit.Encodings;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Tokenizers against what others expect of them.
class TokenizerTest {
    private static final List<String> END = List.of("<|endoftext|>");

    private static Path shared(String name) {
        Path path = Path.of(System.getProperty("epitome.shared", "../shared"), "data", "tokenizers", name);
        assumeTrue(Files.exists(path), () -> path + " is not there: this comparison is skipped");
        return path;
    }

    @Test
    void trainingGivesTheReferenceMerges() throws IOException {
        Path fixtures = shared("cs336/fixtures");
        byte[] corpus = Files.readAllBytes(fixtures.resolve("corpus.en"));
        BytePairTokenizer tokenizer = BytePairTrainer.train(List.of(corpus).iterator(), 500, Splitting.GPT2, END, 2);
        List<String> lines = Files.readAllLines(fixtures.resolve("train-bpe-reference-merges.txt"));
        List<String> expected =
                lines.stream().map(line -> line.replace(" ", "")).toList();
        List<String> found = new ArrayList<>();
        for (int id = 256; id < 256 + expected.size(); id++) {
            found.add(ByteAlphabet.toText(tokenizer.token(id)));
        }
        assertThat(found).isEqualTo(expected);
        assertThat(tokenizer.vocabularySize()).isEqualTo(500);
    }

    @Test
    void trainingDoesNotDependOnThreads() {
        List<byte[]> texts = new ArrayList<>();
        Random random = new Random(5);
        for (int i = 0; i < 300; i++) {
            texts.add(("word" + random.nextInt(40) + " and then some " + random.nextInt(9))
                    .getBytes(StandardCharsets.UTF_8));
        }
        Tokenizer one = BytePairTrainer.train(texts.iterator(), 330, 1);
        Tokenizer four = BytePairTrainer.train(texts.iterator(), 330, 4);
        for (int id = 0; id < one.vocabularySize(); id++) {
            assertThat(four.token(id)).isEqualTo(one.token(id));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "cl100k_base.tiktoken.gz, CL100K_BASE, cl100k_base_encodings.csv",
        "o200k_base.tiktoken.gz, O200K_BASE, o200k_base_encodings.csv",
        "gpt2.tiktoken.gz, R50K_BASE, r50k_base_encodings.csv"
    })
    void idsAreThoseOfTiktoken(String ranks, TiktokenEncoding encoding, String table) throws IOException {
        compare(Tokenizers.loadTiktoken(shared("tiktoken/" + ranks), encoding), table);
    }

    @ParameterizedTest
    @CsvSource({"P50K_BASE, p50k_base_encodings.csv", "P50K_EDIT, p50k_edit_encodings.csv"})
    void idsOfCodexAreThoseOfTiktoken(TiktokenEncoding encoding, String table, @TempDir Path folder)
            throws IOException {
        Path ranks = folder.resolve("p50k_base.tiktoken");
        try (InputStream input = Encodings.class.getResourceAsStream("p50k_base.tiktoken")) {
            Files.copy(input, ranks);
        }
        compare(Tokenizers.loadTiktoken(ranks, encoding), table);
    }

    private static void compare(Tokenizer tokenizer, String table) throws IOException {
        int checked = 0;
        for (List<String> row : Csv.read(shared("tiktoken/" + table))) {
            int[] expected = Csv.ids(row.get(1));
            assertThat(tokenizer.encode(row.get(0))).as(row.get(0)).isEqualTo(expected);
            checked++;
        }
        assertThat(checked).isGreaterThan(50);
    }

    @ParameterizedTest
    @CsvSource({
        "gpt2, ggml-vocab-gpt-2.gguf",
        "hf/llama3/tokenizer.json.gz, ggml-vocab-llama-bpe.gguf",
        "llama.cpp/ggml-vocab-deepseek-llm.gguf, ggml-vocab-deepseek-llm.gguf",
        "llama.cpp/ggml-vocab-gpt-2.gguf, ggml-vocab-gpt-2.gguf"
    })
    void idsAreThoseOfLlamaCpp(String vocabulary, String pairs) throws IOException {
        Tokenizer tokenizer = Tokenizers.load(shared(vocabulary));
        String[] inputs =
                Files.readString(shared("llama.cpp/" + pairs + ".inp")).split("\n__ggml_vocab_test__\n", -1);
        List<String> outputs = Files.readAllLines(shared("llama.cpp/" + pairs + ".out"));
        for (int i = 0; i < outputs.size(); i++) {
            assertThat(tokenizer.encode(inputs[i]))
                    .as("text %d: %s", i, inputs[i])
                    .isEqualTo(Csv.ids(outputs.get(i)));
        }
    }

    /// No expected ids came with this vocabulary. What sets it apart from GPT-2's can be read off its list of
    /// tokens: runs of 2 to 24 spaces are added tokens, ids 50276 down to 50254. They are taken out before the text
    /// is split, the longest first; so a word after them stands without its space.
    @Test
    void gptNeoXTakesRunsOfSpacesOutFirst() throws IOException {
        Tokenizer tokenizer = Tokenizers.load(shared("llama.cpp/ggml-vocab-gpt-neox.gguf"));
        int a = idOf(tokenizer, "a");
        int b = idOf(tokenizer, "b");
        int spaceAndB = idOf(tokenizer, " b");
        assertThat(tokenizer.encode("a b")).containsExactly(a, spaceAndB);
        for (int spaces = 2; spaces <= 24; spaces++) {
            assertThat(tokenizer.encode("a" + " ".repeat(spaces) + "b")).containsExactly(a, 50278 - spaces, b);
        }
        assertThat(tokenizer.encode("a" + " ".repeat(25) + "b")).containsExactly(a, 50254, spaceAndB);
        assertThat(tokenizer.encode("a" + " ".repeat(50) + "b")).containsExactly(a, 50254, 50254, 50276, b);
        assertThat(tokenizer.encode("a\n    b")).containsExactly(a, idOf(tokenizer, "\n"), 50274, b);
    }

    /// GPT-NeoX splits like GPT-2: contractions in lower case only. Its control tokens and paddings are no text.
    @Test
    void gptNeoXSplitsLikeGpt2() throws IOException {
        Tokenizer tokenizer = Tokenizers.load(shared("llama.cpp/ggml-vocab-gpt-neox.gguf"));
        assertThat(tokenizer.encode("Hello world")).containsExactly(12092, 1533);
        assertThat(tokenizer.encode("I'll")).containsExactly(idOf(tokenizer, "I"), idOf(tokenizer, "'ll"));
        assertThat(tokenizer.encode("I'LL"))
                .containsExactly(idOf(tokenizer, "I"), idOf(tokenizer, "'"), idOf(tokenizer, "LL"));
        assertThat(tokenizer.encode("<|endoftext|><|padding|>[PAD50277]")).doesNotContain(0, 1, 50277);
        String text = "Hello world, 1234 naïve 東京\n    four spaces";
        assertThat(new String(tokenizer.decode(tokenizer.encode(text)), StandardCharsets.UTF_8))
                .isEqualTo(text);
    }

    private static int idOf(Tokenizer tokenizer, String token) {
        byte[] bytes = token.getBytes(StandardCharsets.UTF_8);
        return IntStream.range(0, tokenizer.vocabularySize())
                .filter(id -> Arrays.equals(tokenizer.token(id), bytes))
                .findFirst()
                .orElseThrow();
    }

    @Property(tries = 300)
    void anyBytesComeBack(@ForAll byte[] text) {
        Tokenizer trained = Trained.TOKENIZER;
        assertThat(trained.decode(trained.encode(text))).isEqualTo(text);
        Tokenizer bytes = new ByteTokenizer(END);
        assertThat(bytes.decode(bytes.encode(text))).isEqualTo(text);
    }

    @Property(tries = 200)
    void controlTokensNeverComeFromText(@ForAll String before, @ForAll String after) {
        for (Tokenizer tokenizer : List.of(Trained.TOKENIZER, new ByteTokenizer(END))) {
            int control = tokenizer.specialTokens().get("<|endoftext|>");
            assertThat(tokenizer.encode(before + "<|endoftext|>" + after)).doesNotContain(control);
            assertThat(tokenizer.encode(MarkedText.ofTemplate("a<|endoftext|>b")))
                    .contains(control);
            assertThat(tokenizer.encode(MarkedText.ofValue(before + "<|endoftext|>" + after)))
                    .doesNotContain(control);
        }
    }

    /// A user may try to complete what the template begins, or to be read as part of it.
    @Property(tries = 300)
    void onlyWhatTheTemplateWroteIsAControlToken(@ForAll String value, @ForAll @IntRange(max = 13) int cut) {
        String name = "<|endoftext|>";
        MarkedText text = new MarkedText.Builder()
                .append(name, true)
                .append(name.substring(0, cut), true)
                .append(name.substring(cut) + value + name, false)
                .append("é" + name, true)
                .build();
        for (Tokenizer tokenizer : List.of(Trained.TOKENIZER, new ByteTokenizer(END))) {
            int control = tokenizer.specialTokens().get(name);
            int expected = cut == name.length() ? 3 : 2;
            int[] ids = tokenizer.encode(text);
            assertThat(Arrays.stream(ids).filter(id -> id == control).count()).isEqualTo(expected);
            String plain = (cut == name.length() ? "" : name) + value + name + "é";
            assertThat(tokenizer.decode(ids)).isEqualTo(plain.getBytes(StandardCharsets.UTF_8));
        }
    }

    @Test
    void whatIsWrittenIsReadBack(@TempDir Path folder) throws IOException {
        byte[] text = "Some text, 12345 and more: naïve 東京 🙂\n\n  <|endoftext|>".getBytes(StandardCharsets.UTF_8);
        for (Tokenizer tokenizer : List.of(Trained.TOKENIZER, new ByteTokenizer(END), new ByteTokenizer())) {
            Tokenizers.save(tokenizer, folder);
            Tokenizer read = Tokenizers.load(folder);
            assertThat(read.kind()).isEqualTo(tokenizer.kind());
            assertThat(read.vocabularySize()).isEqualTo(tokenizer.vocabularySize());
            assertThat(read.specialTokens()).isEqualTo(tokenizer.specialTokens());
            assertThat(read.encode(text)).isEqualTo(tokenizer.encode(text));
        }
    }

    @Test
    void theTokenBeforeEveryTextIsWrittenAndReadBack(@TempDir Path folder) throws IOException {
        BytePairTokenizer tokenizer = ((BytePairTokenizer) Trained.TOKENIZER).withSpecialTokens(List.of("<s>"));
        int begin = tokenizer.specialTokens().get("<s>");
        Tokenizers.save(tokenizer.withBeginOfText(OptionalInt.of(begin)), folder);
        assertThat(Tokenizers.load(folder).beginOfText()).hasValue(begin);
        Path file = folder.resolve("tokenizer.json");
        String json = Files.readString(file);
        assertThat(json).containsPattern("\"ids\" : \\[ " + begin + " \\]");
        Files.writeString(file, json.replaceFirst("\"ids\" : \\[ " + begin, "\"ids\" : [ 999"));
        assertThatThrownBy(() -> Tokenizers.load(file))
                .isInstanceOf(MalformedTokenizerException.class)
                .hasMessageContaining("texts begin with token 999");
        Tokenizers.save(tokenizer, folder);
        assertThat(Tokenizers.load(folder).beginOfText()).isEmpty();
    }

    @Test
    void brokenFilesAreNamed(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("tokenizer.json");
        for (String content :
                List.of("", "{", "{\"model\": 3}", "[]", "{\"model\":{\"type\":\"Unigram\"}}", "6".repeat(50))) {
            Files.writeString(file, content);
            assertThatThrownBy(() -> Tokenizers.load(file))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("tokenizer.json");
        }
    }

    /// A small tokenizer, trained once.
    private static final class Trained {
        static final Tokenizer TOKENIZER = BytePairTrainer.train(
                List.of("the cat and the dog and the cat's hat; 東京 東京 naïve naïve".getBytes(StandardCharsets.UTF_8))
                        .iterator(),
                280,
                1);
    }
}
