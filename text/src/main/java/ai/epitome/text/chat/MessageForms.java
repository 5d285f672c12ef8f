package ai.epitome.text.chat;

import ai.epitome.text.jinja.JsonValues;
import ai.epitome.text.jinja.Value;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.databind.node.StringNode;

/// One of the forms in which templates want messages.
///
/// @param objectArguments whether the arguments of a call are an object, as most templates want them, or the text that
/// OpenAI's API has
/// @param emptyContent whether a message without content has an empty text in its place
/// @param bareTools whether tools are functions by themselves, without `{"type": "function", "function": ...}`
record MessageForms(boolean objectArguments, boolean emptyContent, boolean bareTools) {
    private static final JsonMapper JSON = JsonMapper.shared();
    private static final String CONTENT = "content";

    /// The forms that differ for this conversation, the most usual one first.
    static List<MessageForms> of(Conversation conversation) {
        boolean calls = conversation.messages().stream().anyMatch(message -> message.hasNonNull("tool_calls"));
        boolean silent = conversation.messages().stream().anyMatch(message -> !message.hasNonNull(CONTENT));
        var forms = new ArrayList<MessageForms>();
        for (boolean bare : choices(conversation.tools().isPresent())) {
            for (boolean text : choices(calls)) {
                for (boolean empty : choices(silent)) {
                    forms.add(new MessageForms(!text, empty, bare));
                }
            }
        }
        return forms;
    }

    private static boolean[] choices(boolean both) {
        return both ? new boolean[] {false, true} : new boolean[] {false};
    }

    Value messages(List<ObjectNode> messages) {
        return Value.of(messages.stream().map(this::message).toList());
    }

    Value tools(JsonNode tools) {
        if (!bareTools) {
            return JsonValues.of(tools);
        }
        ArrayNode bare = JsonNodeFactory.instance.arrayNode();
        for (JsonNode tool : tools.values()) {
            bare.add(tool.has("function") ? tool.path("function") : tool);
        }
        return JsonValues.of(bare);
    }

    private Value message(ObjectNode original) {
        ObjectNode message = original.deepCopy();
        JsonNode content = message.path(CONTENT);
        if (content.isArray()) {
            message.put(CONTENT, text(content));
        } else if (content.isMissingNode() || content.isNull()) {
            message.set(CONTENT, emptyContent ? StringNode.valueOf("") : JsonNodeFactory.instance.nullNode());
        }
        for (JsonNode call : message.path("tool_calls").values()) {
            JsonNode arguments = call.path("function").path("arguments");
            if (objectArguments && arguments.isString() && call.path("function") instanceof ObjectNode function) {
                function.set("arguments", parsed(arguments));
            }
        }
        return JsonValues.of(message);
    }

    /// The texts of a message's parts.
    private static String text(JsonNode parts) {
        List<String> texts = new ArrayList<>();
        for (JsonNode part : parts.values()) {
            if (part.path("text").isString()) {
                texts.add(part.path("text").stringValue());
            }
        }
        return String.join("\n", texts);
    }

    /// The object that the text spells; what a model wrote may spell none.
    private static JsonNode parsed(JsonNode text) {
        try {
            JsonNode arguments = JSON.readTree(text.stringValue());
            return arguments.isObject() ? arguments : text;
        } catch (JacksonException e) {
            return text;
        }
    }
}
