package ai.epitome.serve.account;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/// What a key may be used for.
public enum Scope {
    /// The models: their list, completions, and whatever else computes.
    INFERENCE,
    /// Files, batches and fine-tuning.
    FILES,
    /// `/metrics`: a scraper needs nothing else.
    METRICS,
    /// Everything.
    ADMIN;

    /// As people and the database write it.
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /// @throws IllegalArgumentException when there is no such scope
    public static Scope of(String word) {
        return Arrays.stream(values())
                .filter(scope -> scope.word().equals(word.strip().toLowerCase(Locale.ROOT)))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("there is no scope '" + word + "': choose among "
                        + Arrays.stream(values()).map(Scope::word).collect(Collectors.joining(", "))));
    }

    static String join(Set<Scope> scopes) {
        return scopes.stream().sorted().map(Scope::word).collect(Collectors.joining(","));
    }

    static Set<Scope> split(String words) {
        return Arrays.stream(words.split(","))
                .map(Scope::of)
                .collect(Collectors.toCollection(() -> EnumSet.noneOf(Scope.class)));
    }
}
