package ai.epitome.serve.store;

import ai.epitome.serve.account.Database;
import java.util.List;
import java.util.Optional;

/// Batches and the results of their lines, in the database. A batch that is not over belongs to the process that holds
/// its lease; when that has run out, another one goes on with the lines that have no result.
public final class BatchStore {
    private static final String OPEN = "status IN ('validating', 'in_progress', 'finalizing', 'cancelling')";

    private final Database database;
    private final LeasedTable batches;

    public BatchStore(Database database) {
        this.database = database;
        this.batches = new LeasedTable(database, "batch", OPEN);
    }

    /// @param line of the input file, from 0
    /// @param good whether it belongs to the output file
    public record Result(int line, boolean good, String json) {}

    /// Keeps a new batch.
    public void add(LeasedWork batch) {
        database.write(connection -> batches.insert(connection, batch));
    }

    /// An owner's batch; to others it does not exist.
    public Optional<LeasedWork> find(String owner, String id) {
        return batches.find(owner, id);
    }

    /// The newest first.
    ///
    /// @param after id of the batch behind which to begin
    public List<LeasedWork> list(String owner, Optional<String> after, int most) {
        return batches.list(owner, after, most);
    }

    /// Takes a batch on which nobody works.
    ///
    /// @param now milliseconds since 1970
    /// @param until when the lease ends unless it is renewed
    public Optional<LeasedWork> claim(long now, long until) {
        return batches.waiting(now, 1).stream()
                .filter(free -> batches.claim(free, until))
                .findFirst();
    }

    /// Keeps the lease, or with 0 gives it back; the batch as it is now.
    public Optional<LeasedWork> renew(String id, long until) {
        return batches.renew(id, until);
    }

    /// Sets what a batch has come to, unless that is something else already.
    ///
    /// @param from the status that it had
    /// @param files that it has come to: they are kept with it, or not at all
    /// @return whether it had
    public boolean advance(String id, String from, String status, String body, FileStore.Content... files) {
        return batches.advance(id, from, status, body, connection -> {
            for (FileStore.Content file : files) {
                FileStore.insert(connection, file);
            }
        });
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
}
