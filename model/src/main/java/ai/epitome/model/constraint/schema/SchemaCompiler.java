package ai.epitome.model.constraint.schema;

import ai.epitome.model.constraint.grammar.ConstraintException;
import ai.epitome.model.constraint.grammar.Dfa;
import ai.epitome.model.constraint.grammar.Expression;
import ai.epitome.model.constraint.grammar.Grammar;
import ai.epitome.model.constraint.grammar.JsonText;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// JSON Schema (draft 2020-12) to rules: what they allow meets the schema. Not everything that meets it is allowed:
///
/// - properties come in the order in which the schema names them; further ones only where `additionalProperties` or
///   `patternProperties` say so, or where the schema names none at all;
/// - without `items`, an array with `prefixItems` ends with them;
/// - keywords of one type of values without a `type` mean that type;
/// - strings that must match a pattern or format have the usual spelling, numbers with bounds no exponent;
/// - `oneOf` is taken as `anyOf`: that only one is met is not looked after.
///
/// Keywords that are not known, or could not be kept (`not`, `if`, `uniqueItems`, ...), are refused ([SchemaCheck]).
public final class SchemaCompiler {
    static final int MOST_CHARACTERS = 400_000;
    private static final int MOST_NESTING = 200;
    private static final int MOST_RULES = 10_000;
    private static final int MOST_KEY = 100_000;
    private static final JsonMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(MOST_NESTING)
                            .maxNumberLength(100)
                            .build())
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .build();
    private static final Map<String, List<String>> TYPE_OF_KEYWORD = Map.of(
            "string", List.of("minLength", "maxLength", "pattern", "format"),
            "number", List.of("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
            "object",
                    List.of(
                            "properties",
                            "required",
                            "additionalProperties",
                            "patternProperties",
                            "minProperties",
                            "maxProperties"),
            "array", List.of("items", "prefixItems", "minItems", "maxItems"));

    private final SchemaMerge merge;
    private final List<Expression> rules = new ArrayList<>();
    private final List<String> names = new ArrayList<>();
    private final Map<String, Integer> ruleOf = new HashMap<>();
    private final Set<String> inWork = new LinkedHashSet<>();

    private SchemaCompiler(JsonNode root) {
        SchemaCheck check = new SchemaCheck();
        check.check(root, "");
        merge = new SchemaMerge(root, check);
        newRule("root");
        for (Expression rule : JsonText.anyValue(1)) {
            rules.set(newRule("any value"), rule);
        }
        rules.set(0, value(root));
    }

    /// @throws ConstraintException that names the place, where there is one
    public static Grammar compile(String schema) {
        if (schema.length() > MOST_CHARACTERS) {
            throw new ConstraintException(
                    "the schema has %,d characters, at most %,d are read".formatted(schema.length(), MOST_CHARACTERS));
        }
        try {
            SchemaCompiler compiler = new SchemaCompiler(MAPPER.readTree(schema));
            return new Grammar(compiler.rules, compiler.names);
        } catch (JacksonException e) {
            throw new ConstraintException("the schema is not valid JSON: " + e.getOriginalMessage());
        } catch (NumberFormatException e) {
            throw new ConstraintException("the schema has a number with too large an exponent");
        }
    }

    /// The number of a rule that is to be set.
    int newRule(String name) {
        if (rules.size() == MOST_RULES) {
            throw new ConstraintException(
                    "the schema is too large: it makes more than %,d rules".formatted(MOST_RULES));
        }
        rules.add(Expression.NOTHING);
        names.add(name);
        return rules.size() - 1;
    }

    Expression rule(String name, Expression body) {
        int rule = newRule(name);
        rules.set(rule, body);
        return new Expression.Reference(rule);
    }

    /// What meets a schema; equal schemas share a rule.
    Expression value(JsonNode schema) {
        JsonNode target = schema;
        for (int steps = 0; isReferenceAlone(target); steps++) {
            if (steps == 100) {
                throw new ConstraintException("the schema's references go round in a circle");
            }
            target = merge.resolve(target.get("$ref").stringValue());
        }
        if (target.isBoolean()) {
            return target.booleanValue() ? new Expression.Reference(1) : Expression.NOTHING;
        }
        String key = target.toString();
        if (key.length() > MOST_KEY && !ruleOf.isEmpty()) {
            throw new ConstraintException("the schema is too large to merge");
        }
        Integer known = ruleOf.get(key);
        if (known == null) {
            known = newRule("a value");
            ruleOf.put(key, known);
            if (inWork.size() > MOST_NESTING) {
                throw new ConstraintException("the schema nests too deep");
            }
            inWork.add(key);
            rules.set(known, plainValue(merge.plain(target)));
            inWork.remove(key);
        }
        return new Expression.Reference(known);
    }

    private static boolean isReferenceAlone(JsonNode schema) {
        return schema.isObject()
                && schema.has("$ref")
                && schema.propertyNames().stream()
                        .allMatch(keyword -> keyword.equals("$ref")
                                || keyword.equals("$defs")
                                || keyword.equals("definitions")
                                || SchemaCheck.isAnnotation(keyword));
    }

    private Expression plainValue(JsonNode plain) {
        if (plain.isBoolean()) {
            return value(plain);
        }
        ObjectNode schema = (ObjectNode) plain;
        JsonNode ways = schema.get("anyOf");
        if (ways == null) {
            return typed(schema);
        }
        ObjectNode rest = schema.deepCopy();
        rest.remove("anyOf");
        List<Expression> choices = new ArrayList<>();
        for (JsonNode way : ways) {
            choices.add(value(rest.isEmpty() ? way : SchemaMerge.all(rest, way)));
        }
        return new Expression.Choice(choices);
    }

    private Expression typed(ObjectNode schema) {
        if (schema.has("enum")) {
            return constants(schema);
        }
        List<Expression> ways = new ArrayList<>();
        Set<String> types = types(schema);
        for (String type : types) {
            if (!(type.equals("integer") && types.contains("number"))) {
                ways.add(ofType(type, schema));
            }
        }
        return ways.size() == 1 ? ways.getFirst() : new Expression.Choice(ways);
    }

    /// Those that are named, or that the keywords are about; else all.
    private static Set<String> types(ObjectNode schema) {
        if (schema.has("type")) {
            return new LinkedHashSet<>(SchemaMerge.names(schema.get("type")));
        }
        Set<String> types = new LinkedHashSet<>();
        TYPE_OF_KEYWORD.forEach((type, keywords) -> {
            if (keywords.stream().anyMatch(schema::has)) {
                types.add(type);
            }
        });
        return types.isEmpty() ? SchemaCheck.TYPES : types;
    }

    private Expression ofType(String type, ObjectNode schema) {
        return switch (type) {
            case "object" -> new SchemaObjects(this, schema).members();
            case "array" -> array(schema);
            case "string" -> SchemaStrings.string(schema);
            case "number", "integer" -> number(schema, type.equals("integer"));
            case "boolean" -> Expression.choice(Expression.text("true"), Expression.text("false"));
            default -> Expression.text("null");
        };
    }

    private static Expression constants(ObjectNode schema) {
        SchemaValues allowed = new SchemaValues(schema);
        List<Expression> ways = new ArrayList<>();
        for (JsonNode value : schema.get("enum")) {
            if (allowed.allows(value)) {
                ways.add(new Expression.Text(MAPPER.writeValueAsString(value).getBytes(StandardCharsets.UTF_8)));
            }
        }
        return new Expression.Choice(ways);
    }

    private static Expression number(ObjectNode schema, boolean integer) {
        JsonNumbers numbers = JsonNumbers.of(schema);
        JsonNode divisor = schema.get("multipleOf");
        if (divisor == null) {
            return integer ? numbers.integers() : numbers.numbers();
        }
        BigDecimal step = divisor.decimalValue().stripTrailingZeros();
        if (step.scale() <= 0) {
            if (step.compareTo(BigDecimal.valueOf(Dfa.MOST_STATES)) > 0) {
                throw new ConstraintException("`multipleOf` above %,d is not supported".formatted(Dfa.MOST_STATES));
            }
            Dfa multiples = JsonNumbers.multiplesOf(step.intValueExact());
            return new Expression.Automaton(Dfa.of(numbers.integers()).and(multiples), false);
        }
        if (step.unscaledValue().equals(BigInteger.ONE) && step.scale() <= 15) {
            return integer ? numbers.integers() : numbers.decimals(step.scale());
        }
        throw new ConstraintException(
                "`multipleOf` %s is not supported: only whole numbers and 0.1, 0.01, ... are".formatted(step));
    }

    private Expression array(ObjectNode schema) {
        JsonNode prefix = schema.path("prefixItems");
        int min = schema.path("minItems").asInt(0);
        int max = schema.path("maxItems").asInt(Integer.MAX_VALUE);
        JsonNode items = schema.get("items");
        if (items == null) {
            items = prefix.isEmpty() ? SchemaMerge.ANY : SchemaMerge.NOTHING;
        }
        if (min > max) {
            return Expression.NOTHING;
        }
        int ahead = Math.min(prefix.size(), max);
        int more = max == Integer.MAX_VALUE ? Expression.UNBOUNDED : max - ahead;
        int needed = Math.max(0, min - ahead);
        Expression element = value(items);
        if (ahead == 0) {
            return JsonText.list("[", JsonText.separated(element, needed, more), "]");
        }
        Expression rest = Expression.sequence(
                new Expression.Repeat(Expression.sequence(JsonText.COMMA, element), needed, more), JsonText.SPACE);
        for (int i = ahead - 1; i >= 0; i--) {
            Expression next =
                    Expression.sequence(i == 0 ? Expression.EMPTY : JsonText.COMMA, value(prefix.get(i)), rest);
            Expression none = i == 0 ? Expression.EMPTY : JsonText.SPACE;
            rest = rule("items", i < min ? next : Expression.choice(next, none));
        }
        return JsonText.list("[", rest, "]");
    }
}
