package ai.epitome.serve.response;

import ai.epitome.serve.http.ApiException;
import ai.epitome.serve.http.ObjectId;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// Reads items, of which responses and conversations are made, and makes messages of them that chat templates know.
final class ItemFields {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final int MAX_ITEMS = 4096;
    private static final int MAX_NAME_CHARACTERS = 256;

    private ItemFields() {}

    /// A text, which is a message of the user, or an array of items. Each gets an id of its own: ids are the server's.
    ///
    /// @param field whose value it is
    /// @throws ApiException with status 400
    static List<ObjectNode> parse(JsonNode value, String field) {
        if (value.isString()) {
            return List.of(message(field, "user", List.of(part("user", value.stringValue())), newId("msg_")));
        }
        if (!value.isArray() || value.isEmpty() || value.size() > MAX_ITEMS) {
            throw wrong(field, "must be a string, or an array of 1 to " + MAX_ITEMS + " items.");
        }
        List<ObjectNode> items = new ArrayList<>();
        for (JsonNode item : value.values()) {
            items.add(item(item, field + "[" + items.size() + "]"));
        }
        return items;
    }

    private static ObjectNode item(JsonNode given, String where) {
        if (!given.isObject()) {
            throw wrong(where, "must be an object.");
        }
        return switch (given.path("type").asString("message")) {
            case "message" -> message(given, where);
            case "function_call" ->
                JSON.objectNode()
                        .put("id", newId("fc_"))
                        .put("type", "function_call")
                        .put("call_id", name(given, where, "call_id"))
                        .put("name", name(given, where, "name"))
                        .put("arguments", text(given, where, "arguments"))
                        .put("status", "completed");
            case "function_call_output" ->
                JSON.objectNode()
                        .put("id", newId("fco_"))
                        .put("type", "function_call_output")
                        .put("call_id", name(given, where, "call_id"))
                        .put("output", String.join("\n", texts(given.path("output"), where + ".output")))
                        .put("status", "completed");
            default -> throw wrong(where + ".type", "must be message, function_call or function_call_output.");
        };
    }

    private static ObjectNode message(JsonNode given, String where) {
        String role = given.path("role").asString("");
        switch (role) {
            case "user", "assistant", "system", "developer" -> {}
            default -> throw wrong(where + ".role", "must be user, assistant, system or developer.");
        }
        List<ObjectNode> parts = texts(given.path("content"), where + ".content").stream()
                .map(text -> part(role, text))
                .toList();
        return message(where, role, parts, newId("msg_"));
    }

    private static ObjectNode message(String where, String role, List<ObjectNode> parts, String id) {
        if (parts.isEmpty()) {
            throw wrong(where + ".content", "has no part.");
        }
        ObjectNode message = JSON.objectNode()
                .put("id", id)
                .put("type", "message")
                .put("role", role)
                .put("status", "completed");
        message.putArray("content").addAll(parts);
        return message;
    }

    private static ObjectNode part(String role, String text) {
        ObjectNode part = JSON.objectNode()
                .put("type", role.equals("assistant") ? "output_text" : "input_text")
                .put("text", text);
        if (role.equals("assistant")) {
            part.putArray("annotations");
        }
        return part;
    }

    private static List<String> texts(JsonNode content, String where) {
        if (content.isString()) {
            return List.of(content.stringValue());
        }
        List<String> texts = new ArrayList<>();
        boolean fit = content.isArray();
        for (JsonNode part : content.values()) {
            String type = part.path("type").asString("");
            fit = fit
                    && (type.equals("input_text") || type.equals("output_text") || type.equals("text"))
                    && part.path("text").isString();
            texts.add(part.path("text").asString(""));
        }
        if (!fit) {
            throw wrong(where, "must be a string, or an array of parts {\"type\": \"input_text\", \"text\": \"...\"}.");
        }
        return texts;
    }

    private static String text(JsonNode given, String where, String field) {
        if (!given.path(field).isString()) {
            throw wrong(where + "." + field, "must be a string.");
        }
        return given.path(field).stringValue();
    }

    private static String name(JsonNode given, String where, String field) {
        String name = text(given, where, field);
        if (name.isEmpty() || name.length() > MAX_NAME_CHARACTERS) {
            throw wrong(where + "." + field, "must have 1 to " + MAX_NAME_CHARACTERS + " characters.");
        }
        return name;
    }

    private static String newId(String prefix) {
        return ObjectId.next(prefix);
    }

    /// What a chat template is given. Calls that follow each other, or a message of the assistant, are one message.
    static List<ObjectNode> messages(List<ObjectNode> items) {
        List<ObjectNode> messages = new ArrayList<>();
        for (ObjectNode item : items) {
            switch (item.path("type").asString("")) {
                case "function_call" -> calls(messages).add(call(item));
                case "function_call_output" ->
                    messages.add(JSON.objectNode()
                            .put("role", "tool")
                            .put("tool_call_id", item.path("call_id").asString(""))
                            .put("content", item.path("output").asString("")));
                default -> messages.add(message(item));
            }
        }
        return messages;
    }

    private static ObjectNode message(ObjectNode item) {
        String role = item.path("role").asString("");
        List<String> texts = new ArrayList<>();
        item.path("content")
                .values()
                .forEach(part -> texts.add(part.path("text").asString("")));
        return JSON.objectNode()
                .put("role", role.equals("developer") ? "system" : role)
                .put("content", String.join("\n", texts));
    }

    private static ArrayNode calls(List<ObjectNode> messages) {
        ObjectNode last = messages.isEmpty() ? JSON.objectNode() : messages.getLast();
        if (!last.path("role").asString("").equals("assistant")) {
            last = JSON.objectNode().put("role", "assistant").putNull("content");
            messages.add(last);
        }
        return last.get("tool_calls") instanceof ArrayNode calls ? calls : last.putArray("tool_calls");
    }

    private static ObjectNode call(ObjectNode item) {
        ObjectNode call =
                JSON.objectNode().put("id", item.path("call_id").asString("")).put("type", "function");
        call.putObject("function")
                .put("name", item.path("name").asString(""))
                .put("arguments", item.path("arguments").asString(""));
        return call;
    }

    private static ApiException wrong(String where, String rule) {
        return ApiException.badParameter(where, "'" + where + "' " + rule);
    }
}
