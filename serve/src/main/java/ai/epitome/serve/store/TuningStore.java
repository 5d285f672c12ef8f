package ai.epitome.serve.store;

import ai.epitome.serve.account.Database;
import ai.epitome.serve.account.UsageRow;
import ai.epitome.serve.account.UsageStore;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import java.util.function.LongFunction;

/// Fine-tuning jobs, what they tell, and the models that they make, in the database. A job that is not over belongs to
/// the process that holds its lease; when that has run out, another one goes on with it.
public final class TuningStore {
    /// The end of a lease that was given back: nobody works on the job, but what it was trained on may be owed.
    public static final long GIVEN_BACK = 1;

    private static final String OPEN = "status IN ('queued', 'validating_files', 'running')";
    private static final String MODEL = "id, owner, created_at, base, folder, job_id, step, checkpoint, metrics";

    private final Database database;
    private final LeasedTable jobs;

    public TuningStore(Database database) {
        this.database = database;
        this.jobs = new LeasedTable(database, "fine_tuning_job", OPEN);
    }

    /// @param number from 1 on in its job
    /// @param json the event's object
    public record Event(long number, String json) {}

    /// A model that a job has made.
    ///
    /// @param id the name that requests ask for
    /// @param base name of the served model that it was made of
    /// @param folder within the folder of fine-tuned models
    /// @param step of its job, when it was what it is
    /// @param checkpoint whether it is a state on the way
    /// @param metrics of a checkpoint, a JSON object
    public record Model(
            String id,
            String owner,
            long createdAt,
            String base,
            String folder,
            String jobId,
            long step,
            boolean checkpoint,
            String metrics) {}

    /// Adds a job, unless there are too many that are not over.
    ///
    /// @param mostOfOwner of one owner
    /// @param most of all of them
    /// @return whether it was added
    public boolean add(LeasedWork job, int mostOfOwner, int most) {
        return database.write(connection -> {
            List<String> owners =
                    Sql.rows(connection, "SELECT owner FROM fine_tuning_job WHERE " + OPEN, row -> row.getString(1));
            if (owners.size() >= most
                    || owners.stream().filter(job.owner()::equals).count() >= mostOfOwner) {
                return false;
            }
            jobs.insert(connection, job);
            return true;
        });
    }

    /// An owner's job; to others it does not exist.
    public Optional<LeasedWork> find(String owner, String id) {
        return jobs.find(owner, id);
    }

    /// The newest first.
    ///
    /// @param after id of the job behind which to begin
    public List<LeasedWork> list(String owner, Optional<String> after, int most) {
        return jobs.list(owner, after, most);
    }

    /// Jobs on which nobody works, the oldest first.
    ///
    /// @param now milliseconds since 1970
    public List<LeasedWork> waiting(long now) {
        return jobs.waiting(now, Integer.MAX_VALUE);
    }

    /// Jobs that ended early, and on which nobody works who would [#settle] them: what they were trained on may be
    /// owed.
    ///
    /// @param now milliseconds since 1970
    public List<LeasedWork> unsettled(long now) {
        return jobs.leftOver("status IN ('failed', 'cancelled')", now);
    }

    /// Takes a job for this process.
    ///
    /// @param until when the lease ends unless it is renewed
    /// @return whether nobody else had taken it
    public boolean claim(LeasedWork job, long until) {
        return jobs.claim(job, until);
    }

    /// Keeps the lease, or with 0 gives it back; the job as it is now.
    public Optional<LeasedWork> renew(String id, long until) {
        return jobs.renew(id, until);
    }

    /// Sets what a job has come to, unless anything about it is not as it was seen.
    ///
    /// @return whether it was
    public boolean change(LeasedWork seen, String status, String body) {
        return jobs.change(seen, status, body);
    }

    /// What is kept with a job's state, or not at all.
    ///
    /// @param usage its row, if the job is over
    public record Outcome(Optional<Model> model, Optional<FileStore.Content> file, Optional<UsageRow> usage) {
        public static final Outcome NONE = new Outcome(Optional.empty(), Optional.empty(), Optional.empty());
    }

    /// Sets what a job has come to, unless that is something else already.
    ///
    /// @param from the status that it had
    /// @return whether it had
    public boolean advance(String id, String from, String status, String body, Outcome outcome) {
        return jobs.advance(id, from, status, body, connection -> {
            if (outcome.model.isPresent()) {
                insert(connection, outcome.model.get());
            }
            if (outcome.file.isPresent()) {
                FileStore.insert(connection, outcome.file.get());
            }
            UsageStore.add(connection, outcome.usage.stream().toList());
        });
    }

    /// Writes the usage row of a job that ended early, where it has none, and gives its lease up for good.
    ///
    /// @param usage empty where it was trained on nothing
    public void settle(String id, Optional<UsageRow> usage) {
        database.write(connection -> {
            UsageStore.add(connection, usage.stream().toList());
            return Sql.update(connection, "UPDATE fine_tuning_job SET lease_until = 0 WHERE id = ?", id);
        });
    }

    /// Adds an event to those of a job.
    ///
    /// @param json the event's object, of its number
    public void addEvent(String jobId, LongFunction<String> json) {
        database.write(connection -> {
            long number = Sql.first(
                            connection,
                            "SELECT COALESCE(MAX(number), 0) + 1 FROM fine_tuning_event WHERE job_id = ?",
                            row -> row.getLong(1),
                            jobId)
                    .orElseThrow();
            return Sql.update(
                    connection,
                    "INSERT INTO fine_tuning_event (job_id, number, event) VALUES (?, ?, ?)",
                    jobId,
                    number,
                    json.apply(number));
        });
    }

    /// The newest first.
    ///
    /// @param before only those with lower numbers
    public List<Event> events(String jobId, long before, int most) {
        return database.read(connection -> Sql.rows(
                connection,
                "SELECT number, event FROM fine_tuning_event WHERE job_id = ? AND number < ? ORDER BY number DESC"
                        + " LIMIT ?",
                row -> new Event(row.getLong(1), row.getString(2)),
                jobId,
                before,
                most));
    }

    /// Adds a model; a second one of its name is not added.
    public void addModel(Model model) {
        database.write(connection -> insert(connection, model));
    }

    private static int insert(Connection connection, Model model) throws SQLException {
        return Sql.update(
                connection,
                "INSERT INTO tuned_model (" + MODEL
                        + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
                model.id,
                model.owner,
                model.createdAt,
                model.base,
                model.folder,
                model.jobId,
                model.step,
                model.checkpoint ? 1 : 0,
                model.metrics);
    }

    /// An owner's model, or a checkpoint.
    public Optional<Model> model(String owner, String id) {
        return database.read(connection -> Sql.first(
                connection,
                "SELECT " + MODEL + " FROM tuned_model WHERE id = ? AND owner = ?",
                TuningStore::model,
                id,
                owner));
    }

    /// What an owner's jobs have come to, the oldest first.
    public List<Model> models(String owner) {
        return database.read(connection -> Sql.rows(
                connection,
                "SELECT " + MODEL + " FROM tuned_model WHERE owner = ? AND checkpoint = 0 ORDER BY created_at, id",
                TuningStore::model,
                owner));
    }

    /// The states of a job on the way, the newest first.
    public List<Model> checkpoints(String jobId) {
        return database.read(connection -> Sql.rows(
                connection,
                "SELECT " + MODEL + " FROM tuned_model WHERE job_id = ? AND checkpoint = 1 ORDER BY step DESC",
                TuningStore::model,
                jobId));
    }

    /// Forgets a model. Its files are someone else's matter.
    public void deleteModel(String id) {
        database.write(connection -> Sql.update(connection, "DELETE FROM tuned_model WHERE id = ?", id));
    }

    private static Model model(ResultSet row) throws SQLException {
        return new Model(
                row.getString("id"),
                row.getString("owner"),
                row.getLong("created_at"),
                row.getString("base"),
                row.getString("folder"),
                row.getString("job_id"),
                row.getLong("step"),
                row.getInt("checkpoint") == 1,
                row.getString("metrics"));
    }
}
