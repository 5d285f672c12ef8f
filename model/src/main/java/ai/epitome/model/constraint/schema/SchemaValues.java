package ai.epitome.model.constraint.schema;

import ai.epitome.model.constraint.automaton.Automaton;
import ai.epitome.model.constraint.automaton.Network;
import ai.epitome.model.constraint.automaton.NetworkBuilder;
import ai.epitome.model.constraint.grammar.ConstraintException;
import ai.epitome.model.constraint.grammar.Grammar;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.databind.node.StringNode;

/// Which values of an `enum` meet the keywords beside it.
final class SchemaValues {
    private static final Set<String> OF_PARTS = Set.of(
            "properties",
            "required",
            "additionalProperties",
            "patternProperties",
            "minProperties",
            "maxProperties",
            "items",
            "prefixItems",
            "minItems",
            "maxItems");

    private final ObjectNode schema;
    private final Network strings;

    SchemaValues(ObjectNode schema) {
        this.schema = schema;
        boolean patterns = schema.has("pattern") || schema.has("format");
        this.strings = patterns ? NetworkBuilder.build(Grammar.of(SchemaStrings.string(schema))) : null;
    }

    boolean allows(JsonNode value) {
        return isOfType(value)
                && switch (value.getNodeType()) {
                    case NUMBER -> isInBounds(value.decimalValue());
                    case STRING -> isRight(value.stringValue());
                    case OBJECT, ARRAY -> hasNoOtherKeywords();
                    default -> true;
                };
    }

    private boolean isOfType(JsonNode value) {
        if (!schema.has("type")) {
            return true;
        }
        List<String> types = SchemaMerge.names(schema.get("type"));
        return switch (value.getNodeType()) {
            case NUMBER ->
                types.contains("number")
                        || (types.contains("integer")
                                && value.decimalValue().stripTrailingZeros().scale() <= 0);
            case NULL -> types.contains("null");
            case BOOLEAN -> types.contains("boolean");
            case STRING -> types.contains("string");
            case ARRAY -> types.contains("array");
            default -> types.contains("object");
        };
    }

    private boolean isInBounds(BigDecimal value) {
        return compares(value, "minimum", 0, 1)
                && compares(value, "exclusiveMinimum", 1, 1)
                && compares(value, "maximum", -1, 0)
                && compares(value, "exclusiveMaximum", -1, -1)
                && (!schema.has("multipleOf")
                        || value.remainder(schema.get("multipleOf").decimalValue())
                                        .signum()
                                == 0);
    }

    private boolean compares(BigDecimal value, String keyword, int from, int to) {
        if (!schema.has(keyword)) {
            return true;
        }
        int order = value.compareTo(schema.get(keyword).decimalValue());
        return order >= from && order <= to;
    }

    private boolean isRight(String value) {
        int length = value.codePointCount(0, value.length());
        if (length < schema.path("minLength").asInt(0)
                || length > schema.path("maxLength").asInt(Integer.MAX_VALUE)) {
            return false;
        }
        return strings == null
                || new Automaton(strings)
                        .accepts(StringNode.valueOf(value).toString().getBytes(StandardCharsets.UTF_8));
    }

    private boolean hasNoOtherKeywords() {
        if (schema.propertyNames().stream().anyMatch(OF_PARTS::contains)) {
            throw new ConstraintException(
                    "an `enum` or `const` of objects or arrays is not supported beside keywords about"
                            + " their parts");
        }
        return true;
    }
}
