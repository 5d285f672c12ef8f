package ai.epitome.serve.completion;

import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// The JSON Schema of a call of one of some tools: `{"name": "f", "arguments": {...}}`, or `parameters` as some models
/// say, with arguments that meet the tool's own schema.
public final class CallSchema {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    /// Keywords whose values are data and no schemas.
    private static final Set<String> DATA = Set.of("const", "enum", "default", "examples");

    private CallSchema() {}

    /// The schema of a call of any of these tools: an object with `name` and `arguments`, or `parameters`.
    ///
    /// @param tools an array in the shape of a request's `tools`
    public static ObjectNode of(JsonNode tools) {
        ObjectNode root = JSON.objectNode();
        ArrayNode ways = root.putArray("anyOf");
        ObjectNode definitions = root.putObject("$defs");
        for (JsonNode tool : tools.values()) {
            JsonNode function = tool.path("function");
            String number = String.valueOf(definitions.size());
            String place = "#/$defs/" + number;
            definitions.set(number, parameters(function.path("parameters"), place));
            for (String key : new String[] {"arguments", "parameters"}) {
                ObjectNode way = ways.addObject().put("type", "object");
                ObjectNode properties = way.putObject("properties");
                properties.putObject("name").set("const", function.path("name"));
                properties.putObject(key).put("$ref", place);
                way.putArray("required").add("name").add(key);
                way.put("additionalProperties", false);
            }
        }
        return root;
    }

    /// A tool that says nothing of parameters has none.
    private static ObjectNode parameters(JsonNode schema, String place) {
        if (!schema.isObject()) {
            ObjectNode none = JSON.objectNode().put("type", "object");
            none.putObject("properties");
            return none.put("additionalProperties", false);
        }
        ObjectNode moved = (ObjectNode) moved(schema, place);
        return moved.has("type") || moved.has("$ref") ? moved : moved.put("type", "object");
    }

    /// References within the tool's schema lead to where it stands now.
    private static JsonNode moved(JsonNode schema, String place) {
        if (schema.isArray()) {
            ArrayNode array = JSON.arrayNode();
            schema.values().forEach(element -> array.add(moved(element, place)));
            return array;
        }
        if (!schema.isObject()) {
            return schema;
        }
        ObjectNode object = JSON.objectNode();
        schema.forEachEntry((keyword, value) -> {
            boolean reference = keyword.equals("$ref")
                    && value.isString()
                    && value.stringValue().startsWith("#");
            if (reference) {
                object.put(keyword, place + value.stringValue().substring(1));
            } else {
                object.set(keyword, DATA.contains(keyword) && !value.isObject() ? value : moved(value, place));
            }
        });
        return object;
    }
}
