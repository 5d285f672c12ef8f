package ai.epitome.model.generation;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class PieceBufferTest {
    private static ScoredToken token(byte... bytes) {
        return new ScoredToken(bytes.length, bytes, -1f, List.of());
    }

    private static ScoredToken token(String text) {
        return token(text.getBytes(StandardCharsets.UTF_8));
    }

    /// Texts of the pieces of `tokens`, each until the first stop.
    private static List<String> texts(List<String> stops, ScoredToken... tokens) {
        PieceBuffer buffer = new PieceBuffer(stops);
        List<String> texts = new ArrayList<>();
        for (ScoredToken token : tokens) {
            texts.add(buffer.push(token).text());
            if (buffer.stopped()) {
                return texts;
            }
        }
        texts.add(buffer.finish().text());
        return texts;
    }

    @Test
    void aStopStringAcrossTokensNeverShows() {
        assertThat(texts(List.of("\nUser:"), token("Hello"), token("!\nUs"), token("er"), token(": hi")))
                .containsExactly("Hello", "!", "", "");
    }

    @Test
    void whatOnlyLookedLikeAStopStringIsGivenOut() {
        assertThat(texts(List.of("\nUser:"), token("a\nUse"), token("d"))).containsExactly("a", "\nUsed", "");
        assertThat(texts(List.of("\nUser:"), token("a\nUse"))).containsExactly("a", "\nUse");
    }

    @Test
    void theEarliestStopStringCounts() {
        assertThat(texts(List.of("cd", "bc"), token("abcd"))).containsExactly("a");
        assertThat(texts(List.of("aab"), token("aa"), token("ab"))).containsExactly("", "a");
    }

    @Test
    void charactersAreGivenOutWhole() {
        byte[] euro = "€".getBytes(StandardCharsets.UTF_8);
        assertThat(texts(List.of(), token(euro[0]), token(euro[1]), token(euro[2], (byte) 'x')))
                .containsExactly("", "", "€x", "");
        assertThat(texts(List.of(), token(euro[0], euro[1]))).containsExactly("", "\uFFFD");
        assertThat(texts(List.of(), token((byte) 0xFF), token("a"))).containsExactly("\uFFFD", "a", "");
    }

    @Test
    void tokensComeWithTheirTextAndNotAfterAStop() {
        PieceBuffer buffer = new PieceBuffer(List.of("END"));
        assertThat(buffer.push(token("abE")).tokens()).isEmpty();
        assertThat(buffer.push(token("N")).tokens()).isEmpty();
        GenerationPiece last = buffer.push(token("D!"));
        assertThat(buffer.stopped()).isTrue();
        assertThat(last.tokens()).hasSize(1); // "abE" is partly in the text; "N" and "D!" are not
        assertThat(last.tokens().getFirst().bytes()).hasSize(3);
    }

    @Test
    void aControlTokenIsATokenWithoutText() {
        PieceBuffer buffer = new PieceBuffer(List.of());
        assertThat(buffer.push(token()).tokens()).hasSize(1);
    }

    /// However the bytes are cut into tokens, the text is that of the bytes before the first stop string.
    @Property(tries = 500)
    void tokenBordersDoNotMatter(
            @ForAll @Size(max = 40) List<@IntRange(max = 5) Integer> letters,
            @ForAll @Size(min = 1, max = 40) List<@IntRange(min = 1, max = 4) Integer> cuts,
            @ForAll @Size(max = 2) List<@Size(min = 1, max = 4) List<@IntRange(max = 2) Integer>> stops) {
        String[] alphabet = {"a", "b", "é", "€", "🙂", "c"};
        StringBuilder text = new StringBuilder();
        letters.forEach(letter -> text.append(alphabet[letter]));
        List<String> stopTexts = stops.stream()
                .map(stop -> String.join("", stop.stream().map(i -> alphabet[i]).toList()))
                .toList();
        int end = beforeFirstStop(text.toString(), stopTexts);

        byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
        PieceBuffer buffer = new PieceBuffer(stopTexts);
        StringBuilder found = new StringBuilder();
        List<ScoredToken> tokens = new ArrayList<>();
        int at = 0;
        for (int i = 0; at < bytes.length && !buffer.stopped(); i++) {
            int next = Math.min(bytes.length, at + cuts.get(i % cuts.size()));
            GenerationPiece piece = buffer.push(token(Arrays.copyOfRange(bytes, at, next)));
            found.append(piece.text());
            tokens.addAll(piece.tokens());
            at = next;
        }
        if (!buffer.stopped()) {
            GenerationPiece piece = buffer.finish();
            found.append(piece.text());
            tokens.addAll(piece.tokens());
        }
        assertThat(found.toString()).isEqualTo(text.substring(0, end));
        int given = text.substring(0, end).getBytes(StandardCharsets.UTF_8).length;
        int covered = tokens.stream().mapToInt(token -> token.bytes().length).sum();
        assertThat(covered).isBetween(given, given + 3);
    }

    /// Length of the text before the stop string that is complete first, the longest of those that end there.
    private static int beforeFirstStop(String text, List<String> stops) {
        for (int end = 1; end <= text.length(); end++) {
            String read = text.substring(0, end);
            OptionalInt longest = stops.stream()
                    .filter(read::endsWith)
                    .mapToInt(String::length)
                    .max();
            if (longest.isPresent()) {
                return end - longest.getAsInt();
            }
        }
        return text.length();
    }

    /// "b" is complete before "ébb" is, whether the bytes come one by one or all at once.
    @Test
    void theStopStringThatIsCompleteFirstCounts() {
        List<String> stops = List.of("b", "ébb");
        byte[] bytes = "ébb".getBytes(StandardCharsets.UTF_8);
        assertThat(new PieceBuffer(stops).push(token(bytes)).text()).isEqualTo("é");
        PieceBuffer oneByOne = new PieceBuffer(stops);
        StringBuilder found = new StringBuilder();
        for (int i = 0; i < bytes.length && !oneByOne.stopped(); i++) {
            found.append(oneByOne.push(token(new byte[] {bytes[i]})).text());
        }
        assertThat(found.toString()).isEqualTo("é");
    }
}
