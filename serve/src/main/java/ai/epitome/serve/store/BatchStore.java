package ai.epitome.serve.store;

import ai.epitome.serve.account.Database;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;

/// Batches and the results of their lines, in the database. A batch that is not over belongs to the process that holds
/// its lease; when that has run out, another one goes on with the lines that have no result.
public final class BatchStore {
    private static final String COLUMNS = "id, owner, created_at, status, body, lease_until";
    private static final String OPEN = "status IN ('validating', 'in_progress', 'finalizing', 'cancelling')";

    private final Database database;

    public BatchStore(Database database) {
        this.database = database;
    }

    /// @param body the batch's object, as JSON
    public record Batch(String id, String owner, long createdAt, String status, String body, long leaseUntil) {}

    /// @param line of the input file, from 0
    /// @param good whether it belongs to the output file
    public record Result(int line, boolean good, String json) {}

    public void add(Batch batch) {
        database.write(connection -> Sql.update(
                connection,
                "INSERT INTO batch (" + COLUMNS + ") VALUES (?, ?, ?, ?, ?, ?)",
                batch.id(),
                batch.owner(),
                batch.createdAt(),
                batch.status(),
                batch.body(),
                batch.leaseUntil()));
    }

    public Optional<Batch> find(String owner, String id) {
        return database.read(connection -> Sql.first(
                connection,
                "SELECT " + COLUMNS + " FROM batch WHERE id = ? AND owner = ?",
                BatchStore::batch,
                id,
                owner));
    }

    /// The newest first.
    ///
    /// @param after id of the batch behind which to begin
    public List<Batch> list(String owner, Optional<String> after, int most) {
        return database.read(connection -> Sql.rows(
                connection,
                "SELECT " + COLUMNS + " FROM batch b WHERE owner = ? AND (? = '' OR EXISTS (SELECT 1 FROM batch a WHERE"
                        + " a.id = ? AND a.owner = b.owner AND (b.created_at < a.created_at OR"
                        + " (b.created_at = a.created_at AND b.id < a.id)))) ORDER BY created_at DESC, id DESC LIMIT ?",
                BatchStore::batch,
                owner,
                after.orElse(""),
                after.orElse(""),
                most));
    }

    /// Takes a batch on which nobody works.
    ///
    /// @param now milliseconds since 1970
    /// @param until when the lease ends unless it is renewed
    public Optional<Batch> claim(long now, long until) {
        Optional<Batch> free = database.read(connection -> Sql.first(
                connection,
                "SELECT " + COLUMNS + " FROM batch WHERE " + OPEN + " AND lease_until < ? ORDER BY created_at LIMIT 1",
                BatchStore::batch,
                now));
        if (free.isEmpty()) {
            return free;
        }
        return database.write(connection -> {
            int taken = Sql.update(
                    connection,
                    "UPDATE batch SET lease_until = ? WHERE id = ? AND lease_until = ?",
                    until,
                    free.get().id(),
                    free.get().leaseUntil());
            return taken == 1 ? free : Optional.empty();
        });
    }

    /// Keeps the lease, or with 0 gives it back; the batch as it is now.
    public Optional<Batch> renew(String id, long until) {
        return database.write(connection -> {
            Sql.update(connection, "UPDATE batch SET lease_until = ? WHERE id = ? AND " + OPEN, until, id);
            return Sql.first(connection, "SELECT " + COLUMNS + " FROM batch WHERE id = ?", BatchStore::batch, id);
        });
    }

    /// Sets what a batch has come to, unless that is something else already.
    ///
    /// @param from the status that it had
    /// @return whether it had
    public boolean advance(String id, String from, String status, String body) {
        return database.write(connection -> Sql.update(
                        connection,
                        "UPDATE batch SET status = ?, body = ? WHERE id = ? AND status = ?",
                        status,
                        body,
                        id,
                        from)
                == 1);
    }

    /// Keeps the result of a line; a second one is not kept.
    public void addResult(String id, Result result) {
        database.write(connection -> Sql.update(
                connection,
                "INSERT INTO batch_result (batch_id, line, good, result) VALUES (?, ?, ?, ?)"
                        + " ON CONFLICT (batch_id, line) DO NOTHING",
                id,
                result.line(),
                result.good() ? 1 : 0,
                result.json()));
    }

    /// Results in the order of their lines.
    public List<Result> results(String id) {
        return database.read(connection -> Sql.rows(
                connection,
                "SELECT line, good, result FROM batch_result WHERE batch_id = ? ORDER BY line",
                row -> new Result(row.getInt(1), row.getInt(2) == 1, row.getString(3)),
                id));
    }

    private static Batch batch(ResultSet row) throws SQLException {
        return new Batch(
                row.getString("id"),
                row.getString("owner"),
                row.getLong("created_at"),
                row.getString("status"),
                row.getString("body"),
                row.getLong("lease_until"));
    }
}
