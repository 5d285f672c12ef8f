package ai.epitome.model.constraint.grammar;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/// What texts a rule allows: the one form that regular expressions, GBNF grammars and JSON Schemas come to.
public sealed interface Expression {
    /// The empty text.
    Expression EMPTY = new Sequence(List.of());
    /// No text at all.
    Expression NOTHING = new Choice(List.of());
    /// What stands for the largest number of repetitions when there is none.
    int UNBOUNDED = -1;

    /// These bytes.
    @SuppressWarnings("ArrayRecordComponent")
    record Text(byte[] bytes) implements Expression {}

    /// One character of a set, in UTF-8.
    record Characters(CodePoints set) implements Expression {}

    /// One after the other.
    record Sequence(List<Expression> parts) implements Expression {}

    /// Any one of them.
    record Choice(List<Expression> parts) implements Expression {}

    /// @param max at least min, or [#UNBOUNDED]
    record Repeat(Expression body, int min, int max) implements Expression {}

    /// What another rule allows.
    record Reference(int rule) implements Expression {}

    /// Characters as an automaton takes them.
    ///
    /// @param inJson written as inside a JSON string, where some characters are escaped
    record Automaton(Dfa dfa, boolean inJson) implements Expression {}

    static Expression text(String text) {
        return new Text(text.getBytes(StandardCharsets.UTF_8));
    }

    static Expression sequence(Expression... parts) {
        return new Sequence(Arrays.asList(parts));
    }

    static Expression choice(Expression... parts) {
        return new Choice(Arrays.asList(parts));
    }

    static Expression optional(Expression body) {
        return new Repeat(body, 0, 1);
    }

    static Expression anyOf(Stream<String> texts) {
        return new Choice(texts.map(Expression::text).toList());
    }
}
