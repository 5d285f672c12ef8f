package ai.epitome.serve.conversation;

import ai.epitome.serve.body.CommonFields;
import ai.epitome.serve.body.Fields;
import ai.epitome.serve.http.ApiException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import tools.jackson.databind.JsonNode;

/// Reads what the page says of conversations. Whatever the bytes, the outcome is within all bounds, or an
/// [ApiException] with status 400.
///
/// @param maxTokens most tokens of an answer that may be asked for
public record ConversationFields(int maxTokens) {
    public static final int MOST_CONTENT = 200_000;
    private static final int MOST_TITLE = 200;
    private static final int MOST_FOLDER = 100;
    private static final int MOST_SYSTEM = 50_000;
    private static final int MOST_NOTE = 2_000;
    private static final int MOST_MODEL = 256;
    private static final int MOST_ATTACHMENTS = 8;
    private static final int MOST_FILE_NAME = 200;
    private static final int MOST_NUMBER = Integer.MAX_VALUE;

    private static final Set<String> CONVERSATION = Set.of(
            "id",
            "title",
            "folder",
            "mode",
            "model",
            "system",
            "temperature",
            "top_p",
            "max_tokens",
            "leaf",
            "created_at",
            "updated_at");
    private static final Set<String> PRESET = Set.of("name", "mode", "system", "temperature", "top_p", "max_tokens");
    private static final Set<String> MESSAGE = Set.of(
            "number",
            "parent",
            "role",
            "content",
            "state",
            "model",
            "prompt_tokens",
            "completion_tokens",
            "milliseconds",
            "cost_pico",
            "attachments",
            "rating",
            "note",
            "created_at");

    /// A user's message and where it goes.
    public record Said(String content, List<Message.Attachment> attachments, int parent) {}

    /// Which message to answer.
    ///
    /// @param model who answers; empty for the conversation's model
    record Answered(int parent, String model) {}

    record Rating(int rating, String note) {}

    /// A conversation from a file. Its id is not its own any more.
    public record File(StoredConversation conversation, List<Message> messages) {}

    /// What `body` changes of a conversation; what it does not name stays.
    StoredConversation change(byte[] body, StoredConversation old) {
        return change(CommonFields.parse(body, CONVERSATION), old);
    }

    private StoredConversation change(Fields fields, StoredConversation old) {
        return new StoredConversation(
                old.id(),
                text(fields, "title", MOST_TITLE, old.title()).strip(),
                text(fields, "folder", MOST_FOLDER, old.folder()).strip(),
                settings(fields, old.settings()),
                fields.integer("leaf", 0, MOST_NUMBER, old.leaf()),
                old.created(),
                old.updated());
    }

    private Settings settings(Fields fields, Settings old) {
        return new Settings(
                word(fields, "mode", Settings.Mode::of, old.mode()),
                text(fields, "model", MOST_MODEL, old.model()),
                text(fields, "system", MOST_SYSTEM, old.system()),
                fields.number("temperature", 0, 2, old.temperature()),
                fields.number("top_p", 0, 1, old.topP()),
                fields.integer("max_tokens", 1, maxTokens, old.maxTokens()));
    }

    public Said said(byte[] body) {
        Fields fields = CommonFields.parse(body, Set.of("content", "parent", "attachments"));
        String content = fields.text("content", MOST_CONTENT);
        List<Message.Attachment> attachments = attachments(fields, content.length());
        if (content.isBlank() && attachments.isEmpty()) {
            throw ApiException.badParameter("content", "'content' is empty: there is nothing to answer.");
        }
        return new Said(content, attachments, fields.integer("parent", 0, MOST_NUMBER, 0));
    }

    /// Files that go with a message: all of them together are no longer than a message may be.
    private static List<Message.Attachment> attachments(Fields fields, int already) {
        JsonNode given = fields.get("attachments");
        if (given.isMissingNode() || given.isNull()) {
            return List.of();
        }
        if (!given.isArray() || given.size() > MOST_ATTACHMENTS) {
            throw ApiException.badParameter(
                    "attachments", "'attachments' must be an array of at most " + MOST_ATTACHMENTS + " files.");
        }
        List<Message.Attachment> files = new ArrayList<>();
        int characters = already;
        for (JsonNode one : given.values()) {
            String where = "attachments[" + files.size() + "]";
            Fields file = known(one, where, Set.of("name", "text"));
            files.add(new Message.Attachment(file.text("name", MOST_FILE_NAME), file.text("text", MOST_CONTENT)));
            characters += files.getLast().text().length();
        }
        if (characters > MOST_CONTENT) {
            throw ApiException.badParameter(
                    "attachments",
                    "A message and its files may have " + MOST_CONTENT + " characters; these have " + characters + ".");
        }
        return files;
    }

    public Answered answered(byte[] body) {
        Fields fields = CommonFields.parse(body, Set.of("parent", "model"));
        return new Answered(fields.integer("parent", 0, MOST_NUMBER, 0), text(fields, "model", MOST_MODEL, ""));
    }

    public Rating rating(byte[] body) {
        Fields fields = CommonFields.parse(body, Set.of("rating", "note"));
        return new Rating(fields.integer("rating", -1, 1, 0), text(fields, "note", MOST_NOTE, ""));
    }

    public Preferences.Choice choice(byte[] body) {
        Fields fields = CommonFields.parse(body, Set.of("chosen", "rejected", "note", "tie"));
        return new Preferences.Choice(
                fields.integer("chosen", 1, MOST_NUMBER, 0),
                fields.integer("rejected", 1, MOST_NUMBER, 0),
                text(fields, "note", MOST_NOTE, ""),
                fields.flag("tie"));
    }

    /// What `body` says of a preset; what it does not name stays.
    Preset preset(byte[] body, Preset old) {
        Fields fields = CommonFields.parse(body, PRESET);
        String name = text(fields, "name", MOST_TITLE, old.name()).strip();
        if (name.isEmpty()) {
            throw ApiException.badParameter("name", "'name' must not be empty.");
        }
        return new Preset(old.id(), name, settings(fields, old.settings()), old.created());
    }

    /// A file of ours, or the first part of one.
    public File file(JsonNode conversation, JsonNode messages) {
        if (!conversation.isObject()) {
            throw ApiException.badParameter("conversation", "'conversation' must be an object.");
        }
        Fields fields = known(conversation, "conversation", CONVERSATION);
        StoredConversation plain = new StoredConversation("", "", "", Settings.DEFAULT, 0, 0, 0);
        return new File(change(fields, plain), messages(messages, 1));
    }

    /// @param first number that the first one must have
    List<Message> messages(JsonNode given, int first) {
        if (!given.isArray()) {
            throw ApiException.badParameter("messages", "'messages' must be an array.");
        }
        List<Message> messages = new ArrayList<>();
        for (JsonNode one : given.values()) {
            String where = "messages[" + messages.size() + "]";
            Message message = message(known(one, where, MESSAGE));
            if (message.number() != first + messages.size() || message.parent() >= message.number()) {
                throw ApiException.badParameter(
                        where,
                        "'" + where + "' must have number " + (first + messages.size())
                                + " and a parent of a smaller one.");
            }
            messages.add(message);
        }
        return messages;
    }

    private static Fields known(JsonNode object, String where, Set<String> names) {
        if (!object.isObject()) {
            throw ApiException.badParameter(where, "'" + where + "' must be an object.");
        }
        for (String name : object.propertyNames()) {
            if (!names.contains(name)) {
                throw ApiException.badParameter(where, "'" + where + "' has a field that is not known here.");
            }
        }
        return new Fields(object);
    }

    private static Message message(Fields fields) {
        String content = fields.text("content", MOST_CONTENT);
        Message.State state = word(fields, "state", Message.State::of, Message.State.DONE);
        return new Message(
                fields.integer("number", 1, MOST_NUMBER, 0),
                fields.integer("parent", 0, MOST_NUMBER, 0),
                word(fields, "role", Message.Role::of, Message.Role.USER),
                content,
                attachments(fields, content.length()),
                state == Message.State.RUNNING ? Message.State.STOPPED : state, // nobody goes on with it
                text(fields, "model", MOST_MODEL, ""),
                new Message.Used(
                        fields.integer("prompt_tokens", 0, MOST_NUMBER, 0),
                        fields.integer("completion_tokens", 0, MOST_NUMBER, 0),
                        fields.integer("milliseconds", 0, MOST_NUMBER, 0),
                        (long) fields.number("cost_pico", 0, 1e18, 0)),
                fields.integer("rating", -1, 1, 0),
                text(fields, "note", MOST_NOTE, ""),
                (long) fields.number("created_at", 0, 1e15, 0));
    }

    private static String text(Fields fields, String name, int most, String absent) {
        return fields.has(name) ? fields.text(name, most) : absent;
    }

    private static <T> T word(Fields fields, String name, Function<String, T> meaning, T absent) {
        if (!fields.has(name)) {
            return absent;
        }
        try {
            return meaning.apply(fields.text(name, 32));
        } catch (IllegalArgumentException e) {
            throw ApiException.badParameter(name, e.getMessage() + ".");
        }
    }
}
