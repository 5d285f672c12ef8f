package ai.epitome.text.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.epitome.text.ByteTokenizer;
import ai.epitome.text.MalformedTokenizerException;
import ai.epitome.text.MarkedText;
import ai.epitome.text.SentencePieceTokenizer;
import ai.epitome.text.Tokenizer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// SentencePiece's vocabularies in `tokenizer.json`.
class SentencePieceJsonTest {
    private static final List<String> TEXTS = List.of(
            "",
            "a",
            " ",
            "  ",
            " a",
            "a ",
            "Hello world",
            "h\u00e9llo n\u00e9 n\u00e9",
            "\u65e5\u672c\u8a9e \u30c6\u30ad\u30b9\u30c8\ud83d\ude42",
            "\n\n\t x",
            "don't  stop   now    ok",
            "\u2581under \u2581",
            "e\u0301 \u00c0\u00c9\u00ce",
            "1234567 12 3",
            "x\u2581\u2581y::z :: ::",
            "the quick brown fox jumps over the lazy dog. ".repeat(5));

    private static final String PREPEND_AND_REPLACE = "\"normalizer\" : {\n    \"type\" : \"Sequence\"";

    @TempDir
    private Path folder;

    private static Path llama2() {
        Path file =
                Path.of(System.getProperty("epitome.shared", "../shared"), "data/tokenizers/llama2/tokenizer.model");
        assumeTrue(Files.exists(file), () -> file + " is not there: no tokenizer.json is made of it");
        return file;
    }

    private static Tokenizer read(String json) throws IOException {
        return TokenizerJsonReader.read(new ByteArrayInputStream(json.getBytes(StandardCharsets.UTF_8)), "test");
    }

    /// Llama 2's vocabulary with another rule for spaces, or with two more tokens.
    private static String variant(String name) throws IOException {
        String json = new String(Tokenizers.toJson(Tokenizers.load(llama2())), StandardCharsets.UTF_8);
        if (name.equals("llama")) {
            return json;
        }
        if (name.equals("added")) {
            return json.replaceFirst(
                    "\"added_tokens\" : \\[",
                    "\"added_tokens\" : [ {\"id\": 32000, \"content\": \"<|user|>\", \"special\": true},"
                            + " {\"id\": 32001, \"content\": \"y::z\", \"special\": false},");
        }
        String[] parts = name.split("-");
        return json.replaceFirst(
                "(?s)\"normalizer\" : \\{.*?\"pre_tokenizer\" : null",
                "\"normalizer\": null,"
                        + "\"pre_tokenizer\": {\"type\": \"Metaspace\", \"replacement\": \"\u2581\", \"prepend_scheme\": \""
                        + parts[0] + "\", \"split\": " + parts[1] + "}");
    }

    /// The hash of all ids that the package `tokenizers` 0.23.2 gives for these texts and files.
    @ParameterizedTest
    @CsvSource({
        "llama, 0xef4e84c",
        "added, 0xd301f093",
        "first-true, 0x9d899a58",
        "first-false, 0x4788a39",
        "always-true, 0x9d899a58",
        "never-true, 0x4f2a3ba5",
        "never-false, 0x9a94641a"
    })
    void idsAreThoseOfHuggingFace(String name, String hash) throws IOException {
        Tokenizer tokenizer = read(variant(name));
        List<Integer> ids = new ArrayList<>();
        for (String text : TEXTS) {
            int[] one = tokenizer.encode(text);
            ids.add(one.length);
            Arrays.stream(one).forEach(ids::add);
        }
        assertThat(ids.hashCode()).isEqualTo((int) (long) Long.decode(hash));
    }

    @Test
    void textsComeBack() throws IOException {
        Tokenizer tokenizer = read(variant("llama"));
        assertThat(tokenizer.beginOfText()).isEqualTo(OptionalInt.of(1));
        assertThat(tokenizer.specialTokens()).isEqualTo(Map.of("<s>", 1, "</s>", 2));
        assertThat(tokenizer.vocabularySize()).isEqualTo(32_000);
        for (String text : TEXTS) {
            byte[] bytes = text.replace('\u2581', ' ').getBytes(StandardCharsets.UTF_8);
            assertThat(tokenizer.decode(tokenizer.encode(text))).as(text).isEqualTo(bytes);
        }
        byte[] broken = {'a', -1, -61, ' ', -30};
        assertThat(tokenizer.decode(tokenizer.encode(broken))).isEqualTo(broken);
    }

    @Test
    void whatIsWrittenIsWhatWasRead() throws IOException {
        for (String name : List.of("llama", "added", "first-true", "never-false")) {
            Tokenizer tokenizer = read(variant(name));
            byte[] written = Tokenizers.toJson(tokenizer);
            Tokenizer again = read(new String(written, StandardCharsets.UTF_8));
            assertThat(Tokenizers.toJson(again)).as(name).isEqualTo(written);
            for (String text : TEXTS) {
                assertThat(again.encode(text)).as(text).isEqualTo(tokenizer.encode(text));
            }
            assertThat(Tokenizers.toFiles(tokenizer)).containsOnlyKeys("tokenizer.json");
        }
    }

    /// Its scores come back exactly.
    @Test
    void sentencePiecesOwnFileIsWrittenBesideIt() throws IOException {
        Tokenizer tokenizer = Tokenizers.load(llama2());
        Map<String, byte[]> files = Tokenizers.toFiles(tokenizer);
        assertThat(files).containsOnlyKeys("tokenizer.json", "tokenizer.model");
        Path file = Files.write(folder.resolve("tokenizer.model"), files.get("tokenizer.model"));
        SentencePieceTokenizer back = (SentencePieceTokenizer) Tokenizers.load(file);
        assertThat(back.pieces()).isEqualTo(((SentencePieceTokenizer) tokenizer).pieces());
        assertThat(back.beginOfText()).isEqualTo(tokenizer.beginOfText());
        assertThat(back.spacePrefix()).isTrue();
        for (String text : TEXTS) {
            assertThat(back.encode(text)).as(text).isEqualTo(tokenizer.encode(text));
        }
    }

    @Test
    void llama2cGetsItsOwnFileBack() throws IOException {
        Path file = llama2().resolveSibling("tokenizer.bin");
        assumeTrue(Files.exists(file), () -> file + " is not there");
        assertThat(Tokenizers.toLlama2c(Tokenizers.load(file), 32_000)).isEqualTo(Files.readAllBytes(file));
        assertThatThrownBy(() -> Tokenizers.toLlama2c(new ByteTokenizer(), 257)).hasMessageContaining("of kind byte");
        assertThatThrownBy(() -> Tokenizers.toLlama2c(Tokenizers.load(file), 32_001))
                .hasMessageContaining("as many tokens as the model");
    }

    /// Each segment of a template is a text of its own, unless the rule says the first alone.
    @Test
    void templates() throws IOException {
        Tokenizer every = read(variant("added"));
        int[] ids = every.encode(MarkedText.ofTemplate("<|user|>a"));
        assertThat(ids).startsWith(32_000).endsWith(every.encode("a"));
        Tokenizer first = read(variant("first-false"));
        assertThat(first.encode(MarkedText.ofTemplate("<s>a")))
                .startsWith(1)
                .endsWith(first.encodeContinuation("a".getBytes(StandardCharsets.UTF_8)));
    }

    @Test
    void whatIsNotKnownIsRefused() throws IOException {
        String json = variant("llama");
        assertThat(json).contains(PREPEND_AND_REPLACE);
        assertThatThrownBy(() -> read(json.replace("\"Prepend\"", "\"Lowercase\"")))
                .isInstanceOf(MalformedTokenizerException.class)
                .hasMessageContaining("Lowercase");
        assertThatThrownBy(() -> read(json.replace("\"type\" : \"Replace\"", "\"type\" : \"NFKC\"")))
                .hasMessageContaining("NFKC");
        assertThatThrownBy(() -> read(json.replace(
                        "\"pre_tokenizer\" : null", "\"pre_tokenizer\" : {\"type\": \"BertPreTokenizer\"}")))
                .hasMessageContaining("BertPreTokenizer");
        assertThatThrownBy(() -> read(json.replace("\"byte_fallback\" : true", "\"byte_fallback\" : false")
                        .replace("\"unk_token\" : \"<unk>\"", "\"unk_token\" : null")))
                .hasMessageContaining("neither a token for each byte");
        assertThatThrownBy(() -> read("{\"model\": {\"type\": \"BPE\", \"vocab\": {}, \"merges\": []}}"))
                .hasMessageContaining("neither \"ByteLevel\"");
    }
}
