package ai.epitome.text;

import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/// What all tokenizers do with control tokens.
public final class SpecialTokens {
    /// The document separator of GPT-2 and most since.
    public static final String END_OF_TEXT = "<|endoftext|>";

    /// The document separators of the models we know, in the order in which they are looked for.
    private static final List<String> ENDS_OF_TEXT = List.of(
            END_OF_TEXT, "<|end_of_text|>", "<\uFF5Cend\u2581of\u2581sentence\uFF5C>", "</s>", "<eos>", "<|eos|>");

    private SpecialTokens() {}

    /// Names and ids of the control tokens among these, in ascending order of id.
    static Map<String, Integer> byName(List<AddedToken> tokens) {
        var names = new LinkedHashMap<String, Integer>();
        tokens.stream()
                .filter(AddedToken::control)
                .sorted(Comparator.comparingInt(AddedToken::id))
                .forEach(token -> names.put(token.content(), token.id()));
        return Collections.unmodifiableMap(names);
    }

    static OptionalInt endOfText(Map<String, Integer> names) {
        return ENDS_OF_TEXT.stream()
                .filter(names::containsKey)
                .mapToInt(names::get)
                .findFirst();
    }

    /// @param id a token that goes before every text, where there is one
    /// @param size of the vocabulary
    /// @throws IllegalArgumentException if there is no such token
    static OptionalInt requireToken(OptionalInt id, int size) {
        if (id.isPresent() && (id.getAsInt() < 0 || id.getAsInt() >= size)) {
            throw new IllegalArgumentException(
                    "texts begin with token " + id.getAsInt() + " of " + size + ": there is no such token");
        }
        return id;
    }

    /// Finds added tokens that are text; null if there are none.
    static AddedTokenMatcher textMatcher(List<AddedToken> tokens) {
        List<AddedToken> text =
                tokens.stream().filter(token -> !token.control()).toList();
        return text.isEmpty() ? null : new AddedTokenMatcher(text);
    }

    /// Finds control tokens.
    static AddedTokenMatcher controlMatcher(List<AddedToken> tokens) {
        return new AddedTokenMatcher(tokens.stream().filter(AddedToken::control).toList());
    }
}
