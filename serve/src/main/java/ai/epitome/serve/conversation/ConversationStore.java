package ai.epitome.serve.conversation;

import ai.epitome.serve.account.Database;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.UnaryOperator;

/// Conversations, in the database. What a method has done is durable when it returns.
///
/// Everything belongs to an owner, the id of an API key or the empty text, and nobody finds what belongs to
/// another. Safe to use from any thread.
public final class ConversationStore {
    /// Beyond so many, a conversation takes no more messages.
    public static final int MOST_MESSAGES = 10_000;
    /// Beyond so much text, too: whoever reads a conversation gets it whole.
    public static final long MOST_CHARACTERS = 16_000_000;
    /// Beyond so many, an owner begins no more conversations.
    public static final int MOST_CONVERSATIONS = 20_000;

    private static final String COLUMNS = "id, title, folder, mode, model, system_prompt, temperature, top_p, "
            + "max_tokens, leaf, created_at, updated_at";
    private static final int ID_BYTES = 12;
    private static final SecureRandom RANDOM = new SecureRandom();

    private final Database database;

    public ConversationStore(Database database) {
        this.database = database;
    }

    /// What was asked for is not there, or there is no room for more; the message says which.
    public static final class RefusedException extends RuntimeException {
        private final boolean missing;

        RefusedException(boolean missing, String message) {
            super(message, null, false, false);
            this.missing = missing;
        }

        /// Whether something is not there.
        public boolean missing() {
            return missing;
        }
    }

    /// Which conversations to list.
    ///
    /// @param search what the title or a message contains; empty for all
    /// @param folder the folder they are in; empty for any
    public record Query(String search, Optional<String> folder, int limit, int offset) {}

    /// Begins a conversation with these messages, which have numbers from 1 on, in one transaction.
    ///
    /// @param messages parents before children
    public StoredConversation create(
            String owner, String title, String folder, Settings settings, List<Message> messages, int leaf, long now) {
        byte[] random = new byte[ID_BYTES];
        RANDOM.nextBytes(random);
        String id = "conv_" + HexFormat.of().formatHex(random);
        var conversation =
                new StoredConversation(id, Storable.text(title), Storable.text(folder), settings, leaf, now, now);
        database.write(connection -> {
            requireRoom(connection, owner);
            insert(connection, owner, conversation, messages);
            for (Message message : messages) {
                MessageRows.insert(connection, id, message.stored(message.number(), message.parent(), now));
            }
            return null;
        });
        return conversation;
    }

    private static void requireRoom(Connection connection, String owner) throws SQLException {
        try (PreparedStatement statement =
                connection.prepareStatement("SELECT COUNT(*) FROM conversation WHERE owner = ?")) {
            statement.setString(1, owner);
            try (ResultSet rows = statement.executeQuery()) {
                rows.next();
                if (rows.getLong(1) >= MOST_CONVERSATIONS) {
                    throw new RefusedException(
                            false, "There are " + MOST_CONVERSATIONS + " conversations already: delete some.");
                }
            }
        }
    }

    private static void insert(
            Connection connection, String owner, StoredConversation conversation, List<Message> messages)
            throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("INSERT INTO conversation (" + COLUMNS
                + ", owner, messages, characters) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")) {
            statement.setString(1, conversation.id());
            int next = set(statement, 2, conversation);
            statement.setInt(next, conversation.leaf());
            statement.setLong(next + 1, conversation.created());
            statement.setLong(next + 2, conversation.updated());
            statement.setString(next + 3, owner);
            statement.setInt(next + 4, messages.size());
            statement.setLong(next + 5, characters(messages));
            statement.executeUpdate();
        }
    }

    /// Title, folder and settings, from a column on; returns the next one.
    private static int set(PreparedStatement statement, int from, StoredConversation conversation) throws SQLException {
        Settings settings = conversation.settings();
        int column = from;
        statement.setString(column++, Storable.text(conversation.title()));
        statement.setString(column++, Storable.text(conversation.folder()));
        statement.setString(column++, settings.mode().word());
        statement.setString(column++, Storable.text(settings.model()));
        statement.setString(column++, Storable.text(settings.system()));
        statement.setDouble(column++, settings.temperature());
        statement.setDouble(column++, settings.topP());
        statement.setInt(column++, settings.maxTokens());
        return column;
    }

    /// The newest first. Letters of the search match in either case, where the database knows their cases.
    public List<StoredConversation> list(String owner, Query query) {
        String pattern =
                "%" + Storable.text(query.search()).toLowerCase(Locale.ROOT).replaceAll("[!%_]", "!$0") + "%";
        String sql = "SELECT " + COLUMNS + " FROM conversation WHERE owner = ?"
                + (query.folder().isPresent() ? " AND folder = ?" : "")
                + (query.search().isEmpty()
                        ? ""
                        : " AND (LOWER(title) LIKE ? ESCAPE '!' OR EXISTS (SELECT 1 FROM message"
                                + " WHERE conversation = id AND LOWER(content) LIKE ? ESCAPE '!'))")
                + " ORDER BY updated_at DESC, id LIMIT ? OFFSET ?";
        return database.read(connection -> {
            try (PreparedStatement statement = connection.prepareStatement(sql)) {
                int column = 1;
                statement.setString(column++, owner);
                if (query.folder().isPresent()) {
                    statement.setString(column++, query.folder().get());
                }
                if (!query.search().isEmpty()) {
                    statement.setString(column++, pattern);
                    statement.setString(column++, pattern);
                }
                statement.setInt(column++, query.limit());
                statement.setInt(column, query.offset());
                return conversations(statement);
            }
        });
    }

    private static List<StoredConversation> conversations(PreparedStatement statement) throws SQLException {
        try (ResultSet rows = statement.executeQuery()) {
            List<StoredConversation> found = new ArrayList<>();
            while (rows.next()) {
                found.add(conversation(rows));
            }
            return found;
        }
    }

    /// Names of the folders, in order.
    public List<String> folders(String owner) {
        return database.read(connection -> {
            try (PreparedStatement statement = connection.prepareStatement(
                    "SELECT DISTINCT folder FROM conversation WHERE owner = ? AND folder <> '' ORDER BY folder")) {
                statement.setString(1, owner);
                try (ResultSet rows = statement.executeQuery()) {
                    List<String> found = new ArrayList<>();
                    while (rows.next()) {
                        found.add(rows.getString(1));
                    }
                    return found;
                }
            }
        });
    }

    /// @throws RefusedException when there is none of this id
    public StoredConversation find(String owner, String id) {
        return database.read(connection -> find(connection, owner, id));
    }

    private static StoredConversation find(Connection connection, String owner, String id) throws SQLException {
        try (PreparedStatement statement =
                connection.prepareStatement("SELECT " + COLUMNS + " FROM conversation WHERE owner = ? AND id = ?")) {
            statement.setString(1, owner);
            statement.setString(2, Storable.text(id));
            return conversations(statement).stream().findFirst().orElseThrow(ConversationStore::unknown);
        }
    }

    private static RefusedException unknown() {
        return new RefusedException(true, "There is no conversation of this id.");
    }

    /// All messages of a conversation.
    ///
    /// @throws RefusedException when there is none of this id
    public MessageTree messages(String owner, String id) {
        return database.read(connection -> {
            find(connection, owner, id);
            return new MessageTree(MessageRows.all(connection, id));
        });
    }

    /// Changes title, folder, settings or leaf.
    ///
    /// @throws RefusedException when there is no such conversation, or the new leaf is no message of it
    public StoredConversation update(String owner, String id, UnaryOperator<StoredConversation> change) {
        return database.write(connection -> {
            lock(connection, owner, id, List.of());
            StoredConversation old = find(connection, owner, id);
            StoredConversation changed = change.apply(old);
            if (changed.leaf() != old.leaf()) {
                required(connection, id, changed.leaf());
            }
            try (PreparedStatement statement =
                    connection.prepareStatement("UPDATE conversation SET title = ?, folder = ?, mode = ?, model = ?, "
                            + "system_prompt = ?, temperature = ?, top_p = ?, max_tokens = ?, leaf = ? WHERE id = ?")) {
                int next = set(statement, 1, changed);
                statement.setInt(next, changed.leaf());
                statement.setString(next + 1, id);
                statement.executeUpdate();
            }
            return changed;
        });
    }

    private static long characters(List<Message> messages) {
        return messages.stream().mapToLong(Message::characters).sum();
    }

    /// Counts further messages. Writing first keeps others out of the conversation until the transaction
    /// ends, in PostgreSQL too, and so no two messages get one number.
    private static void lock(Connection connection, String owner, String id, List<Message> further)
            throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("UPDATE conversation SET "
                + "messages = messages + ?, characters = characters + ? WHERE owner = ? AND id = ?")) {
            statement.setInt(1, further.size());
            statement.setLong(2, characters(further));
            statement.setString(3, owner);
            statement.setString(4, Storable.text(id));
            if (statement.executeUpdate() == 0) {
                throw unknown();
            }
        }
    }

    /// Deletes a conversation with its messages, for good.
    ///
    /// @throws RefusedException when there is none of this id
    public void delete(String owner, String id) {
        database.write(connection -> {
            lock(connection, owner, id, List.of());
            try (PreparedStatement statement = connection.prepareStatement("DELETE FROM conversation WHERE id = ?")) {
                statement.setString(1, id);
                return statement.executeUpdate();
            }
        });
    }

    /// Adds messages, each the child of the one before it, the first one of its own parent; the branch that
    /// is shown ends with them.
    ///
    /// @return as they are stored
    /// @throws RefusedException when there is no such conversation or parent, or no room
    public List<Message> append(String owner, String id, List<Message> messages, long now) {
        return database.write(connection -> {
            lock(connection, owner, id, messages);
            int number = newest(connection, id) - messages.size();
            int parent = messages.getFirst().parent();
            if (parent != 0) {
                required(connection, id, parent);
            }
            List<Message> stored = new ArrayList<>();
            for (Message message : messages) {
                Message next = message.stored(++number, parent, now);
                MessageRows.insert(connection, id, next);
                stored.add(next);
                parent = number;
            }
            try (PreparedStatement statement =
                    connection.prepareStatement("UPDATE conversation SET leaf = ?, updated_at = ? WHERE id = ?")) {
                statement.setInt(1, number);
                statement.setLong(2, now);
                statement.setString(3, id);
                statement.executeUpdate();
            }
            return stored;
        });
    }

    /// Adds messages that have their numbers, which go on from the newest one's, and their parents.
    ///
    /// @throws RefusedException when there is no such conversation, or no room, or the numbers are others
    public void extend(String owner, String id, List<Message> messages, long now) {
        database.write(connection -> {
            lock(connection, owner, id, messages);
            int number = newest(connection, id) - messages.size();
            for (Message message : messages) {
                number++;
                if (message.number() != number) {
                    throw new RefusedException(
                            false, "The next message must have number " + number + ", not " + message.number() + ".");
                }
                MessageRows.insert(connection, id, message.stored(number, message.parent(), now));
            }
            return null;
        });
    }

    /// Number of the newest message, those that were just counted among them.
    private static int newest(Connection connection, String id) throws SQLException {
        try (PreparedStatement statement =
                connection.prepareStatement("SELECT messages, characters FROM conversation WHERE id = ?")) {
            statement.setString(1, id);
            try (ResultSet rows = statement.executeQuery()) {
                rows.next();
                if (rows.getInt(1) > MOST_MESSAGES || rows.getLong(2) > MOST_CHARACTERS) {
                    throw new RefusedException(
                            false,
                            "A conversation may have " + MOST_MESSAGES + " messages and " + MOST_CHARACTERS
                                    + " characters: begin another one.");
                }
                return rows.getInt(1);
            }
        }
    }

    /// Writes an answer as far as it came. One whose conversation was deleted meanwhile is not missed.
    public void write(String id, Message message) {
        database.write(connection -> {
            MessageRows.write(connection, id, message);
            if (message.state() != Message.State.RUNNING) {
                count(connection, id, message.content().length());
            }
            return null;
        });
    }

    private static Message required(Connection connection, String id, int number) throws SQLException {
        return MessageRows.find(connection, id, number)
                .orElseThrow(() -> new RefusedException(true, "The conversation has no message " + number + "."));
    }

    private static void count(Connection connection, String id, int characters) throws SQLException {
        try (PreparedStatement statement =
                connection.prepareStatement("UPDATE conversation SET characters = characters + ? WHERE id = ?")) {
            statement.setInt(1, characters);
            statement.setString(2, id);
            statement.executeUpdate();
        }
    }

    /// Says how good a message is.
    ///
    /// @param rating 1 for good, -1 for bad, 0 to take back what was said
    /// @throws RefusedException when there is no such message
    public Message rate(String owner, String id, int number, int rating, String note) {
        return database.write(connection -> {
            find(connection, owner, id);
            MessageRows.rate(connection, id, number, rating, note);
            return required(connection, id, number);
        });
    }

    /// Keeps which of two answers somebody found better, or that neither is; what was said of the two
    /// before is forgotten.
    ///
    /// @throws RefusedException when they are not two answers to one message
    public void prefer(String owner, String id, Preferences.Choice choice, long now) {
        database.write(connection -> {
            lock(connection, owner, id, List.of());
            Message chosen = required(connection, id, choice.chosen());
            Message rejected = required(connection, id, choice.rejected());
            if (chosen.number() == rejected.number()
                    || chosen.parent() != rejected.parent()
                    || chosen.role() != Message.Role.ASSISTANT
                    || rejected.role() != Message.Role.ASSISTANT) {
                throw new RefusedException(
                        false,
                        "Messages " + choice.chosen() + " and " + choice.rejected()
                                + " are not two answers to one message.");
            }
            try (PreparedStatement statement = connection.prepareStatement(
                    "DELETE FROM preference WHERE conversation = ? AND chosen IN (?, ?) AND rejected IN (?, ?)")) {
                statement.setString(1, id);
                statement.setInt(2, choice.chosen());
                statement.setInt(3, choice.rejected());
                statement.setInt(4, choice.chosen());
                statement.setInt(5, choice.rejected());
                statement.executeUpdate();
            }
            try (PreparedStatement statement = connection.prepareStatement(
                    "INSERT INTO preference (conversation, chosen, rejected, note, tie, created_at) VALUES (?, ?, ?, ?, ?, ?)")) {
                statement.setString(1, id);
                statement.setInt(2, choice.chosen());
                statement.setInt(3, choice.rejected());
                statement.setString(4, Storable.text(choice.note()));
                statement.setInt(5, choice.tie() ? 1 : 0);
                statement.setLong(6, now);
                return statement.executeUpdate();
            }
        });
    }

    /// What was said of the answers in a conversation, the oldest first.
    List<Preferences.Choice> choices(String id) {
        return database.read(connection -> {
            try (PreparedStatement statement = connection.prepareStatement(
                    "SELECT chosen, rejected, note, tie FROM preference WHERE conversation = ? "
                            + "ORDER BY created_at, chosen, rejected")) {
                statement.setString(1, id);
                try (ResultSet rows = statement.executeQuery()) {
                    List<Preferences.Choice> found = new ArrayList<>();
                    while (rows.next()) {
                        found.add(new Preferences.Choice(
                                rows.getInt(1), rows.getInt(2), rows.getString(3), rows.getInt(4) == 1));
                    }
                    return found;
                }
            }
        });
    }

    /// A conversation and whose it is.
    public record Owned(String owner, StoredConversation conversation) {}

    /// The conversations of all owners in which answers were rated or compared, the oldest first.
    public List<Owned> judged() {
        return database.read(connection -> {
            try (PreparedStatement statement = connection.prepareStatement("SELECT " + COLUMNS + ", owner "
                            + "FROM conversation WHERE EXISTS (SELECT 1 FROM message WHERE conversation = id "
                            + "AND rating <> 0 AND role = 'assistant') OR EXISTS (SELECT 1 FROM preference "
                            + "WHERE conversation = id) ORDER BY created_at, id");
                    ResultSet rows = statement.executeQuery()) {
                List<Owned> found = new ArrayList<>();
                while (rows.next()) {
                    found.add(new Owned(rows.getString("owner"), conversation(rows)));
                }
                return found;
            }
        });
    }

    private static StoredConversation conversation(ResultSet row) throws SQLException {
        return new StoredConversation(
                row.getString("id"),
                row.getString("title"),
                row.getString("folder"),
                new Settings(
                        Settings.Mode.of(row.getString("mode")),
                        row.getString("model"),
                        row.getString("system_prompt"),
                        row.getDouble("temperature"),
                        row.getDouble("top_p"),
                        row.getInt("max_tokens")),
                row.getInt("leaf"),
                row.getLong("created_at"),
                row.getLong("updated_at"));
    }
}
