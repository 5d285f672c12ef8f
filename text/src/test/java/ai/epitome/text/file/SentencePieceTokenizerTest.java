package ai.epitome.text.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.epitome.text.MalformedTokenizerException;
import ai.epitome.text.MarkedText;
import ai.epitome.text.SentencePieceTokenizer;
import ai.epitome.text.Tokenizer;
import ai.epitome.text.VocabularyPiece;
import ai.epitome.text.VocabularyPiece.Type;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.CharRange;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// SentencePiece vocabularies: ids as others have them, and the rules one by one on small ones.
class SentencePieceTokenizerTest {
    private static final int FIRST = 259;

    private static Path shared(String name) {
        Path path = Path.of(System.getProperty("epitome.shared", "../shared"), "data", "tokenizers", name);
        assumeTrue(Files.exists(path), () -> path + " is not there: this comparison is skipped");
        return path;
    }

    @ParameterizedTest
    @ValueSource(strings = {"llama2/tokenizer.bin", "llama2/tokenizer.model", "llama.cpp/ggml-vocab-llama-spm.gguf"})
    void idsOfLlama2AreThoseOfLlamaCpp(String vocabulary) throws IOException {
        Tokenizer tokenizer = Tokenizers.load(shared(vocabulary));
        String pairs = "llama.cpp/ggml-vocab-llama-spm.gguf";
        String[] inputs = Files.readString(shared(pairs + ".inp")).split("\n__ggml_vocab_test__\n", -1);
        List<String> outputs = Files.readAllLines(shared(pairs + ".out"));
        for (int i = 0; i < outputs.size(); i++) {
            int[] ids = tokenizer.encode(inputs[i]);
            assertThat(ids).as("text %d: %s", i, inputs[i]).isEqualTo(Csv.ids(outputs.get(i)));
            assertThat(new String(tokenizer.decode(ids), StandardCharsets.UTF_8))
                    .isEqualTo(inputs[i]);
        }
        assertThat(tokenizer.vocabularySize()).isEqualTo(32_000);
        assertThat(tokenizer.beginOfText()).hasValue(1);
        assertThat(tokenizer.endOfText()).hasValue(2);
        assertThat(tokenizer.specialTokens()).containsOnlyKeys("<s>", "</s>");
    }

    @Test
    void theHighestScoreIsJoinedFirst() {
        // "ab" before "bc", so "c" stays alone; of equals the leftmost
        SentencePieceTokenizer tokenizer = Pieces.tokenizer("ab", "bc", "a", "b", "c", "\u2581");
        assertThat(tokenizer.encode("abc")).containsExactly(FIRST + 5, FIRST, FIRST + 4);
        assertThat(tokenizer.encode("bcab")).containsExactly(FIRST + 5, FIRST + 1, FIRST);
        SentencePieceTokenizer equal = Pieces.tokenizer("aa", "a", "\u2581");
        assertThat(equal.encode("aaa")).containsExactly(FIRST + 2, FIRST, FIRST + 1);
    }

    @Test
    void whatNoTokenSpellsBecomesBytes() {
        SentencePieceTokenizer tokenizer = Pieces.tokenizer("\u2581", "n\u00e9");
        assertThat(tokenizer.encode("\u00e9")).containsExactly(FIRST, 3 + 0xC3, 3 + 0xA9);
        assertThat(tokenizer.encode("n\u00e9")).containsExactly(FIRST, FIRST + 1); // found by its text, not by parts
        assertThat(tokenizer.encode(new byte[] {(byte) 0xFF, (byte) 0xC3})).containsExactly(FIRST, 3 + 0xFF, 3 + 0xC3);
    }

    @Test
    void withoutBytesACharacterIsUnknown() {
        List<VocabularyPiece> pieces =
                List.of(new VocabularyPiece("<unk>", 0, Type.UNKNOWN), new VocabularyPiece("a", 0, Type.NORMAL));
        SentencePieceTokenizer tokenizer = new SentencePieceTokenizer(pieces, false, OptionalInt.empty());
        assertThat(tokenizer.encode("a\u6771a")).containsExactly(1, 0, 1);
        assertThatThrownBy(() -> new SentencePieceTokenizer(pieces.subList(1, 2), false, OptionalInt.empty()))
                .hasMessageContaining("neither a token for each byte");
    }

    @Test
    void aSpaceGoesBeforeATextAndIsTakenAway() {
        SentencePieceTokenizer tokenizer = Pieces.tokenizer("\u2581a", "a", "\u2581", "\u2581\u2581");
        assertThat(tokenizer.encode("a a")).containsExactly(FIRST, FIRST);
        assertThat(tokenizer.encode(" a")).containsExactly(FIRST + 2, FIRST);
        assertThat(tokenizer.encode("")).isEmpty();
        assertThat(tokenizer.encodeContinuation("a a".getBytes(StandardCharsets.UTF_8)))
                .containsExactly(FIRST + 1, FIRST);
        assertThat(tokenizer.decode(FIRST, FIRST)).asString().isEqualTo("a a");
        assertThat(tokenizer.token(FIRST)).asString().isEqualTo(" a");
        assertThat(tokenizer.decode(tokenizer.encode("\u2581"))).asString().isEqualTo(" ");
    }

    @Test
    void userDefinedTokensAreTakenOutFirst() {
        List<VocabularyPiece> pieces = new ArrayList<>(Pieces.with("\u2581a", "a", "b", "ab"));
        pieces.add(new VocabularyPiece("ba", 0, Type.USER_DEFINED));
        SentencePieceTokenizer tokenizer = new SentencePieceTokenizer(pieces, true, OptionalInt.of(1));
        assertThat(tokenizer.encode("abab")).containsExactly(FIRST, FIRST + 4, FIRST + 2);
    }

    @Test
    void controlTokensComeFromTemplatesOnly() {
        SentencePieceTokenizer tokenizer = Pieces.tokenizer("<s>", "a", "\u2581a", "<s");
        assertThat(tokenizer.encode("<s>")).contains(FIRST).doesNotContain(1);
        assertThat(tokenizer.encode(MarkedText.ofTemplate("<s>a</s>a"))).containsExactly(1, FIRST + 2, 2, FIRST + 2);
        assertThat(tokenizer.encode(MarkedText.ofValue("<s>"))).isEqualTo(tokenizer.encode("<s>"));
        assertThat(tokenizer.decode(1, FIRST + 2, 2)).asString().isEqualTo("a");
    }

    /// The definition, word for word, over the whole text at once.
    @Property(tries = 500)
    void joiningWordByWordIsJoiningAll(
            @ForAll @CharRange(from = 'a', to = 'd') @StringLength(max = 30) String letters, @ForAll long spaces) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < letters.length(); i++) {
            text.append(letters.charAt(i)).append(" ".repeat((int) (spaces >>> 2 * i & 3) / 2));
        }
        String[] tokens = {"ab", "\u2581a", "abc", "\u2581abc", "cd", "bc", "a", "b", "c", "d", "\u2581", "\u2581\u2581"
        };
        List<String> symbols =
                new ArrayList<>(List.of(("\u2581" + text.toString().replace(' ', '\u2581')).split("")));
        while (joinBest(symbols, Arrays.asList(tokens))) {}
        int[] expected = symbols.stream()
                .mapToInt(symbol -> FIRST + Arrays.asList(tokens).indexOf(symbol))
                .toArray();
        assertThat(Pieces.tokenizer(tokens).encode(text.toString())).isEqualTo(text.isEmpty() ? new int[0] : expected);
    }

    private static boolean joinBest(List<String> symbols, List<String> tokens) {
        int best = -1;
        int score = tokens.size();
        for (int i = 0; i + 1 < symbols.size(); i++) {
            int found = tokens.indexOf(symbols.get(i) + symbols.get(i + 1));
            if (found >= 0 && found < score) {
                best = i;
                score = found;
            }
        }
        if (best < 0) {
            return false;
        }
        symbols.set(best, symbols.get(best) + symbols.remove(best + 1));
        return true;
    }

    @Test
    void aTokenWithASpaceInsideIsFoundToo() {
        SentencePieceTokenizer tokenizer = Pieces.tokenizer("\u2581a", "a\u2581b", "a", "b", "\u2581b", "a\u2581");
        assertThat(tokenizer.encodeContinuation("a b".getBytes(StandardCharsets.UTF_8)))
                .containsExactly(FIRST + 1);
    }

    @Test
    void aFileOfSentencePieceIsRead() throws IOException {
        Tokenizer tokenizer = SentencePieceFile.read(new ByteArrayInputStream(Pieces.model(2, false)), "x.model");
        assertThat(tokenizer.encode("the \u6771\u4eac")).containsExactly(FIRST + 2, FIRST + 3, FIRST + 10);
        assertThat(tokenizer.beginOfText()).hasValue(1);
        assertMalformed(Pieces.model(1, false), "x.model: a SentencePiece model of kind 1; only BPE, 2, can be read");
        assertMalformed(Pieces.model(2, true), "x.model: it normalises text before it splits it");
        byte[] cut = Arrays.copyOf(Pieces.model(2, false), 40);
        assertMalformed(cut, "x.model: field 1 has 13 bytes, of which 8 are there");
        assertMalformed(new byte[] {0x4B}, "x.model: field 9 is of kind 3, which is not known");
        assertMalformed(new byte[] {8, -1, -1}, "x.model: field 1 is of kind 0, expected 2 (before byte 1)");
    }

    private static void assertMalformed(byte[] bytes, String message) {
        assertThatThrownBy(() -> SentencePieceFile.read(new ByteArrayInputStream(bytes), "x.model"))
                .isInstanceOf(MalformedTokenizerException.class)
                .hasMessageStartingWith(message);
    }

    @Test
    void aFileOfLlama2cIsRead() throws IOException {
        Tokenizer tokenizer = Llama2cTokenizer.read(new ByteArrayInputStream(Pieces.llama2c()), "tokenizer.bin");
        assertThat(tokenizer.encode("the \u6771\u4eac")).containsExactly(FIRST + 2, FIRST + 3, FIRST + 10);
        byte[] cut = Arrays.copyOf(Pieces.llama2c(), 40);
        assertThatThrownBy(() -> Llama2cTokenizer.read(new ByteArrayInputStream(cut), "tokenizer.bin"))
                .isInstanceOf(MalformedTokenizerException.class)
                .hasMessageStartingWith("tokenizer.bin: the file ends within a token, behind byte");
    }
}
