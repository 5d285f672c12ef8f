package ai.epitome.text.split;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.epitome.text.IntList;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The hand-written splitters cut where their regular expressions do.
class SplitterTest {
    /// What the patterns tell apart: letters of all five categories, marks, numbers, the two halves of contractions,
    /// white space and newlines, characters of one to four bytes, and bytes that are none.
    private static final List<byte[]> CHARACTERS = Stream.of(
                    "a b z A B Z é É ß ǅ ʰ ª 東 京 א ก \u0301 \u0903 \u20dd 1 2 9 ² Ⅳ ٣ ' ' ' s S t re RE ve m ll Ll d ſ K / / ! . _ € 🙂 𝒜 𝒷 𐐀 𐐨"
                            .split(" "),
                    new String[] {
                        " ", " ", " ", "\t", "\n", "\n", "\r", "\r\n", "\u00a0", "\u2003", "\u3000", "\u0085", "\u0000"
                    })
            .flatMap(Arrays::stream)
            .map(character -> character.getBytes(StandardCharsets.UTF_8))
            .toList();

    private static final List<String> FILES = List.of(
            "tokenizers/cs336/fixtures/german.txt",
            "tokenizers/cs336/fixtures/corpus.en",
            "tokenizers/cs336/fixtures/tinystories_sample.txt",
            "tokenizers/llama.cpp/ggml-vocab-gpt-2.gguf.inp",
            "tokenizers/llama.cpp/templates/meetkai-functionary-medium-v3.1.jinja",
            "tokenizers/tiktoken/o200k_base_encodings.csv",
            "compression/alice29.txt",
            "pretrain/tinyshakespeare.txt");

    private static final Map<Splitting, Splitter> EXPRESSIONS = handWritten()
            .collect(Collectors.toMap(
                    Function.identity(),
                    splitting -> new RegexSplitter(splitting.patterns().getFirst())));

    static Stream<Splitting> handWritten() {
        return Stream.of(Splitting.GPT2, Splitting.GPT4, Splitting.QWEN2, Splitting.GPT4O);
    }

    @ParameterizedTest
    @MethodSource("handWritten")
    void everyRunOfThreeKindsOfCharacters(Splitting splitting) {
        for (byte[] first : CHARACTERS) {
            for (byte[] second : CHARACTERS) {
                for (byte[] third : CHARACTERS) {
                    assertSame(splitting, joined(List.of(first, second, third)));
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("handWritten")
    void randomTextsOfThem(Splitting splitting) {
        Random random = new Random(11);
        for (int text = 0; text < 4000; text++) {
            List<byte[]> characters = new ArrayList<>();
            for (int i = random.nextInt(40); i >= 0; i--) {
                characters.add(
                        random.nextInt(50) == 0
                                ? new byte[] {(byte) random.nextInt(256)}
                                : CHARACTERS.get(random.nextInt(CHARACTERS.size())));
            }
            assertSame(splitting, joined(characters));
        }
    }

    /// So that no code point is in another class here than there.
    @ParameterizedTest
    @MethodSource("handWritten")
    void everyCodePoint(Splitting splitting) {
        StringBuilder text = new StringBuilder();
        for (int point = 0; point <= Character.MAX_CODE_POINT; point++) {
            if (point < Character.MIN_SURROGATE || point > Character.MAX_SURROGATE) {
                text.append("aA").appendCodePoint(point).append("Aa 1").appendCodePoint(point);
            }
            if (text.length() > 10_000 || point == Character.MAX_CODE_POINT) {
                assertSame(splitting, text.toString().getBytes(StandardCharsets.UTF_8));
                text.setLength(0);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("handWritten")
    void realTexts(Splitting splitting) throws IOException {
        Path data = Path.of(System.getProperty("epitome.shared", "../shared"), "data");
        assumeTrue(Files.exists(data), () -> data + " is not there: its texts are not split");
        for (String file : FILES) {
            assertSame(splitting, Files.readAllBytes(data.resolve(file)));
        }
    }

    /// The pieces of one pattern; the comparisons above would be none if these were left to the expression.
    @Test
    void wordsOfGpt4o() {
        assertThat(pieces(Splitting.GPT4O.splitter(), bytes("McDonald's DON'T café/\n/ ABCdef 東京Tower\u0301s 12345")))
                .containsExactly(
                        "Mc", "Donald's", " DON'T", " café", "/\n/", " ABCdef", " 東京Tower\u0301s", " ", "123", "45");
        assertThat(handWritten().map(Splitting::splitter)).noneMatch(RegexSplitter.class::isInstance);
    }

    private static void assertSame(Splitting splitting, byte[] text) {
        Splitter expression = EXPRESSIONS.get(splitting);
        int[] expected = ends(expression, text);
        int[] found = ends(splitting.splitter(), text);
        if (!Arrays.equals(found, expected)) {
            assertThat(pieces(splitting.splitter(), text))
                    .as("%s of %s", splitting, text.length < 200 ? Arrays.toString(text) : "a long text")
                    .isEqualTo(pieces(expression, text));
        }
        assertThat(found).isEqualTo(expected);
    }

    private static int[] ends(Splitter splitter, byte[] text) {
        IntList ends = new IntList();
        splitter.split(text, 0, text.length, (_, _, end) -> ends.add(end));
        return ends.toArray();
    }

    private static List<String> pieces(Splitter splitter, byte[] text) {
        List<String> pieces = new ArrayList<>();
        splitter.split(
                text,
                0,
                text.length,
                (bytes, from, to) -> pieces.add(new String(bytes, from, to - from, StandardCharsets.UTF_8)));
        return pieces;
    }

    private static byte[] joined(List<byte[]> parts) {
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        parts.forEach(text::writeBytes);
        return text.toByteArray();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
