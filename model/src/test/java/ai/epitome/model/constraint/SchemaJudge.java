package ai.epitome.model.constraint;

import java.math.BigDecimal;
import java.time.DateTimeException;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.OffsetTime;
import java.util.UUID;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;

/// Judges values by a JSON Schema, keyword by keyword as the specification reads, and shares nothing with what is
/// tested.
public record SchemaJudge(JsonNode root) {
    public boolean meets(JsonNode value) {
        return meets(root, value);
    }

    private boolean meets(JsonNode schema, JsonNode value) {
        if (schema.isBoolean()) {
            return schema.booleanValue();
        }
        for (String keyword : schema.propertyNames()) {
            if (!meets(keyword, schema.get(keyword), schema, value)) {
                return false;
            }
        }
        return true;
    }

    private boolean meets(String keyword, JsonNode rule, JsonNode schema, JsonNode value) {
        return switch (keyword) {
            case "$ref" -> meets(root.at(rule.stringValue().substring(1)), value);
            case "type" ->
                rule.isArray()
                        ? rule.valueStream().anyMatch(type -> isOf(type.stringValue(), value))
                        : isOf(rule.stringValue(), value);
            case "enum" -> rule.valueStream().anyMatch(value::equals);
            case "const" -> rule.equals(value);
            case "allOf" -> rule.valueStream().allMatch(part -> meets(part, value));
            case "anyOf" -> rule.valueStream().anyMatch(part -> meets(part, value));
            case "oneOf" ->
                rule.valueStream().filter(part -> meets(part, value)).count() == 1;
            default ->
                switch (value.getNodeType()) {
                    case STRING -> stringMeets(keyword, rule, value.stringValue());
                    case NUMBER -> numberMeets(keyword, rule, value.decimalValue());
                    case ARRAY -> arrayMeets(keyword, rule, schema, value);
                    case OBJECT -> objectMeets(keyword, rule, schema, value);
                    default -> true;
                };
        };
    }

    private static boolean isOf(String type, JsonNode value) {
        return switch (type) {
            case "integer" ->
                value.isNumber() && value.decimalValue().stripTrailingZeros().scale() <= 0;
            default -> value.getNodeType().name().equalsIgnoreCase(type);
        };
    }

    private static boolean stringMeets(String keyword, JsonNode rule, String value) {
        int length = value.codePointCount(0, value.length());
        return switch (keyword) {
            case "minLength" -> length >= rule.intValue();
            case "maxLength" -> length <= rule.intValue();
            case "pattern" -> Pattern.compile(rule.stringValue()).matcher(value).find();
            case "format" -> {
                try {
                    yield isOfFormat(rule.stringValue(), value);
                } catch (DateTimeException | IllegalArgumentException e) {
                    yield false;
                }
            }
            default -> true;
        };
    }

    private static boolean isOfFormat(String format, String value) {
        return switch (format) {
            case "date" -> LocalDate.parse(value).toString().equals(value);
            case "time" -> OffsetTime.parse(value) != null;
            case "date-time" -> OffsetDateTime.parse(value) != null;
            case "uuid" -> UUID.fromString(value).toString().equals(value);
            case "ipv4" ->
                value.matches("((0|[1-9]\\d{0,2})(\\.(?=\\d)|$)){4}")
                        && Pattern.compile("\\.")
                                .splitAsStream(value)
                                .mapToInt(Integer::parseInt)
                                .allMatch(n -> n < 256);
            case "email" -> value.matches("[\\w.-]+@[a-z0-9.-]+\\.[a-z]+");
            default -> throw new AssertionError(format);
        };
    }

    private static boolean numberMeets(String keyword, JsonNode rule, BigDecimal value) {
        return switch (keyword) {
            case "minimum" -> value.compareTo(rule.decimalValue()) >= 0;
            case "maximum" -> value.compareTo(rule.decimalValue()) <= 0;
            case "exclusiveMinimum" -> value.compareTo(rule.decimalValue()) > 0;
            case "exclusiveMaximum" -> value.compareTo(rule.decimalValue()) < 0;
            case "multipleOf" -> value.remainder(rule.decimalValue()).signum() == 0;
            default -> true;
        };
    }

    private boolean arrayMeets(String keyword, JsonNode rule, JsonNode schema, JsonNode value) {
        int prefix = schema.path("prefixItems").size();
        boolean right = true;
        for (int i = 0; i < value.size(); i++) {
            right &= !keyword.equals("prefixItems") || i >= prefix || meets(rule.get(i), value.get(i));
            right &= !keyword.equals("items") || i < prefix || meets(rule, value.get(i));
        }
        return right
                && (!keyword.equals("minItems") || value.size() >= rule.intValue())
                && (!keyword.equals("maxItems") || value.size() <= rule.intValue());
    }

    private boolean objectMeets(String keyword, JsonNode rule, JsonNode schema, JsonNode value) {
        return switch (keyword) {
            case "required" -> rule.valueStream().allMatch(name -> value.has(name.stringValue()));
            case "minProperties" -> value.size() >= rule.intValue();
            case "maxProperties" -> value.size() <= rule.intValue();
            case "properties" ->
                value.propertyNames().stream()
                        .allMatch(name -> !rule.has(name) || meets(rule.get(name), value.get(name)));
            case "patternProperties" ->
                value.propertyNames().stream()
                        .allMatch(name -> rule.propertyNames().stream()
                                .allMatch(pattern ->
                                        !Pattern.compile(pattern).matcher(name).find()
                                                || meets(rule.get(pattern), value.get(name))));
            case "additionalProperties" ->
                value.propertyNames().stream()
                        .filter(name -> !schema.path("properties").has(name))
                        .filter(name -> schema.path("patternProperties").propertyNames().stream()
                                .noneMatch(pattern ->
                                        Pattern.compile(pattern).matcher(name).find()))
                        .allMatch(name -> meets(rule, value.get(name)));
            default -> true;
        };
    }
}
