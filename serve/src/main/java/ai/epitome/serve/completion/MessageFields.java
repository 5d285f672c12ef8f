package ai.epitome.serve.completion;

import ai.epitome.serve.body.Fields;
import ai.epitome.serve.http.ApiException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// Reads `messages`, and makes of them what chat templates know.
final class MessageFields {
    private static final int MAX_MESSAGES = 4096;
    private static final int MAX_CALLS = 128;

    private static final String MESSAGES = "messages";
    /// Fields that are understood; and those that an answer has which is sent back, and that say nothing here.
    private static final Set<String> KNOWN =
            Set.of("role", "content", "name", "tool_calls", "tool_call_id", "reasoning_content");
    private static final Set<String> IGNORED = Set.of("refusal", "annotations", "audio", "function_call");

    private MessageFields() {}

    /// @throws ApiException with status 400
    static List<ObjectNode> messages(Fields fields) {
        JsonNode value = fields.get(MESSAGES);
        if (!value.isArray() || value.isEmpty() || value.size() > MAX_MESSAGES) {
            throw wrong(MESSAGES, "must be an array of 1 to " + MAX_MESSAGES + " messages.");
        }
        List<ObjectNode> messages = new ArrayList<>();
        for (JsonNode message : value.values()) {
            messages.add(message(message, MESSAGES + "[" + messages.size() + "]"));
        }
        return messages;
    }

    private static ObjectNode message(JsonNode given, String where) {
        if (!given.isObject()) {
            throw wrong(where, "must be an object.");
        }
        for (String name : given.propertyNames()) {
            if (!KNOWN.contains(name) && !IGNORED.contains(name)) {
                String shown = name.length() <= 64 ? name : name.substring(0, 64) + "…";
                throw wrong(where + "." + shown, "is no field of a message.");
            }
        }
        String role = given.path("role").asString("");
        boolean assistant = role.equals("assistant");
        ObjectNode message = JsonNodeFactory.instance.objectNode();
        switch (role) {
            case "system", "user", "assistant", "tool" -> message.put("role", role);
            case "developer" -> message.put("role", "system"); // what newer models call it
            default -> throw wrong(where + ".role", "must be system, developer, user, assistant or tool.");
        }
        boolean calls = assistant && given.hasNonNull("tool_calls");
        content(given, where, calls, message);
        for (String name : List.of("name", "tool_call_id", "reasoning_content")) {
            if (given.hasNonNull(name)) {
                if (!given.path(name).isString()) {
                    throw wrong(where + "." + name, "must be a string.");
                }
                message.put(name, given.path(name).stringValue());
            }
        }
        if (calls) {
            message.set("tool_calls", calls(given.path("tool_calls"), where + ".tool_calls"));
        } else if (given.hasNonNull("tool_calls")) {
            throw wrong(where + ".tool_calls", "belong to messages of the assistant.");
        }
        return message;
    }

    private static void content(JsonNode given, String where, boolean optional, ObjectNode message) {
        JsonNode content = given.path("content");
        if (content.isString()) {
            message.put("content", content.stringValue());
        } else if (content.isArray()) {
            var texts = new ArrayList<String>();
            for (JsonNode part : content.values()) {
                if (!part.path("type").asString("").equals("text")
                        || !part.path("text").isString()) {
                    throw wrong(where + ".content", "may only have parts {\"type\": \"text\", \"text\": \"...\"}.");
                }
                texts.add(part.path("text").stringValue());
            }
            message.put("content", String.join("\n", texts));
        } else if (optional && (content.isNull() || content.isMissingNode())) {
            message.putNull("content");
        } else {
            throw wrong(where + ".content", "must be a string or an array of text parts.");
        }
    }

    private static JsonNode calls(JsonNode given, String where) {
        if (!given.isArray() || given.isEmpty() || given.size() > MAX_CALLS) {
            throw wrong(where, "must be an array of 1 to " + MAX_CALLS + " calls.");
        }
        var calls = JsonNodeFactory.instance.arrayNode();
        for (JsonNode call : given.values()) {
            JsonNode function = call.path("function");
            boolean whole = call.path("id").isString()
                    && call.path("type").asString("function").equals("function")
                    && function.path("name").isString()
                    && function.path("arguments").isString();
            if (!whole) {
                throw wrong(
                        where,
                        "must be {\"id\": \"...\", \"type\": \"function\", \"function\": {\"name\": \"...\", \"arguments\": \"...\"}}.");
            }
            calls.addObject()
                    .put("id", call.path("id").stringValue())
                    .put("type", "function")
                    .putObject("function")
                    .put("name", function.path("name").stringValue())
                    .put("arguments", function.path("arguments").stringValue());
        }
        return calls;
    }

    private static ApiException wrong(String where, String rule) {
        return ApiException.badParameter(where, "'" + where + "' " + rule);
    }
}
