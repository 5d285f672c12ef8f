package ai.epitome.serve.conversation;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;

/// Rows of the table `message`, within a transaction of [ConversationStore].
final class MessageRows {
    private static final String COLUMNS = "number, parent, role, content, attachments, state, model, prompt_tokens, "
            + "completion_tokens, milliseconds, cost_pico, rating, note, created_at";
    private static final JsonMapper JSON = new JsonMapper();

    private MessageRows() {}

    static void insert(Connection connection, String conversation, Message message) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("INSERT INTO message (" + COLUMNS
                + ", conversation) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")) {
            statement.setInt(1, message.number());
            statement.setInt(2, message.parent());
            statement.setString(3, message.role().word());
            statement.setString(4, Storable.text(message.content()));
            statement.setString(5, attachments(message.attachments()));
            statement.setString(6, message.state().word());
            statement.setString(7, Storable.text(message.model()));
            used(statement, 8, message.used());
            statement.setInt(12, message.rating());
            statement.setString(13, Storable.text(message.note()));
            statement.setLong(14, message.created());
            statement.setString(15, conversation);
            statement.executeUpdate();
        }
    }

    private static void used(PreparedStatement statement, int from, Message.Used used) throws SQLException {
        statement.setInt(from, used.promptTokens());
        statement.setInt(from + 1, used.completionTokens());
        statement.setLong(from + 2, used.milliseconds());
        statement.setLong(from + 3, used.costPico());
    }

    /// In the order in which they were written.
    static List<Message> all(Connection connection, String conversation) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(
                "SELECT " + COLUMNS + " FROM message WHERE conversation = ? ORDER BY number")) {
            statement.setString(1, conversation);
            return read(statement);
        }
    }

    static Optional<Message> find(Connection connection, String conversation, int number) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(
                "SELECT " + COLUMNS + " FROM message WHERE conversation = ? AND number = ?")) {
            statement.setString(1, conversation);
            statement.setInt(2, number);
            return read(statement).stream().findFirst();
        }
    }

    /// Writes what an answer became.
    static void write(Connection connection, String conversation, Message message) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(
                "UPDATE message SET content = ?, state = ?, prompt_tokens = ?, completion_tokens = ?, "
                        + "milliseconds = ?, cost_pico = ? WHERE conversation = ? AND number = ?")) {
            statement.setString(1, Storable.text(message.content()));
            statement.setString(2, message.state().word());
            used(statement, 3, message.used());
            statement.setString(7, conversation);
            statement.setInt(8, message.number());
            statement.executeUpdate();
        }
    }

    static void rate(Connection connection, String conversation, int number, int rating, String note)
            throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(
                "UPDATE message SET rating = ?, note = ? WHERE conversation = ? AND number = ?")) {
            statement.setInt(1, rating);
            statement.setString(2, Storable.text(note));
            statement.setString(3, conversation);
            statement.setInt(4, number);
            statement.executeUpdate();
        }
    }

    private static List<Message> read(PreparedStatement statement) throws SQLException {
        try (ResultSet rows = statement.executeQuery()) {
            List<Message> messages = new ArrayList<>();
            while (rows.next()) {
                messages.add(message(rows));
            }
            return messages;
        }
    }

    private static Message message(ResultSet row) throws SQLException {
        return new Message(
                row.getInt("number"),
                row.getInt("parent"),
                Message.Role.of(row.getString("role")),
                row.getString("content"),
                attachments(row.getString("attachments")),
                Message.State.of(row.getString("state")),
                row.getString("model"),
                new Message.Used(
                        row.getInt("prompt_tokens"),
                        row.getInt("completion_tokens"),
                        row.getLong("milliseconds"),
                        row.getLong("cost_pico")),
                row.getInt("rating"),
                row.getString("note"),
                row.getLong("created_at"));
    }

    private static String attachments(List<Message.Attachment> files) {
        ArrayNode array = JsonNodeFactory.instance.arrayNode();
        for (Message.Attachment file : files) {
            array.addObject().put("name", Storable.text(file.name())).put("text", Storable.text(file.text()));
        }
        return files.isEmpty() ? "" : array.toString();
    }

    private static List<Message.Attachment> attachments(String json) {
        List<Message.Attachment> files = new ArrayList<>();
        if (!json.isEmpty()) {
            for (JsonNode file : JSON.readTree(json).values()) {
                files.add(new Message.Attachment(
                        file.path("name").stringValue(), file.path("text").stringValue()));
            }
        }
        return files;
    }
}
