package ai.epitome.serve.moderation;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
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

    /// Characters of a phrase's beginning that are looked up, before its category's pattern is tried.
    private static final int HEAD = 3;

    private final Map<Category, Pattern> patterns;
    /// Categories by what their phrases begin with. Few texts have the beginning of any phrase, and looking for those
    /// is far quicker than trying all phrases at each word.
    private final Map<String, Set<Category>> heads;

    private WordLists(Map<Category, Pattern> patterns, Map<String, Set<Category>> heads) {
        this.patterns = patterns;
        this.heads = heads;
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
        Map<String, Set<Category>> heads = new HashMap<>();
        Category category = null;
        for (String line : file.lines().map(String::strip).toList()) {
            if (line.startsWith("[") && line.endsWith("]")) {
                category = Category.of(line.substring(1, line.length() - 1))
                        .orElseThrow(() -> new IllegalArgumentException("there is no category " + line));
            } else if (!line.isEmpty() && !line.startsWith("#")) {
                if (category == null) {
                    throw new IllegalArgumentException("the phrase '" + line + "' stands in front of any category");
                }
                phrases.computeIfAbsent(category, _ -> new ArrayList<>()).add(pattern(line));
                for (String head : heads(line)) {
                    heads.computeIfAbsent(head, _ -> EnumSet.noneOf(Category.class))
                            .add(category);
                }
            }
        }
        Map<Category, Pattern> patterns = new EnumMap<>(Category.class);
        phrases.forEach((each, all) ->
                patterns.put(each, Pattern.compile("(?<![a-z0-9])(?:" + String.join("|", all) + ")(?![a-z0-9])")));
        return new WordLists(patterns, heads);
    }

    /// What the words begin with that a phrase can begin with.
    private static List<String> heads(String phrase) {
        return List.of(phrase.split(" +")[0].split("/")).stream()
                .map(word -> word.replace("*", ""))
                .map(word -> word.substring(0, Math.min(HEAD, word.length())))
                .toList();
    }

    /// Categories with a phrase that may be in a text.
    private Set<Category> candidates(String plain) {
        Set<Category> candidates = EnumSet.noneOf(Category.class);
        for (int at = 0; at < plain.length(); at++) {
            if (at > 0 && isOfWord(plain.charAt(at - 1))) {
                continue;
            }
            for (int length = 0; length <= Math.min(HEAD, plain.length() - at); length++) {
                candidates.addAll(heads.getOrDefault(plain.substring(at, at + length), Set.of()));
            }
        }
        return candidates;
    }

    private static boolean isOfWord(char sign) {
        return sign >= 'a' && sign <= 'z' || sign >= '0' && sign <= '9';
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
        candidates(plain).forEach(category -> {
            long found = patterns.get(category)
                    .matcher(plain)
                    .results()
                    .limit(MOST_COUNTED)
                    .count();
            if (found > 0) {
                scores.put(category, 1 - Math.pow(1 - ONE, found));
            }
        });
        return scores;
    }
}
