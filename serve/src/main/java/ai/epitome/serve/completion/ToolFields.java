package ai.epitome.serve.completion;

import ai.epitome.serve.body.Fields;
import ai.epitome.serve.http.ApiException;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;

/// Reads `tools` and `tool_choice`: which functions the model may call, and whether it must.
///
/// @param offered functions that the model is told of; empty for none
/// @param forced those of which the answer must call at least one; empty where it may say something else
/// @param single whether it must be one call and no more
public record ToolFields(Optional<JsonNode> offered, Optional<JsonNode> forced, boolean single) {
    private static final int MAX_TOOLS = 128;
    private static final int MAX_NAME_CHARACTERS = 256;
    private static final String TOOLS = "tools";
    private static final String CHOICE = "tool_choice";
    private static final ToolFields NONE = new ToolFields(Optional.empty(), Optional.empty(), false);

    /// @throws ApiException with status 400
    static ToolFields parse(Fields fields) {
        return of(checked(fields.get(TOOLS)), fields.get(CHOICE));
    }

    /// @param tools checked, in the form of chat completions
    /// @param choice a mode, `{"type": "function", "function": {"name"}}`, or `{"type": "allowed_tools",
    /// "allowed_tools": {"mode", "tools"}}`; missing for what is usual
    public static ToolFields of(ArrayNode tools, JsonNode choice) {
        if (!choice.isObject()) {
            return byMode(tools, mode(choice));
        }
        return switch (choice.path("type").asString("")) {
            case "function" -> {
                JsonNode name = choice.path("function").path("name");
                yield new ToolFields(Optional.of(tools), Optional.of(named(tools, Set.of(name.asString("")))), true);
            }
            case "allowed_tools" -> {
                JsonNode allowed = choice.path("allowed_tools");
                Set<String> names = new LinkedHashSet<>();
                allowed.path(TOOLS)
                        .values()
                        .forEach(tool ->
                                names.add(tool.path("function").path("name").asString("")));
                yield byMode(named(tools, names), mode(allowed.path("mode")));
            }
            default -> throw badChoice();
        };
    }

    private static String mode(JsonNode mode) {
        if (mode.isMissingNode()) {
            return "auto";
        }
        return mode.asString("");
    }

    private static ToolFields byMode(ArrayNode tools, String mode) {
        Optional<JsonNode> some = tools.isEmpty() ? Optional.empty() : Optional.of(tools);
        return switch (mode) {
            case "none" -> NONE;
            case "auto" -> new ToolFields(some, Optional.empty(), false);
            case "required" -> {
                if (some.isEmpty()) {
                    throw ApiException.badParameter(CHOICE, "'tool_choice' is \"required\", but there are no 'tools'.");
                }
                yield new ToolFields(some, some, false);
            }
            default -> throw badChoice();
        };
    }

    private static ArrayNode named(ArrayNode tools, Set<String> names) {
        ArrayNode found = JsonNodeFactory.instance.arrayNode();
        Set<String> missing = new LinkedHashSet<>(names);
        for (JsonNode tool : tools.values()) {
            String name = tool.path("function").path("name").stringValue();
            if (names.contains(name)) {
                found.add(tool);
                missing.remove(name);
            }
        }
        if (!missing.isEmpty() || found.isEmpty()) {
            throw ApiException.badParameter(CHOICE, "'tool_choice' names a function that is not among the 'tools'.");
        }
        return found;
    }

    /// @throws ApiException with status 400
    public static ArrayNode checked(JsonNode tools) {
        if (tools.isMissingNode()) {
            return JsonNodeFactory.instance.arrayNode();
        }
        if (!(tools instanceof ArrayNode array) || tools.size() > MAX_TOOLS) {
            throw ApiException.badParameter(TOOLS, "'tools' must be an array of at most " + MAX_TOOLS + " tools.");
        }
        for (JsonNode tool : array.values()) {
            JsonNode name = tool.path("function").path("name");
            boolean function = tool.path("type").asString("").equals("function")
                    && name.isString()
                    && !name.stringValue().isEmpty()
                    && name.stringValue().length() <= MAX_NAME_CHARACTERS
                    && (!tool.path("function").hasNonNull("parameters")
                            || tool.path("function").path("parameters").isObject());
            if (!function) {
                throw ApiException.badParameter(
                        TOOLS, "'tools' must be {\"type\": \"function\", \"function\": {\"name\": \"...\", ...}}.");
            }
        }
        return array;
    }

    private static ApiException badChoice() {
        return ApiException.badParameter(
                CHOICE,
                "'tool_choice' must be \"none\", \"auto\", \"required\", "
                        + "{\"type\": \"function\", \"function\": {\"name\": \"...\"}}, or of the type \"allowed_tools\".");
    }
}
