package ai.epitome.serve.store;

import ai.epitome.serve.account.Database;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;

/// Conversations as lists of items, in the database.
public final class ItemStore {
    private static final String OWNED =
            "conversation_id = (SELECT id FROM api_conversation WHERE id = ? AND owner = ?)";

    private final Database database;

    public ItemStore(Database database) {
        this.database = database;
    }

    /// @param createdAt seconds since 1970
    /// @param metadata a JSON object
    public record Conversation(String id, long createdAt, String metadata) {}

    /// @param json the item's object
    public record Item(String id, String json) {}

    /// Keeps a new conversation with its first items, or neither.
    public void create(String owner, Conversation conversation, List<Item> items) {
        database.write(connection -> {
            Sql.update(
                    connection,
                    "INSERT INTO api_conversation (id, owner, created_at, metadata, items) VALUES (?, ?, ?, ?, 0)",
                    conversation.id(),
                    owner,
                    conversation.createdAt(),
                    conversation.metadata());
            return append(connection, owner, conversation.id(), items);
        });
    }

    /// An owner's conversation; to others it does not exist.
    public Optional<Conversation> find(String owner, String id) {
        return database.read(connection -> Sql.first(
                connection,
                "SELECT id, created_at, metadata FROM api_conversation WHERE id = ? AND owner = ?",
                row -> new Conversation(row.getString(1), row.getLong(2), row.getString(3)),
                id,
                owner));
    }

    /// @return whether there is such a conversation
    public boolean setMetadata(String owner, String id, String metadata) {
        return database.write(connection -> Sql.update(
                        connection,
                        "UPDATE api_conversation SET metadata = ? WHERE id = ? AND owner = ?",
                        metadata,
                        id,
                        owner)
                == 1);
    }

    /// @return whether there was one
    public boolean delete(String owner, String id) {
        return database.write(connection ->
                Sql.update(connection, "DELETE FROM api_conversation WHERE id = ? AND owner = ?", id, owner) == 1);
    }

    /// Adds items at the end.
    ///
    /// @return whether there is such a conversation
    public boolean append(String owner, String id, List<Item> items) {
        return database.write(connection -> append(connection, owner, id, items));
    }

    private static boolean append(Connection connection, String owner, String id, List<Item> items)
            throws SQLException {
        // The row is locked by this, so that those who write at the same time get other places.
        int found = Sql.update(
                connection,
                "UPDATE api_conversation SET items = items + ? WHERE id = ? AND owner = ?",
                items.size(),
                id,
                owner);
        if (found == 0) {
            return false;
        }
        long place = Sql.first(connection, "SELECT items FROM api_conversation WHERE id = ?", row -> row.getLong(1), id)
                        .orElseThrow()
                - items.size();
        for (Item item : items) {
            Sql.update(
                    connection,
                    "INSERT INTO api_conversation_item (conversation_id, position, id, item) VALUES (?, ?, ?, ?)",
                    id,
                    place++,
                    item.id(),
                    item.json());
        }
        return true;
    }

    /// Items in their order.
    ///
    /// @param newestFirst the other way round
    /// @param after id of the item behind which to begin; one that is not there begins at the beginning
    public List<Item> items(String owner, String id, boolean newestFirst, Optional<String> after, int most) {
        String beyond = after.isEmpty()
                ? ""
                : " AND position " + (newestFirst ? "<" : ">") + " COALESCE((SELECT position FROM api_conversation_item"
                        + " WHERE conversation_id = ? AND id = ?), " + (newestFirst ? Long.MAX_VALUE : -1) + ")";
        String sql = "SELECT id, item FROM api_conversation_item WHERE " + OWNED + beyond + " ORDER BY position "
                + (newestFirst ? "DESC" : "ASC") + " LIMIT ?";
        Object[] parameters =
                after.isEmpty() ? new Object[] {id, owner, most} : new Object[] {id, owner, id, after.get(), most};
        return database.read(connection ->
                Sql.rows(connection, sql, row -> new Item(row.getString(1), row.getString(2)), parameters));
    }

    /// One item of an owner's conversation.
    public Optional<Item> item(String owner, String id, String item) {
        return database.read(connection -> Sql.first(
                connection,
                "SELECT id, item FROM api_conversation_item WHERE " + OWNED + " AND id = ?",
                row -> new Item(row.getString(1), row.getString(2)),
                id,
                owner,
                item));
    }

    /// @return whether there was one
    public boolean deleteItem(String owner, String id, String item) {
        return database.write(connection -> Sql.update(
                        connection, "DELETE FROM api_conversation_item WHERE " + OWNED + " AND id = ?", id, owner, item)
                == 1);
    }
}
