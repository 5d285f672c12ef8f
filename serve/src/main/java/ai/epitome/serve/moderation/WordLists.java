package ai.epitome.serve.moderation;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// Looks for words and phrases, English ones: those of `words.txt`. It finds what says it plainly and
/// nothing else; it does not understand a text, so that quotations and jokes are flagged, and whatever is
/// said in other words is not.
///
/// The file has a line `[category]` and then phrases, one a line, where `*` stands for the rest of a word
/// and `/` between words for a choice. Between the words of a text may be up to three other characters;
/// digits and signs that look like letters (`k1ll`) are taken for them.
public final class WordLists implements Moderator {
    /// One phrase that is found; more make it likelier.
    private static final double ONE = 0.6;
    private static final int MOST_COUNTED = 8;

    private final Map<Category, Pattern> patterns;

    private WordLists(Map<Category, Pattern> patterns) {
        this.patterns = patterns;
    }

    /// The lists that come with the program.
    public static WordLists bundled() {
        try (InputStream in = WordLists.class.getResourceAsStream("words.txt")) {
            return of(new String(in.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException("the word lists could not be read", e);
        }
    }

    /// @param file in the form that is described above
    /// @throws IllegalArgumentException when a line belongs to no category
    static WordLists of(String file) {
        Map<Category, List<String>> phrases = new EnumMap<>(Category.class);
        List<String> current = null;
        for (String line : file.lines().map(String::strip).toList()) {
            if (line.startsWith("[") && line.endsWith("]")) {
                Category category = Category.of(line.substring(1, line.length() - 1))
                        .orElseThrow(() -> new IllegalArgumentException("there is no category " + line));
                current = phrases.computeIfAbsent(category, _ -> new ArrayList<>());
            } else if (!line.isEmpty() && !line.startsWith("#")) {
                if (current == null) {
                    throw new IllegalArgumentException("the phrase '" + line + "' stands in front of any category");
                }
                current.add(pattern(line));
            }
        }
        Map<Category, Pattern> patterns = new EnumMap<>(Category.class);
        phrases.forEach((category, all) ->
                patterns.put(category, Pattern.compile("(?<![a-z0-9])(?:" + String.join("|", all) + ")(?![a-z0-9])")));
        return new WordLists(patterns);
    }

    private static String pattern(String phrase) {
        return List.of(phrase.split(" +")).stream().map(WordLists::word).collect(Collectors.joining("[^a-z0-9]{1,3}"));
    }

    private static String word(String word) {
        String choice = List.of(word.split("/")).stream()
                .map(one -> one.endsWith("*")
                        ? Pattern.quote(one.substring(0, one.length() - 1)) + "[a-z]{0,20}"
                        : Pattern.quote(one))
                .collect(Collectors.joining("|"));
        return "(?:" + choice + ")";
    }

    @Override
    public String name() {
        return "epitome-word-lists";
    }

    @Override
    public Map<Category, Double> scores(String text) {
        String plain = PlainText.of(text);
        Map<Category, Double> scores = new EnumMap<>(Category.class);
        patterns.forEach((category, pattern) -> {
            long found = pattern.matcher(plain).results().limit(MOST_COUNTED).count();
            if (found > 0) {
                scores.put(category, 1 - Math.pow(1 - ONE, found));
            }
        });
        return scores;
    }
}
