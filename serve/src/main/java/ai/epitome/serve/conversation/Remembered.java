package ai.epitome.serve.conversation;

import ai.epitome.serve.http.ApiException;
import ai.epitome.serve.registry.ModelRegistry;
import ai.epitome.text.chat.ChatFormat;
import ai.epitome.text.chat.Conversation;
import ai.epitome.text.jinja.JinjaException;
import java.util.List;
import java.util.stream.Collectors;

/// What a model reads of a conversation.
sealed interface Remembered {
    /// All of a text: what is too long falls out of the context by itself.
    record Text(String text) implements Remembered {}

    /// The last turns.
    ///
    /// @param forgotten turns before them, for which there is no room
    record Turns(Conversation conversation, ChatFormat format, int forgotten) implements Remembered {}

    /// Number of messages at the beginning that are left out.
    default int forgotten() {
        return this instanceof Turns turns ? turns.forgotten() : 0;
    }

    /// @param path from the first message to the one to be answered
    /// @throws ApiException with status 400 when the model takes no conversations, or not this one
    static Remembered of(Settings settings, List<Message> path, ModelRegistry.Entry entry) {
        if (settings.mode() == Settings.Mode.TEXT) {
            return new Text(path.stream().map(Message::prompt).collect(Collectors.joining()));
        }
        ChatFormat format = entry.chat()
                .orElseThrow(() -> ApiException.badParameter(
                        "mode",
                        "The model '" + entry.model().id() + "' takes no conversations: choose the mode text."));
        int context = entry.model().contextLength();
        int room = context - Math.min(settings.maxTokens(), context / 4);
        int from = 0;
        Conversation turns = turns(settings, path);
        int tokens = tokens(turns, format);
        while (tokens > room) {
            // As large a part of the turns as the tokens are too many; at least one exchange.
            int excess = (int) ((long) (path.size() - from) * (tokens - room) / tokens);
            int next = nextQuestion(path, from + Math.max(1, excess / 2));
            if (next == path.size()) {
                break; // What is said now has to be answered, or refused, as it is.
            }
            from = next;
            turns = turns(settings, path.subList(from, path.size()));
            tokens = tokens(turns, format);
        }
        return new Turns(turns, format, from);
    }

    private static Conversation turns(Settings settings, List<Message> path) {
        return new Conversation(Preferences.messages(settings, path));
    }

    private static int tokens(Conversation turns, ChatFormat format) {
        try {
            return format.encode(turns).length;
        } catch (JinjaException e) {
            throw ApiException.badParameter(
                    "messages", "The model's chat template does not take this conversation: " + e.getMessage());
        }
    }

    private static int nextQuestion(List<Message> path, int from) {
        int next = from;
        while (next < path.size() && path.get(next).role() != Message.Role.USER) {
            next++;
        }
        return next;
    }
}
