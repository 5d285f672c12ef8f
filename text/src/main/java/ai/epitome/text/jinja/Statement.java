package ai.epitome.text.jinja;

import java.util.List;

/// A statement of a template, as it was parsed.
sealed interface Statement {
    /// Text between tags.
    record Data(String text) implements Statement {}

    /// `{{ expression }}`
    record Output(Expression expression, int line) implements Statement {}

    /// `{% if %}`, the last branch being that of `{% else %}` with a null condition
    record If(List<Branch> branches, int line) implements Statement {}

    record Branch(Expression condition, List<Statement> body) {}

    /// `{% for target in items if condition %}`; without condition null
    record For(
            Target target,
            Expression items,
            Expression condition,
            List<Statement> body,
            List<Statement> otherwise,
            int line)
            implements Statement {}

    record Break() implements Statement {}

    record Continue() implements Statement {}

    /// `{% set target = value %}`
    record Set(Target target, Expression value, int line) implements Statement {}

    /// `{% set target | filter %}...{% endset %}`
    ///
    /// @param filtered what becomes of the body's text, which goes by the name [#BODY] there
    record SetBlock(Target target, Expression filtered, List<Statement> body, int line) implements Statement {}

    /// `{% filter name %}...{% endfilter %}`
    ///
    /// @param filtered as in [SetBlock]
    record FilterBlock(Expression filtered, List<Statement> body, int line) implements Statement {}

    /// `{% macro name(parameters) %}`
    record Macro(String name, Signature signature, List<Statement> body, int line) implements Statement {}

    /// `{% call(parameters) macro(arguments) %}`
    record CallBlock(Signature signature, Expression.Call call, List<Statement> body, int line) implements Statement {}

    /// `{% with target = value %}`, and other blocks whose variables are their own
    record Scoped(List<Target> targets, List<Expression> values, List<Statement> body, int line) implements Statement {}

    /// What a filter block hands to its filter: no name that a template can write.
    String BODY = "the body";

    /// @param defaults of the last parameters
    record Signature(List<String> parameters, List<Expression> defaults) {
        static final Signature NOTHING = new Signature(List.of(), List.of());
    }

    /// What can be assigned to.
    sealed interface Target {
        record Variable(String name) implements Target {}

        record Unpacked(List<Target> targets) implements Target {}

        /// `namespace.attribute`
        record NamespaceAttribute(String namespace, String attribute) implements Target {}
    }
}
