package ai.epitome.model.constraint.schema;

import ai.epitome.model.constraint.grammar.ConstraintException;
import java.math.BigDecimal;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.BooleanNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// Makes one plain schema of a schema with `$ref` and `allOf`: what meets it meets all of them.
///
/// Plain means: no annotations, `const` as an `enum` of one, `oneOf` as `anyOf`, and lists of `pattern` and `format`.
/// What two schemas say of the same property or item becomes an `allOf` there, merged when that place is reached.
final class SchemaMerge {
    private static final int MOST_DEPTH = 100;
    private static final int MOST_STEPS = 20_000;
    private static final int MOST_WAYS = 512;
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
    static final BooleanNode ANY = BooleanNode.TRUE;
    static final BooleanNode NOTHING = BooleanNode.FALSE;

    private final JsonNode root;
    private final SchemaCheck check;
    private int steps;

    SchemaMerge(JsonNode root, SchemaCheck check) {
        this.root = root;
        this.check = check;
    }

    /// The plain schema: an object, or false for what nothing meets, or true.
    JsonNode plain(JsonNode schema) {
        return plain(schema, 0);
    }

    private JsonNode plain(JsonNode schema, int depth) {
        if (!schema.isObject()) {
            return schema;
        }
        if (depth > MOST_DEPTH || ++steps > MOST_STEPS) {
            throw new ConstraintException(
                    "the schema's references and `allOf` go round in a circle, or are too many to merge");
        }
        JsonNode result = own(schema);
        if (schema.has("$ref")) {
            result = merge(result, plain(resolve(schema.get("$ref").stringValue()), depth + 1));
        }
        if (schema.has("allOf")) {
            for (JsonNode part : schema.get("allOf")) {
                result = merge(result, plain(part, depth + 1));
            }
        }
        if (schema.has("oneOf")) {
            ObjectNode ways = NODES.objectNode();
            ways.set("anyOf", schema.get("oneOf"));
            result = merge(result, ways);
        }
        return result;
    }

    private static ObjectNode own(JsonNode schema) {
        ObjectNode own = NODES.objectNode();
        schema.forEachEntry((keyword, value) -> {
            switch (keyword) {
                case "$ref", "allOf", "oneOf", "$defs", "definitions", "uniqueItems" -> {}
                case "const" ->
                    own.set("enum", both(own.get("enum"), NODES.arrayNode().add(value)));
                case "enum" -> own.set("enum", both(own.get("enum"), (ArrayNode) value));
                case "pattern", "format" ->
                    own.set(keyword, value.isArray() ? value : NODES.arrayNode().add(value));
                default -> {
                    if (!SchemaCheck.isAnnotation(keyword)) {
                        own.set(keyword, value);
                    }
                }
            }
        });
        return own;
    }

    private static ArrayNode both(JsonNode first, ArrayNode second) {
        if (first == null) {
            return second;
        }
        ArrayNode common = NODES.arrayNode();
        for (JsonNode value : first) {
            for (JsonNode other : second) {
                if (value.equals(other)) {
                    common.add(value);
                    break;
                }
            }
        }
        return common;
    }

    /// What a reference within the schema leads to.
    JsonNode resolve(String reference) {
        if (!reference.startsWith("#")) {
            throw new ConstraintException("the schema's reference `%s` leads out of it; only `#...` does not"
                    .formatted(reference.length() <= 100 ? reference : reference.substring(0, 100) + "..."));
        }
        String pointer = decoded(reference.substring(1));
        if (!pointer.isEmpty() && !pointer.startsWith("/")) {
            throw new ConstraintException(
                    "the schema's reference `%s` is none of the form `#/...`".formatted(reference));
        }
        JsonNode target = root;
        for (String step :
                pointer.isEmpty() ? new String[0] : pointer.substring(1).split("/", -1)) {
            String name = step.replace("~1", "/").replace("~0", "~");
            target = target.isArray() && name.matches("[0-9]{1,6}")
                    ? target.path(Integer.parseInt(name))
                    : target.path(name);
        }
        if (target.isMissingNode()) {
            throw new ConstraintException("the schema's reference `%s` leads nowhere".formatted(reference));
        }
        check.check(target, pointer);
        return target;
    }

    private static String decoded(String text) {
        try {
            return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            return text;
        }
    }

    /// Both are plain.
    private JsonNode merge(JsonNode first, JsonNode second) {
        if (first.equals(NOTHING) || second.equals(ANY) || (second.isObject() && second.isEmpty())) {
            return first;
        }
        if (second.equals(NOTHING) || first.equals(ANY) || (first.isObject() && first.isEmpty())) {
            return second;
        }
        ObjectNode result = NODES.objectNode();
        Set<String> keywords = new LinkedHashSet<>(first.propertyNames());
        keywords.addAll(second.propertyNames());
        for (String keyword : keywords) {
            JsonNode a = first.get(keyword);
            JsonNode b = second.get(keyword);
            switch (keyword) {
                case "properties", "additionalProperties", "items", "prefixItems" -> {}
                default -> result.set(keyword, a == null ? b : b == null ? a : merge(keyword, a, b));
            }
        }
        mergeProperties((ObjectNode) first, (ObjectNode) second, result);
        mergeItems((ObjectNode) first, (ObjectNode) second, result);
        return result;
    }

    private JsonNode merge(String keyword, JsonNode a, JsonNode b) {
        return switch (keyword) {
            case "type" -> types(a, b);
            case "enum" -> both(a, (ArrayNode) b);
            case "required", "pattern", "format" -> union(a, b);
            case "minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties" ->
                a.decimalValue().compareTo(b.decimalValue()) >= 0 ? a : b;
            case "maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties" ->
                a.decimalValue().compareTo(b.decimalValue()) <= 0 ? a : b;
            case "multipleOf" -> multiple(a.decimalValue(), b.decimalValue());
            case "anyOf" -> product(a, b);
            default ->
                throw new ConstraintException(
                        "two `%s` that a value must meet together are not supported".formatted(keyword));
        };
    }

    private static JsonNode types(JsonNode a, JsonNode b) {
        ArrayNode common = NODES.arrayNode();
        for (String type : names(a)) {
            for (String other : names(b)) {
                boolean narrower = type.equals("integer") && other.equals("number");
                if (type.equals(other) || narrower) {
                    common.add(type);
                } else if (type.equals("number") && other.equals("integer")) {
                    common.add(other);
                }
            }
        }
        return common;
    }

    /// A string, or the strings of a list.
    static List<String> names(JsonNode value) {
        List<String> names = new ArrayList<>();
        for (JsonNode name : value.isArray() ? value.values() : List.of(value)) {
            names.add(name.stringValue());
        }
        return names;
    }

    private static ArrayNode union(JsonNode a, JsonNode b) {
        ArrayNode all = NODES.arrayNode();
        Set<JsonNode> members = new LinkedHashSet<>(a.values());
        members.addAll(b.values());
        return all.addAll(members);
    }

    private static JsonNode multiple(BigDecimal a, BigDecimal b) {
        if (a.remainder(b).signum() == 0) {
            return NODES.numberNode(a);
        }
        if (b.remainder(a).signum() == 0) {
            return NODES.numberNode(b);
        }
        if (isWhole(a) && isWhole(b)) {
            BigDecimal divisor = new BigDecimal(a.toBigInteger().gcd(b.toBigInteger()));
            return NODES.numberNode(a.divide(divisor).multiply(b));
        }
        throw new ConstraintException("two `multipleOf` of which neither divides the other are not supported");
    }

    private static boolean isWhole(BigDecimal number) {
        return number.stripTrailingZeros().scale() <= 0;
    }

    /// Each way of one with each of the other.
    private JsonNode product(JsonNode a, JsonNode b) {
        if ((long) a.size() * b.size() > MOST_WAYS) {
            throw new ConstraintException(
                    "`anyOf` that a value must meet together make more than %d ways".formatted(MOST_WAYS));
        }
        ArrayNode ways = NODES.arrayNode();
        for (JsonNode way : a) {
            for (JsonNode other : b) {
                ways.add(all(way, other));
            }
        }
        return ways;
    }

    /// A schema that asks for both.
    static JsonNode all(JsonNode a, JsonNode b) {
        if (a.equals(b) || b.equals(ANY) || a.equals(NOTHING)) {
            return a;
        }
        if (a.equals(ANY) || b.equals(NOTHING)) {
            return b;
        }
        ObjectNode both = NODES.objectNode();
        both.putArray("allOf").add(a).add(b);
        return both;
    }

    /// Where only one of them names a property, the other's `additionalProperties` hold for it.
    private static void mergeProperties(ObjectNode a, ObjectNode b, ObjectNode result) {
        boolean patterns = a.has("patternProperties") || b.has("patternProperties");
        if (patterns && (mentionsProperties(a) && mentionsProperties(b))) {
            throw new ConstraintException(
                    "`patternProperties` beside other properties that a value must meet together are not supported");
        }
        Set<String> names = new LinkedHashSet<>(a.path("properties").propertyNames());
        names.addAll(b.path("properties").propertyNames());
        if (a.has("properties") || b.has("properties")) {
            ObjectNode properties = result.putObject("properties");
            for (String name : names) {
                properties.set(name, all(property(a, name), property(b, name)));
            }
        }
        if (a.has("additionalProperties") || b.has("additionalProperties")) {
            result.set(
                    "additionalProperties",
                    all(orAny(a.get("additionalProperties")), orAny(b.get("additionalProperties"))));
        }
    }

    private static boolean mentionsProperties(ObjectNode schema) {
        return schema.has("properties") || schema.has("patternProperties") || schema.has("additionalProperties");
    }

    private static JsonNode property(ObjectNode schema, String name) {
        JsonNode own = schema.path("properties").get(name);
        return own != null ? own : orAny(schema.get("additionalProperties"));
    }

    private static JsonNode orAny(JsonNode schema) {
        return schema == null ? ANY : schema;
    }

    private static void mergeItems(ObjectNode a, ObjectNode b, ObjectNode result) {
        int prefix =
                Math.max(a.path("prefixItems").size(), b.path("prefixItems").size());
        if (prefix > 0) {
            ArrayNode items = result.putArray("prefixItems");
            for (int i = 0; i < prefix; i++) {
                items.add(all(item(a, i), item(b, i)));
            }
        }
        if (a.has("items") || b.has("items")) {
            result.set("items", all(orAny(a.get("items")), orAny(b.get("items"))));
        }
    }

    private static JsonNode item(ObjectNode schema, int i) {
        JsonNode own = schema.path("prefixItems").get(i);
        return own != null ? own : orAny(schema.get("items"));
    }
}
