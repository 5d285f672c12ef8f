package ai.epitome.text.chat;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// What a model is asked to go on with, in OpenAI's shapes.
///
/// @param messages `{"role", "content", "tool_calls", ...}` in their order
/// @param tools functions that the model may call; empty for none
/// @param settings further variables of the template, such as `enable_thinking`
public record Conversation(List<ObjectNode> messages, Optional<JsonNode> tools, Map<String, JsonNode> settings) {
    public Conversation {
        messages = List.copyOf(messages);
        settings = Map.copyOf(settings);
    }

    /// Messages alone.
    public Conversation(List<ObjectNode> messages) {
        this(messages, Optional.empty(), Map.of());
    }
}
