package ai.epitome.train.prompt;

import ai.epitome.text.Tokenizer;
import ai.epitome.text.chat.ChatFormat;
import ai.epitome.text.chat.Conversation;
import ai.epitome.train.chat.Speaker;
import ai.epitome.train.chat.Turn;
import ai.epitome.train.data.TextTokens;
import ai.epitome.train.task.Task;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// What a model answers, or goes on from.
///
/// @param tokens that it goes on from
/// @param text the same for a person, and for rewards that read text; of a conversation the last turn
/// @param turns of a conversation; none where it is a text that goes on as it stands
/// @param task whose answer can be checked, where it is one
public record Prompt(int[] tokens, String text, List<Turn> turns, Optional<Task> task) {
    private static final JsonMapper JSON = new JsonMapper();

    public Prompt {
        turns = List.copyOf(turns);
    }

    /// A text that goes on as it stands.
    public static Prompt ofText(Tokenizer tokenizer, String text) {
        return new Prompt(TextTokens.of(tokenizer, text), text, List.of(), Optional.empty());
    }

    /// A conversation that the assistant is to go on with.
    public static Prompt ofTurns(ChatFormat chat, List<Turn> turns) {
        return new Prompt(encode(chat, turns), turns.getLast().text(), turns, Optional.empty());
    }

    /// A task, asked as a conversation of one turn.
    public static Prompt ofTask(ChatFormat chat, Task task) {
        List<Turn> turns = List.of(new Turn(Speaker.USER, task.request()));
        return new Prompt(encode(chat, turns), task.request(), turns, Optional.of(task));
    }

    private static int[] encode(ChatFormat chat, List<Turn> turns) {
        List<ObjectNode> messages = turns.stream()
                .map(turn -> JSON.createObjectNode()
                        .put("role", turn.speaker().role())
                        .put("content", turn.text()))
                .toList();
        return chat.encode(new Conversation(messages));
    }

    /// The same in another format of conversations; a text stays as it is.
    public Prompt in(ChatFormat chat) {
        return turns.isEmpty() ? this : new Prompt(encode(chat, turns), text, turns, task);
    }

    /// Whether it is a text that goes on as it stands, and no conversation.
    public boolean goesOn() {
        return turns.isEmpty();
    }

    /// The turns as OpenAI's messages.
    public ArrayNode messages() {
        ArrayNode list = JsonNodeFactory.instance.arrayNode();
        turns.forEach(
                turn -> list.addObject().put("role", turn.speaker().role()).put("content", turn.text()));
        return list;
    }
}
