package ai.epitome.text.jinja;

import java.util.List;
import java.util.Map;

/// An expression of a template, as it was parsed. Those that can go wrong know their line.
sealed interface Expression {
    record Literal(Value value) implements Expression {}

    record Name(String name, int line) implements Expression {}

    /// `[a, b]`, or `(a, b)`
    record Items(List<Expression> items, Value.Kind kind) implements Expression {}

    /// `{a: b}`
    record Pairs(List<Expression> keys, List<Expression> values, int line) implements Expression {}

    /// `object.name`
    record Attribute(Expression object, String name, int line) implements Expression {}

    /// `object[index]`
    record Item(Expression object, Expression index, int line) implements Expression {}

    /// `object[start:stop:step]`; what is left out is null.
    record Slice(Expression object, Expression start, Expression stop, Expression step, int line)
            implements Expression {}

    record Call(Expression callee, Given arguments, int line) implements Expression {}

    /// `object | name(arguments)`
    record Filter(Expression object, String name, Given arguments, int line) implements Expression {}

    /// `object is name(arguments)`
    record Test(Expression object, String name, Given arguments, int line) implements Expression {}

    record Not(Expression operand) implements Expression {}

    /// `-a` or `+a`
    record Sign(Expression operand, boolean negative, int line) implements Expression {}

    /// `a + b` and other arithmetic
    record Arithmetic(String operator, Expression left, Expression right, int line) implements Expression {}

    /// `a ~ b`
    record Concatenation(List<Expression> parts) implements Expression {}

    /// `a < b <= c`
    record Comparison(Expression first, List<String> operators, List<Expression> others, int line)
            implements Expression {}

    record And(Expression left, Expression right) implements Expression {}

    record Or(Expression left, Expression right) implements Expression {}

    /// `a if condition else b`; without `else` null
    record Conditional(Expression condition, Expression then, Expression otherwise) implements Expression {}

    /// The arguments of a call, as written.
    ///
    /// @param rest of `*rest`, or null
    /// @param namedRest of `**rest`, or null
    record Given(List<Expression> positional, Map<String, Expression> named, Expression rest, Expression namedRest) {
        static final Given NOTHING = new Given(List.of(), Map.of(), null, null);
    }
}
