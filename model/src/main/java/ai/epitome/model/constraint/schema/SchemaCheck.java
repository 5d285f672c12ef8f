package ai.epitome.model.constraint.schema;

import ai.epitome.model.constraint.grammar.ConstraintException;
import ai.epitome.model.constraint.grammar.RegexParser;
import java.math.BigDecimal;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/// Looks through a JSON Schema before it is compiled: every keyword is known and has a value of its kind, so that what
/// is not supported is told with its place and not ignored.
final class SchemaCheck {
    static final Set<String> TYPES = Set.of("object", "array", "string", "number", "integer", "boolean", "null");
    private static final int MOST_COUNT = 1_000_000;
    private static final int MOST_DEPTH = 64;
    private static final int MOST_NAME = 1000;

    /// What a keyword's value is.
    private enum Kind {
        SCHEMA,
        SCHEMAS,
        NAMED_SCHEMAS,
        COUNT,
        NUMBER,
        DIVISOR,
        PATTERN,
        FORMAT,
        TYPE,
        NAMES,
        VALUE,
        VALUES,
        REFERENCE,
        /// Says nothing about values.
        ANNOTATION
    }

    private static final Map<String, Kind> KEYWORDS = Map.ofEntries(
            Map.entry("type", Kind.TYPE),
            Map.entry("enum", Kind.VALUES),
            Map.entry("const", Kind.VALUE),
            Map.entry("properties", Kind.NAMED_SCHEMAS),
            Map.entry("patternProperties", Kind.NAMED_SCHEMAS),
            Map.entry("additionalProperties", Kind.SCHEMA),
            Map.entry("required", Kind.NAMES),
            Map.entry("minProperties", Kind.COUNT),
            Map.entry("maxProperties", Kind.COUNT),
            Map.entry("items", Kind.SCHEMA),
            Map.entry("prefixItems", Kind.SCHEMAS),
            Map.entry("minItems", Kind.COUNT),
            Map.entry("maxItems", Kind.COUNT),
            Map.entry("minLength", Kind.COUNT),
            Map.entry("maxLength", Kind.COUNT),
            Map.entry("pattern", Kind.PATTERN),
            Map.entry("format", Kind.FORMAT),
            Map.entry("minimum", Kind.NUMBER),
            Map.entry("maximum", Kind.NUMBER),
            Map.entry("exclusiveMinimum", Kind.NUMBER),
            Map.entry("exclusiveMaximum", Kind.NUMBER),
            Map.entry("multipleOf", Kind.DIVISOR),
            Map.entry("anyOf", Kind.SCHEMAS),
            Map.entry("oneOf", Kind.SCHEMAS),
            Map.entry("allOf", Kind.SCHEMAS),
            Map.entry("$ref", Kind.REFERENCE),
            Map.entry("$defs", Kind.NAMED_SCHEMAS),
            Map.entry("definitions", Kind.NAMED_SCHEMAS),
            Map.entry("$schema", Kind.ANNOTATION),
            Map.entry("$id", Kind.ANNOTATION),
            Map.entry("$comment", Kind.ANNOTATION),
            Map.entry("title", Kind.ANNOTATION),
            Map.entry("description", Kind.ANNOTATION),
            Map.entry("default", Kind.ANNOTATION),
            Map.entry("examples", Kind.ANNOTATION),
            Map.entry("deprecated", Kind.ANNOTATION),
            Map.entry("readOnly", Kind.ANNOTATION),
            Map.entry("writeOnly", Kind.ANNOTATION),
            Map.entry("contentEncoding", Kind.ANNOTATION),
            Map.entry("contentMediaType", Kind.ANNOTATION));

    private final Set<JsonNode> checked = Collections.newSetFromMap(new IdentityHashMap<>());

    /// Whether a keyword says nothing about values.
    static boolean isAnnotation(String keyword) {
        return KEYWORDS.get(keyword) == Kind.ANNOTATION;
    }

    /// @param path JSON pointer of the schema, for messages
    /// @throws ConstraintException that names the place
    void check(JsonNode schema, String path) {
        check(schema, path, 0);
    }

    private void check(JsonNode schema, String path, int depth) {
        if (schema.isBoolean() || !checked.add(schema)) {
            return;
        }
        if (!schema.isObject()) {
            throw error(path, "a schema is an object, true or false");
        }
        if (depth > MOST_DEPTH) {
            throw error(path, "more than %d schemas in each other".formatted(MOST_DEPTH));
        }
        schema.forEachEntry((keyword, value) -> {
            String place = path + "/" + escape(keyword);
            Kind kind = KEYWORDS.get(keyword);
            if (kind == null && !(keyword.equals("uniqueItems") && value.isBoolean() && !value.booleanValue())) {
                throw error(place, "this keyword is not supported");
            }
            if (kind != null) {
                check(kind, value, place, depth);
            }
        });
    }

    private void check(Kind kind, JsonNode value, String place, int depth) {
        switch (kind) {
            case SCHEMA -> check(value, place, depth + 1);
            case SCHEMAS -> {
                require(value.isArray() && !value.isEmpty(), place, "a list of schemas, not an empty one");
                int i = 0;
                for (JsonNode schema : value) {
                    check(schema, place + "/" + i++, depth + 1);
                }
            }
            case NAMED_SCHEMAS -> {
                require(value.isObject(), place, "an object of schemas");
                value.forEachEntry((name, schema) -> {
                    require(name.length() <= MOST_NAME, place, "names of at most " + MOST_NAME + " characters");
                    check(schema, place + "/" + escape(name), depth + 1);
                    if (place.endsWith("/patternProperties")) {
                        pattern(name, place);
                    }
                });
            }
            case COUNT ->
                require(
                        value.isIntegralNumber()
                                && value.canConvertToInt()
                                && value.intValue() >= 0
                                && value.intValue() <= MOST_COUNT,
                        place,
                        "a whole number of 0 to %,d".formatted(MOST_COUNT));
            case NUMBER -> number(value, place);
            case DIVISOR -> {
                number(value, place);
                require(value.decimalValue().signum() > 0, place, "above 0");
            }
            case PATTERN -> {
                require(value.isString(), place, "a string");
                pattern(value.stringValue(), place);
            }
            case FORMAT ->
                require(
                        value.isString() && JsonFormats.of(value.stringValue()) != null,
                        place,
                        "one of the formats " + JsonFormats.names());
            case TYPE -> types(value, place);
            case NAMES -> {
                require(value.isArray(), place, "a list of names");
                value.forEach(name ->
                        require(name.isString() && name.stringValue().length() <= MOST_NAME, place, "a list of names"));
            }
            case VALUE -> value(value, place);
            case VALUES -> {
                require(value.isArray() && !value.isEmpty(), place, "a list of values, not an empty one");
                value.forEach(one -> value(one, place));
            }
            case REFERENCE -> require(value.isString(), place, "a string");
            case ANNOTATION -> {}
        }
    }

    /// Numbers are compared with bounds.
    private static void value(JsonNode value, String place) {
        if (value.isNumber()) {
            number(value, place);
        }
    }

    private static void number(JsonNode value, String place) {
        require(value.isNumber(), place, "a number");
        BigDecimal number = value.decimalValue().stripTrailingZeros();
        require(
                number.precision() - number.scale() <= JsonNumbers.MOST_DIGITS
                        && number.scale() <= JsonNumbers.MOST_DIGITS,
                place,
                "a number with at most %d digits on either side of the point".formatted(JsonNumbers.MOST_DIGITS));
    }

    private static void pattern(String pattern, String place) {
        try {
            RegexParser.parseSearch(pattern);
        } catch (ConstraintException e) {
            throw error(place, e.getMessage());
        }
    }

    private static void types(JsonNode value, String place) {
        String expected =
                "one of %s, or a list of them".formatted(TYPES.stream().sorted().toList());
        require(value.isString() || (value.isArray() && !value.isEmpty()), place, expected);
        for (JsonNode type : value.isArray() ? value.values() : List.of(value)) {
            require(type.isString() && TYPES.contains(type.stringValue()), place, expected);
        }
    }

    private static void require(boolean right, String place, String expected) {
        if (!right) {
            throw error(place, "expected " + expected);
        }
    }

    static String escape(String name) {
        return name.replace("~", "~0").replace("/", "~1");
    }

    static ConstraintException error(String path, String what) {
        String shown = path.length() <= 200 ? path : path.substring(0, 200) + "...";
        return new ConstraintException("in the schema at `%s`: %s".formatted(shown.isEmpty() ? "/" : shown, what));
    }
}
