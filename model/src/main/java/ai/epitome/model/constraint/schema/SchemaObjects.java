package ai.epitome.model.constraint.schema;

import ai.epitome.model.constraint.automaton.Automaton;
import ai.epitome.model.constraint.automaton.Network;
import ai.epitome.model.constraint.automaton.NetworkBuilder;
import ai.epitome.model.constraint.grammar.ConstraintException;
import ai.epitome.model.constraint.grammar.Dfa;
import ai.epitome.model.constraint.grammar.Expression;
import ai.epitome.model.constraint.grammar.Grammar;
import ai.epitome.model.constraint.grammar.JsonText;
import ai.epitome.model.constraint.grammar.RegexParser;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.databind.node.StringNode;

/// Objects of a schema: the properties that it names, in its order, then others where it allows them.
///
/// The members behind a place depend on how many stand before it, no further than that matters: on whether there is one
/// at all, for the comma, and on the bounds of their number. So there is one rule for each place and number.
final class SchemaObjects {
    private final SchemaCompiler compiler;
    private final ObjectNode schema;
    /// Named properties: each with its member.
    private final Map<String, Expression> named = new LinkedHashMap<>();
    private final Set<String> required = new LinkedHashSet<>();
    private final Map<Long, Expression> rules = new HashMap<>();
    /// A member with another name; null where none is allowed.
    private Expression other;
    private final int min;
    private final int max;
    /// Counts beyond this one make no difference.
    private int most;

    SchemaObjects(SchemaCompiler compiler, ObjectNode schema) {
        this.compiler = compiler;
        this.schema = schema;
        this.min = schema.path("minProperties").asInt(0);
        this.max = schema.path("maxProperties").asInt(Integer.MAX_VALUE);
        schema.path("required").forEach(name -> required.add(name.stringValue()));
    }

    Expression members() {
        Map<String, Network> patterns = new LinkedHashMap<>();
        schema.path("patternProperties")
                .forEachEntry((pattern, _) ->
                        patterns.put(pattern, NetworkBuilder.build(Grammar.of(RegexParser.parseSearch(pattern)))));
        Set<String> names = new LinkedHashSet<>(schema.path("properties").propertyNames());
        names.addAll(required);
        for (String name : names) {
            named.put(name, member(name, patterns));
        }
        other = others(names, patterns.keySet());
        int distinct = names.size() + (other == null ? 0 : 1);
        if (min > distinct && other == null) {
            return Expression.NOTHING;
        }
        if (min > distinct) {
            throw new ConstraintException(
                    "`minProperties` %d is not supported here: that further names differ from each other cannot be made sure of"
                            .formatted(min));
        }
        most = max < names.size() || (max != Integer.MAX_VALUE && other != null) ? max : Math.max(1, min);
        return JsonText.list("{", from(new ArrayList<>(named.keySet())), "}");
    }

    private Expression member(String name, Map<String, Network> patterns) {
        JsonNode value = schema.path("properties").get(name);
        boolean byPattern = false;
        for (Map.Entry<String, Network> pattern : patterns.entrySet()) {
            if (new Automaton(pattern.getValue()).accepts(name.getBytes(StandardCharsets.UTF_8))) {
                JsonNode also = schema.get("patternProperties").get(pattern.getKey());
                value = value == null ? also : SchemaMerge.all(value, also);
                byPattern = true;
            }
        }
        if (value == null && !byPattern) {
            value = schema.get("additionalProperties");
        }
        Expression key = new Expression.Text(StringNode.valueOf(name).toString().getBytes(StandardCharsets.UTF_8));
        return Expression.sequence(key, JsonText.COLON, compiler.value(value == null ? SchemaMerge.ANY : value));
    }

    /// Members whose names are not given, each name under one pattern at most.
    private Expression others(Set<String> names, Set<String> patterns) {
        JsonNode additional = schema.get("additionalProperties");
        boolean open = additional == null && !schema.has("properties") && !schema.has("patternProperties");
        List<Expression> ways = new ArrayList<>();
        for (String pattern : patterns) {
            Dfa keys = SchemaStrings.pattern(pattern).minus(texts(names));
            for (String rival : patterns) {
                keys = rival.equals(pattern) ? keys : keys.minus(SchemaStrings.pattern(rival));
            }
            if (!keys.isEmpty()) {
                ways.add(member(keys, schema.get("patternProperties").get(pattern)));
            }
        }
        if (open || (additional != null && !additional.equals(SchemaMerge.NOTHING))) {
            JsonNode value = open ? SchemaMerge.ANY : additional;
            if (names.isEmpty() && patterns.isEmpty()) {
                Expression key = JsonText.string(0, Expression.UNBOUNDED);
                ways.add(Expression.sequence(key, JsonText.COLON, compiler.value(value)));
            } else {
                Dfa keys = Dfa.lengths(0, Expression.UNBOUNDED).minus(texts(names));
                for (String pattern : patterns) {
                    keys = keys.minus(SchemaStrings.pattern(pattern));
                }
                ways.add(member(keys, value));
            }
        }
        return ways.isEmpty() ? null : compiler.rule("another property", new Expression.Choice(ways));
    }

    private static Dfa texts(Set<String> names) {
        return Dfa.of(Expression.anyOf(names.stream()));
    }

    private Expression member(Dfa keys, JsonNode value) {
        Expression key = JsonText.quoted(new Expression.Automaton(keys, true));
        return Expression.sequence(key, JsonText.COLON, compiler.value(value));
    }

    /// All members. Rules are made from the last place on, since they need those behind them.
    private Expression from(List<String> names) {
        for (int count = 0; count <= most; count++) {
            rules.put(place(names.size(), count), compiler.rule("members", theRest(count)));
        }
        for (int i = names.size() - 1; i >= 0; i--) {
            for (int count = 0; count <= Math.min(i, most); count++) {
                rules.put(place(i, count), compiler.rule("members", from(names.get(i), i, count)));
            }
        }
        return rules.get(place(0, 0));
    }

    private static long place(int i, int count) {
        return (long) i << 32 | count;
    }

    private Expression from(String name, int i, int count) {
        Expression comma = count == 0 ? Expression.EMPTY : JsonText.COMMA;
        boolean isFull = max != Integer.MAX_VALUE && count == max;
        Expression with = isFull
                ? Expression.NOTHING
                : Expression.sequence(comma, named.get(name), rules.get(place(i + 1, Math.min(count + 1, most))));
        return required.contains(name) ? with : Expression.choice(with, rules.get(place(i + 1, count)));
    }

    private Expression theRest(int count) {
        int needed = Math.max(0, min - count);
        if (other == null || needed > 1) {
            return needed > 0 ? Expression.NOTHING : count > 0 ? JsonText.SPACE : Expression.EMPTY;
        }
        int more = max == Integer.MAX_VALUE ? Expression.UNBOUNDED : max - count;
        if (needed > 0 && more == 0) {
            return Expression.NOTHING;
        }
        return count == 0
                ? JsonText.separated(other, needed, more)
                : Expression.sequence(
                        new Expression.Repeat(Expression.sequence(JsonText.COMMA, other), needed, more),
                        JsonText.SPACE);
    }
}
