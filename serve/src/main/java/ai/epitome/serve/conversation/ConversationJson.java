package ai.epitome.serve.conversation;

import java.util.List;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// Conversations and messages as the page gets them, and as files keep them.
final class ConversationJson {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    /// Says what a file is.
    static final String FORMAT = "epitome-conversation";

    private ConversationJson() {}

    static ObjectNode conversation(StoredConversation conversation) {
        Settings settings = conversation.settings();
        return JSON.objectNode()
                .put("id", conversation.id())
                .put("title", conversation.title())
                .put("folder", conversation.folder())
                .put("mode", settings.mode().word())
                .put("model", settings.model())
                .put("system", settings.system())
                .put("temperature", settings.temperature())
                .put("top_p", settings.topP())
                .put("max_tokens", settings.maxTokens())
                .put("leaf", conversation.leaf())
                .put("created_at", conversation.created())
                .put("updated_at", conversation.updated());
    }

    static ObjectNode message(Message message) {
        ObjectNode root = JSON.objectNode()
                .put("number", message.number())
                .put("parent", message.parent())
                .put("role", message.role().word())
                .put("content", message.content())
                .put("state", message.state().word())
                .put("model", message.model())
                .put("prompt_tokens", message.used().promptTokens())
                .put("completion_tokens", message.used().completionTokens())
                .put("milliseconds", message.used().milliseconds())
                .put("cost_pico", message.used().costPico())
                .put("rating", message.rating())
                .put("note", message.note())
                .put("created_at", message.created());
        ArrayNode attachments = root.putArray("attachments");
        message.attachments()
                .forEach(
                        file -> attachments.addObject().put("name", file.name()).put("text", file.text()));
        return root;
    }

    static ArrayNode messages(List<Message> messages) {
        ArrayNode array = JSON.arrayNode();
        messages.forEach(message -> array.add(message(message)));
        return array;
    }

    /// A conversation with all branches, as a file.
    static ObjectNode file(StoredConversation conversation, List<Message> messages) {
        ObjectNode root = JSON.objectNode().put("format", FORMAT).put("version", 1);
        root.set("conversation", conversation(conversation));
        root.set("messages", messages(messages));
        return root;
    }
}
