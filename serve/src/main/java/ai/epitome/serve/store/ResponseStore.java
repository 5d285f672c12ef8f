package ai.epitome.serve.store;

import ai.epitome.serve.account.Database;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/// Responses, in the database. A response that is in progress belongs to one process, which renews its lease; one whose
/// lease has run out lost its process.
public final class ResponseStore {
    private static final String COLUMNS = "id, owner, created_at, status, previous_id, input, body, lease_until";
    private static final String OPEN = " AND status IN ('queued', 'in_progress')";
    private static final String CHAIN = """
            WITH RECURSIVE chain (id, previous_id, depth) AS (
                SELECT id, previous_id, 1 FROM response WHERE id = ? AND owner = ?
                UNION ALL
                SELECT r.id, r.previous_id, c.depth + 1 FROM response r JOIN chain c ON r.id = c.previous_id
                WHERE r.owner = ? AND c.depth < ?)
            SELECT r.id, r.owner, r.created_at, r.status, r.previous_id, r.input, r.body, r.lease_until
            FROM chain c JOIN response r ON r.id = c.id ORDER BY c.depth""";

    private final Database database;

    public ResponseStore(Database database) {
        this.database = database;
    }

    /// Keeps a new response.
    public void add(StoredResponse response) {
        database.write(connection -> Sql.update(
                connection,
                "INSERT INTO response (" + COLUMNS + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                response.id(),
                response.owner(),
                response.createdAt(),
                response.status(),
                response.previous().orElse(null),
                response.input(),
                response.body(),
                response.leaseUntil()));
    }

    /// Sets what a response has come to, unless it is over.
    ///
    /// @return whether it was not
    public boolean advance(String id, String status, String body) {
        return database.write(connection ->
                Sql.update(connection, "UPDATE response SET status = ?, body = ? WHERE id = ?" + OPEN, status, body, id)
                        == 1);
    }

    /// Answers for it until then.
    ///
    /// @return false when it is over, or gone
    public boolean renew(String id, long until) {
        return database.write(connection ->
                Sql.update(connection, "UPDATE response SET lease_until = ? WHERE id = ?" + OPEN, until, id) == 1);
    }

    /// An owner's response; to others it does not exist.
    public Optional<StoredResponse> find(String owner, String id) {
        return database.read(connection -> Sql.first(
                connection,
                "SELECT " + COLUMNS + " FROM response WHERE id = ? AND owner = ?",
                ResponseStore::response,
                id,
                owner));
    }

    /// @return whether there was one
    public boolean delete(String owner, String id) {
        return database.write(connection ->
                Sql.update(connection, "DELETE FROM response WHERE id = ? AND owner = ?", id, owner) == 1);
    }

    /// A response and those that it goes on from, the oldest first; where the first one has a previous one still, that
    /// was deleted, or there are more than `most`.
    public List<StoredResponse> chain(String owner, String id, int most) {
        List<StoredResponse> chain = database.read(
                connection -> Sql.rows(connection, CHAIN, ResponseStore::response, id, owner, owner, most));
        Collections.reverse(chain);
        return chain;
    }

    private static StoredResponse response(ResultSet row) throws SQLException {
        return new StoredResponse(
                row.getString("id"),
                row.getString("owner"),
                row.getLong("created_at"),
                row.getString("status"),
                Optional.ofNullable(row.getString("previous_id")),
                row.getString("input"),
                row.getString("body"),
                row.getLong("lease_until"));
    }
}
