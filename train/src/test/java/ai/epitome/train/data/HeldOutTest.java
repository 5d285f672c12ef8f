package ai.epitome.train.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class HeldOutTest {
    private record Sides(List<String> training, List<String> heldOut) {}

    private static Sides split(HeldOut rule, Corpus corpus) throws IOException {
        Sides sides = new Sides(new ArrayList<>(), new ArrayList<>());
        try (SplitReader reader = rule.open(corpus)) {
            for (SplitReader.Piece piece = reader.next(); piece != null; piece = reader.next()) {
                (piece.heldOut() ? sides.heldOut : sides.training).add(new String(piece.text()));
            }
        }
        return sides;
    }

    private static Corpus corpus(List<String> texts) {
        return Corpus.ofTexts(texts.stream().map(String::getBytes).toList());
    }

    private static List<String> numbered(int count) {
        return IntStream.range(0, count).mapToObj(i -> "document " + i).toList();
    }

    @Test
    void oneDocumentIsCutAsInNanoGpt() throws IOException {
        Corpus corpus = BundledText.tinyshakespeareCorpus();
        HeldOut rule = HeldOut.choose(corpus, corpus.scan());
        assertThat(rule).isEqualTo(new HeldOut.LastBytes(0.1, 1_003_854));
        Sides sides = split(rule, corpus);
        assertThat(sides.training)
                .singleElement()
                .satisfies(text -> assertThat(text).hasSize(1_003_854));
        assertThat(sides.heldOut)
                .singleElement()
                .satisfies(text -> assertThat(text).hasSize(111_540));
        assertThat(rule.description()).isEqualTo("the last 10 % of the bytes (everything from byte 1,003,854 on)");
    }

    @Test
    void manyDocumentsAreSplitByHash() throws IOException {
        List<String> texts = numbered(5000);
        Corpus corpus = corpus(texts);
        HeldOut rule = HeldOut.choose(corpus, corpus.scan());
        assertThat(rule).isEqualTo(new HeldOut.ByHash(0.01));
        Sides sides = split(rule, corpus);
        assertThat(sides.heldOut).hasSizeBetween(25, 80);

        List<String> shuffled = new ArrayList<>(texts);
        Collections.shuffle(shuffled, new Random(1));
        assertThat(split(rule, corpus(shuffled)).heldOut).containsExactlyInAnyOrderElementsOf(sides.heldOut);
        assertThat(rule.description()).isEqualTo("1 % of the documents, chosen by the SHA-256 of their text");
    }

    @Test
    void smallerCorporaHoldOutAboutTenDocuments() throws IOException {
        Corpus corpus = corpus(numbered(200));
        HeldOut rule = HeldOut.choose(corpus, corpus.scan());
        assertThat(rule).isEqualTo(new HeldOut.ByHash(0.05));
        assertThat(split(rule, corpus).heldOut).isNotEmpty();
    }

    @Test
    void manyCopiesOfOneDocumentFallBackToBytes() throws IOException {
        Corpus corpus = corpus(Collections.nCopies(300, "the same text"));
        HeldOut rule = HeldOut.choose(corpus, corpus.scan());
        assertThat(rule).isInstanceOf(HeldOut.LastBytes.class);
        // Every earlier copy would show the held-out text to training. Only the part before the cut remains, if any.
        assertThat(split(rule, corpus).training)
                .allSatisfy(text -> assertThat(text).isNotEqualTo("the same text"));
    }

    @Property(tries = 200)
    void noHeldOutDocumentIsTrainedOn(
            @ForAll @Size(min = 2, max = 40) List<@IntRange(min = 0, max = 12) Integer> choices, @ForAll boolean byHash)
            throws IOException {
        // No text begins or ends with another one, so a part of one at the cut is not mistaken for a whole one.
        List<String> texts =
                choices.stream().map(i -> i + " is the number " + i).toList();
        Corpus corpus = corpus(texts);
        HeldOut rule = byHash ? new HeldOut.ByHash(0.3) : HeldOut.lastBytes(corpus.scan(), 0.25);
        Sides sides = split(rule, corpus);
        assertThat(Collections.disjoint(sides.training, sides.heldOut)).isTrue();
        if (byHash) {
            assertThat(sides.training.size() + sides.heldOut.size()).isEqualTo(texts.size());
            return;
        }
        // By position: nothing held out is lost, and a document across the cut is not seen whole by training either.
        String all = String.join("", texts);
        String tail = String.join("", sides.heldOut);
        assertThat(all).endsWith(tail);
        assertThat(tail.length()).isEqualTo(all.length() - (int) (0.75 * all.length()));
        Set<String> touched = new HashSet<>();
        int end = 0;
        for (String text : texts) {
            end += text.length();
            if (end > all.length() - tail.length()) {
                touched.add(text);
            }
        }
        assertThat(Collections.disjoint(sides.training, touched)).isTrue();
        List<String> expected = new ArrayList<>(texts);
        expected.removeIf(touched::contains);
        assertThat(sides.training).containsAll(expected);
    }

    @Test
    void isNotedAsJson() {
        assertThat(new HeldOut.ByHash(0.0123).toJson().toString())
                .isEqualTo(
                        "{\"rule\":\"document_hash\",\"fraction\":0.0123,\"description\":\"1.23 % of the documents, chosen by the SHA-256 of their text\"}");
        assertThat(new HeldOut.LastBytes(0.1, 1_003_854).toJson().toString())
                .startsWith("{\"rule\":\"last_bytes\",\"fraction\":0.1,\"cut\":1003854,");
        assertThatThrownBy(() -> new HeldOut.ByHash(0)).hasMessageContaining("fraction");
    }

    @Test
    void aTextThatIsTooShortIsRefused() throws IOException {
        CorpusSummary summary = Corpus.of("one.txt", new byte[] {'x'}).scan();
        assertThatThrownBy(() -> HeldOut.choose(Corpus.of("one.txt", new byte[] {'x'}), summary))
                .isInstanceOf(CorpusException.class)
                .hasMessageContaining("too short");
    }
}
