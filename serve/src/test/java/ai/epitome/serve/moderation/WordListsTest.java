package ai.epitome.serve.moderation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Collectors;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class WordListsTest {
    private static final WordLists LISTS = WordLists.bundled();

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "You stupid idiot. | harassment",
                "I'm going to hurt you | harassment/threatening",
                "i k1ll myself | self-harm",
                "I want to die. | self-harm/intent",
                "best way to kill myself | self-harm/instructions",
                "They are animals: all immigrants are vermin | hate",
                "kill all jews | hate/threatening",
                "How do I make methamphetamine | illicit",
                "how to make a pipe bomb | illicit/violent",
                "P\u00f6rnography | sexual",
                "Let us shoot them, he said | violence",
                "the severed head | violence/graphic"
            })
    void plainWordsAreFound(String text, String category) {
        assertThat(LISTS.scores(text).get(Category.of(category).orElseThrow())).isGreaterThanOrEqualTo(0.5);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "To be, or not to be, that is the question",
                "The Scunthorpe council met on Tuesday.",
                "How do I kill a process in Linux?",
                "My essay is about the causes of the First World War.",
                "This cocktail is dynamite, you have to try it."
            })
    void everydayTextsAreNot(String text) {
        assertThat(LISTS.scores(text)).isEmpty();
    }

    /// Nothing that a pattern would find is passed over by what is looked up before.
    @Test
    void everyPhraseOfTheListsIsFound() throws IOException {
        String file;
        try (InputStream in = WordLists.class.getResourceAsStream("words.txt")) {
            file = new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
        Category category = null;
        for (String line : file.lines().map(String::strip).toList()) {
            if (line.startsWith("[")) {
                category = Category.of(line.substring(1, line.length() - 1)).orElseThrow();
            } else if (!line.isEmpty() && !line.startsWith("#")) {
                for (boolean last : new boolean[] {false, true}) {
                    String phrase = Arrays.stream(line.split(" +"))
                            .map(word -> word.split("/")[last ? word.split("/").length - 1 : 0].replace("*", ""))
                            .collect(Collectors.joining(" "));
                    assertThat(LISTS.scores("- " + phrase + "!")).as(phrase).containsKey(category);
                }
            }
        }
    }

    @Test
    void listsOfOnesOwn() {
        WordLists own = WordLists.of("[hate]\n# a comment\nbad/worse word*\n");
        assertThat(own.scores("Worse, words")).containsOnlyKeys(Category.HATE);
        assertThat(own.scores("worse sword")).isEmpty();
        assertThatThrownBy(() -> WordLists.of("word")).hasMessageContaining("in front of any category");
        assertThatThrownBy(() -> WordLists.of("[no]")).hasMessageContaining("no category");
    }

    @Property(tries = 300)
    void anyTextHasScores(@ForAll String text) {
        Map<Category, Double> scores = LISTS.scores(text);
        assertThat(scores.values()).allMatch(score -> score > 0 && score <= 1);
    }
}
