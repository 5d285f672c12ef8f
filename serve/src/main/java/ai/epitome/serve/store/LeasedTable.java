package ai.epitome.serve.store;

import ai.epitome.serve.account.Database;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;

/// A table of [LeasedWork]: what is the same for all its kinds.
final class LeasedTable {
    private static final String COLUMNS = "id, owner, created_at, status, body, lease_until";

    private final Database database;
    private final String table;
    private final String open;
    private final String select;

    /// @param open condition that holds of work that is not over
    LeasedTable(Database database, String table, String open) {
        this.database = database;
        this.table = table;
        this.open = open;
        this.select = "SELECT " + COLUMNS + " FROM " + table;
    }

    int insert(Connection connection, LeasedWork work) throws SQLException {
        return Sql.update(
                connection,
                "INSERT INTO " + table + " (" + COLUMNS + ") VALUES (?, ?, ?, ?, ?, ?)",
                work.id(),
                work.owner(),
                work.createdAt(),
                work.status(),
                work.body(),
                work.leaseUntil());
    }

    Optional<LeasedWork> find(String owner, String id) {
        return database.read(connection ->
                Sql.first(connection, select + " WHERE id = ? AND owner = ?", LeasedTable::work, id, owner));
    }

    /// The newest first.
    ///
    /// @param after id of the work behind which to begin
    List<LeasedWork> list(String owner, Optional<String> after, int most) {
        return database.read(connection -> Sql.rows(
                connection,
                select + " b WHERE owner = ? AND (? = '' OR EXISTS (SELECT 1 FROM " + table + " a WHERE"
                        + " a.id = ? AND a.owner = b.owner AND (b.created_at < a.created_at OR"
                        + " (b.created_at = a.created_at AND b.id < a.id)))) ORDER BY created_at DESC, id DESC LIMIT ?",
                LeasedTable::work,
                owner,
                after.orElse(""),
                after.orElse(""),
                most));
    }

    /// Work on which nobody works, the oldest first.
    ///
    /// @param now milliseconds since 1970
    List<LeasedWork> waiting(long now, int most) {
        return database.read(connection -> Sql.rows(
                connection,
                select + " WHERE " + open + " AND lease_until < ? ORDER BY created_at, id LIMIT ?",
                LeasedTable::work,
                now,
                most));
    }

    /// Work whose lease has run out, and was not given up.
    ///
    /// @param condition which it meets
    /// @param now milliseconds since 1970
    List<LeasedWork> leftOver(String condition, long now) {
        return database.read(connection -> Sql.rows(
                connection,
                select + " WHERE " + condition + " AND lease_until > 0 AND lease_until < ?",
                LeasedTable::work,
                now));
    }

    /// What is written with a state, in its transaction.
    @FunctionalInterface
    interface Addition {
        void write(Connection connection) throws SQLException;
    }

    /// Takes work for this process.
    ///
    /// @param until when the lease ends unless it is renewed
    /// @return whether nobody else had taken it
    boolean claim(LeasedWork work, long until) {
        return database.write(connection -> Sql.update(
                        connection,
                        "UPDATE " + table + " SET lease_until = ? WHERE id = ? AND lease_until = ? AND " + open,
                        until,
                        work.id(),
                        work.leaseUntil())
                == 1);
    }

    /// Keeps the lease, or with 0 gives it back; the work as it is now.
    Optional<LeasedWork> renew(String id, long until) {
        return database.write(connection -> {
            Sql.update(connection, "UPDATE " + table + " SET lease_until = ? WHERE id = ?", until, id);
            return Sql.first(connection, select + " WHERE id = ?", LeasedTable::work, id);
        });
    }

    /// Sets what work has come to, unless that is something else already.
    ///
    /// @param from the status that it had
    /// @param addition what it has come to: kept in the same transaction, so that it is not there without its work
    /// @return whether it had
    boolean advance(String id, String from, String status, String body, Addition addition) {
        return database.write(connection -> {
            boolean had = Sql.update(
                            connection,
                            "UPDATE " + table + " SET status = ?, body = ? WHERE id = ? AND status = ?",
                            status,
                            body,
                            id,
                            from)
                    == 1;
            if (had) {
                addition.write(connection);
            }
            return had;
        });
    }

    /// Sets what work has come to, unless anything about it is not as it was seen.
    ///
    /// @return whether it was
    boolean change(LeasedWork seen, String status, String body) {
        return database.write(connection -> Sql.update(
                        connection,
                        "UPDATE " + table + " SET status = ?, body = ? WHERE id = ? AND status = ? AND body = ?",
                        status,
                        body,
                        seen.id(),
                        seen.status(),
                        seen.body())
                == 1);
    }

    private static LeasedWork work(ResultSet row) throws SQLException {
        return new LeasedWork(
                row.getString("id"),
                row.getString("owner"),
                row.getLong("created_at"),
                row.getString("status"),
                row.getString("body"),
                row.getLong("lease_until"));
    }
}
