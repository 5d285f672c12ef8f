package ai.epitome.model.constraint;

import java.util.List;

/// Rules that may refer to each other; the first one is what a text must be.
///
/// @param names of the rules, for messages
record Grammar(List<Expression> rules, List<String> names) {
    static Grammar of(Expression root) {
        return new Grammar(List.of(root), List.of("root"));
    }
}
