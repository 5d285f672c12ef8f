package ai.epitome.model.constraint.grammar;

import java.util.List;

/// Rules that may refer to each other; the first one is what a text must be.
///
/// @param names of the rules, for messages
public record Grammar(List<Expression> rules, List<String> names) {
    /// A grammar of one rule, `root`.
    public static Grammar of(Expression root) {
        return new Grammar(List.of(root), List.of("root"));
    }
}
