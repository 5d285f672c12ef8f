package ai.epitome.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.CharRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.constraints.StringLength;

class BytePairTrainerTest {
    /// Few letters, so that words repeat themselves and tokens overlap; without spaces a document is one word.
    @Property(tries = 300)
    void tokensAreThoseOfCountingAllPairsEachTime(
            @ForAll @Size(min = 1, max = 12)
                    List<@CharRange(from = 'a', to = 'c') @StringLength(max = 60) String> words,
            @ForAll @IntRange(max = 40) int merges) {
        List<byte[]> documents = words.stream()
                .map(word -> word.getBytes(StandardCharsets.US_ASCII))
                .toList();
        BytePairTokenizer tokenizer = BytePairTrainer.train(documents.iterator(), 257 + merges, 1);
        List<String> found = IntStream.range(256, tokenizer.vocabularySize() - 1)
                .mapToObj(id -> new String(tokenizer.token(id), StandardCharsets.US_ASCII))
                .toList();
        assertThat(found).isEqualTo(naive(words, merges));
    }

    private static List<String> naive(List<String> words, int merges) {
        List<List<String>> texts = new ArrayList<>();
        words.forEach(word -> texts.add(new ArrayList<>(Arrays.asList(word.split("")))));
        List<String> tokens = new ArrayList<>();
        while (tokens.size() < merges) {
            Map<List<String>, Integer> counts = new HashMap<>();
            for (List<String> text : texts) {
                for (int i = 0; i + 1 < text.size(); i++) {
                    counts.merge(List.of(text.get(i), text.get(i + 1)), 1, Integer::sum);
                }
            }
            if (counts.isEmpty()) {
                break;
            }
            List<String> best = counts.keySet().stream()
                    .max(Comparator.<List<String>>comparingInt(counts::get)
                            .thenComparing(pair -> pair.get(0))
                            .thenComparing(pair -> pair.get(1)))
                    .orElseThrow();
            String merged = String.join("", best);
            tokens.add(merged);
            for (List<String> text : texts) {
                for (int i = 0; i + 1 < text.size(); i++) {
                    if (text.get(i).equals(best.get(0)) && text.get(i + 1).equals(best.get(1))) {
                        text.set(i, merged);
                        text.remove(i + 1);
                    }
                }
            }
        }
        return tokens;
    }
}
