package ai.epitome.model.constraint.schema;

import ai.epitome.model.constraint.grammar.Dfa;
import ai.epitome.model.constraint.grammar.Expression;
import ai.epitome.model.constraint.grammar.JsonText;
import ai.epitome.model.constraint.grammar.RegexParser;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// Strings of a schema.
final class SchemaStrings {
    private SchemaStrings() {}

    static Expression string(ObjectNode schema) {
        int min = schema.path("minLength").asInt(0);
        int max = schema.has("maxLength") ? schema.get("maxLength").intValue() : Expression.UNBOUNDED;
        if (max != Expression.UNBOUNDED && min > max) {
            return Expression.NOTHING;
        }
        Dfa content = content(schema);
        if (content == null) {
            return JsonText.string(min, max);
        }
        if (min > 0 || max != Expression.UNBOUNDED) {
            content = content.and(Dfa.lengths(min, max));
        }
        return JsonText.quoted(new Expression.Automaton(content, true));
    }

    /// What patterns and formats ask of a string; null where there are none.
    private static Dfa content(ObjectNode schema) {
        Dfa content = null;
        for (JsonNode pattern : schema.path("pattern")) {
            content = and(content, pattern(pattern.stringValue()));
        }
        for (JsonNode format : schema.path("format")) {
            content = and(content, Dfa.of(JsonFormats.of(format.stringValue())));
        }
        return content;
    }

    /// The strings in which a pattern is found.
    static Dfa pattern(String pattern) {
        return Dfa.of(RegexParser.parseSearch(pattern));
    }

    private static Dfa and(Dfa first, Dfa second) {
        return first == null ? second : first.and(second);
    }
}
