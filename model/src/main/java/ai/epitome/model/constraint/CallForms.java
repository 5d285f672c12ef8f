package ai.epitome.model.constraint;

import ai.epitome.model.constraint.grammar.Expression;
import ai.epitome.model.constraint.grammar.Grammar;
import ai.epitome.model.constraint.grammar.JsonText;
import java.util.ArrayList;
import java.util.List;

/// Texts that are calls of tools, made of the rules of one call.
///
/// ```
/// <tool_call>              {"name": ...}         [{"name": ...}, {"name": ...}]
/// {"name": ...}
/// </tool_call>
/// <tool_call>...
/// ```
final class CallForms {
    private static final Expression LINE = Expression.optional(Expression.text("\n"));

    private CallForms() {}

    /// @param call rules of one call, of which none refers to the first
    static Grammar of(Grammar call, int most) {
        Expression one = call.rules().getFirst();
        Expression tagged =
                Expression.sequence(Expression.text("<tool_call>"), LINE, one, LINE, Expression.text("</tool_call>"));
        List<Expression> rules = new ArrayList<>(call.rules());
        rules.set(
                0,
                Expression.choice(
                        Expression.sequence(
                                tagged, new Expression.Repeat(Expression.sequence(LINE, tagged), 0, most - 1)),
                        one,
                        JsonText.list("[", JsonText.separated(one, 1, most), "]")));
        return new Grammar(rules, call.names());
    }
}
