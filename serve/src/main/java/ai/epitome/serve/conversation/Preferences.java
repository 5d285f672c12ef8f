package ai.epitome.serve.conversation;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// What people said of answers, as data to learn from, in the forms that Hugging Face's TRL reads: pairs
/// (`prompt`, `chosen`, `rejected`) of answers that were compared, or of which one was rated good and the
/// other bad; or single answers (`prompt`, `completion`, `label`) as they were rated. What people found
/// equally good is no pair, and stands alone (`prompt`, `answers`).
///
/// Prompts and answers are lists of messages; of conversations that are one text, they are texts. Notes go
/// along.
public final class Preferences {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    private Preferences() {}

    /// What is written of all that people said.
    public enum Form {
        PAIRS,
        LABELS,
        TIES
    }

    /// Which of two answers to one message somebody found better.
    ///
    /// @param note why
    /// @param tie whether neither is; then `chosen` and `rejected` only name the two
    public record Choice(int chosen, int rejected, String note, boolean tie) {
        /// Of a better one and another.
        public Choice(int chosen, int rejected, String note) {
            this(chosen, rejected, note, false);
        }
    }

    /// Gives each example to `line`, the oldest conversation first.
    public static void write(ConversationStore store, Form form, Consumer<ObjectNode> line) {
        for (ConversationStore.Owned owned : store.judged()) {
            String id = owned.conversation().id();
            MessageTree tree = store.messages(owned.owner(), id);
            Examples examples = new Examples(owned.conversation().settings(), tree, line);
            if (form == Form.LABELS) {
                rated(tree.messages()).forEach(examples::label);
                continue;
            }
            Set<List<Integer>> told = new HashSet<>();
            for (Choice choice : store.choices(id)) {
                told.add(List.of(choice.chosen(), choice.rejected()));
                told.add(List.of(choice.rejected(), choice.chosen())); // a comparison counts for more than ratings
                if (!choice.tie() && form == Form.PAIRS) {
                    examples.pair(choice);
                } else if (choice.tie() && form == Form.TIES) {
                    examples.tie(choice);
                }
            }
            if (form == Form.TIES) {
                continue;
            }
            ratedApart(tree).stream()
                    .filter(choice -> !told.contains(List.of(choice.chosen(), choice.rejected())))
                    .forEach(examples::pair);
        }
    }

    private static List<Message> rated(List<Message> answers) {
        return answers.stream()
                .filter(message -> message.role() == Message.Role.ASSISTANT && message.rating() != 0)
                .toList();
    }

    private static List<Choice> ratedApart(MessageTree tree) {
        List<Choice> choices = new ArrayList<>();
        for (Message good : rated(tree.messages())) {
            for (Message bad : rated(tree.children(good.parent()))) {
                if (good.rating() > 0 && bad.rating() < 0) {
                    String notes = (good.note() + "\n" + bad.note()).strip();
                    choices.add(new Choice(good.number(), bad.number(), notes));
                }
            }
        }
        return choices;
    }

    /// What a model is told: the system prompt, where there is one, and the messages.
    public static List<ObjectNode> messages(Settings settings, List<Message> path) {
        List<ObjectNode> messages = new ArrayList<>();
        if (!settings.system().isEmpty()) {
            messages.add(JSON.objectNode().put("role", "system").put("content", settings.system()));
        }
        path.forEach(message -> messages.add(json(message)));
        return messages;
    }

    private static ObjectNode json(Message message) {
        return JSON.objectNode().put("role", message.role().word()).put("content", message.prompt());
    }

    /// Writes the examples of one conversation.
    private record Examples(Settings settings, MessageTree tree, Consumer<ObjectNode> line) {

        void label(Message answer) {
            if (!answer.content().isBlank()) {
                ObjectNode example = begun(answer);
                said(example, "completion", answer);
                noted(example.put("label", answer.rating() > 0), answer.note());
            }
        }

        /// Empty and equal answers teach nothing, and readers refuse them.
        void pair(Choice choice) {
            Message chosen = tree.find(choice.chosen()).orElseThrow();
            Message rejected = tree.find(choice.rejected()).orElseThrow();
            if (!chosen.content().isBlank()
                    && !rejected.content().isBlank()
                    && !chosen.content().equals(rejected.content())) {
                ObjectNode example = begun(chosen);
                said(example, "chosen", chosen);
                said(example, "rejected", rejected);
                noted(example, choice.note());
            }
        }

        void tie(Choice choice) {
            Message one = tree.find(choice.chosen()).orElseThrow();
            Message other = tree.find(choice.rejected()).orElseThrow();
            ObjectNode example = begun(one);
            ArrayNode answers = example.putArray("answers");
            for (Message answer : List.of(one, other)) {
                if (settings.mode() == Settings.Mode.TEXT) {
                    answers.add(answer.content());
                } else {
                    answers.addArray().add(json(answer));
                }
            }
            noted(example, choice.note());
        }

        private ObjectNode begun(Message answer) {
            List<Message> path = tree.path(answer.parent());
            ObjectNode example = JSON.objectNode();
            if (settings.mode() == Settings.Mode.TEXT) {
                return example.put("prompt", path.stream().map(Message::prompt).collect(Collectors.joining()));
            }
            ArrayNode prompt = example.putArray("prompt");
            messages(settings, path).forEach(prompt::add);
            return example;
        }

        private void said(ObjectNode example, String field, Message answer) {
            if (settings.mode() == Settings.Mode.TEXT) {
                example.put(field, answer.content());
            } else {
                example.putArray(field).add(json(answer));
            }
        }

        private void noted(ObjectNode example, String note) {
            line.accept(note.isEmpty() ? example : example.put("note", note));
        }
    }
}
