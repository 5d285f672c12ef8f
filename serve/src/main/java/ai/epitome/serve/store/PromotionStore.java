package ai.epitome.serve.store;

import ai.epitome.serve.account.Database;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// Which adapter answers for a served model, in the database: promotions, each on top of those before it.
public final class PromotionStore {
    private static final String COLUMNS = "number, model, adapter, created_at, reason";
    private static final String STANDING = "SELECT " + COLUMNS
            + " FROM promotion WHERE model = ? AND taken_back_at IS NULL ORDER BY number DESC LIMIT 1";

    private final Database database;

    public PromotionStore(Database database) {
        this.database = database;
    }

    /// An adapter that answers for a model.
    ///
    /// @param model name of the served model
    /// @param adapter its folder
    /// @param reason in words
    public record Promotion(long number, String model, Path adapter, Instant created, String reason) {}

    /// The one that counts; empty where the model answers as it is.
    public Optional<Promotion> current(String model) {
        return database.read(connection -> Sql.first(connection, STANDING, PromotionStore::promotion, model));
    }

    /// All of a model that have not been taken back, the newest first.
    public List<Promotion> standing(String model) {
        return database.read(connection -> Sql.rows(
                connection,
                "SELECT " + COLUMNS + " FROM promotion WHERE model = ? AND taken_back_at IS NULL ORDER BY number DESC",
                PromotionStore::promotion,
                model));
    }

    /// Lets an adapter answer for a model from now on, unless another one has come meanwhile.
    ///
    /// @param before what counted when the adapter was found better
    /// @return whether it still did
    public boolean promote(String model, Optional<Path> before, Path adapter, String reason, Instant now) {
        return database.write(connection -> {
            Optional<Path> counting = Sql.first(connection, STANDING, PromotionStore::promotion, model)
                    .map(Promotion::adapter);
            if (!counting.equals(before)) {
                return false;
            }
            Sql.update(
                    connection,
                    "INSERT INTO promotion (" + COLUMNS + ") VALUES (?, ?, ?, ?, ?)",
                    next(connection),
                    model,
                    adapter.toString(),
                    now.toEpochMilli(),
                    reason);
            return true;
        });
    }

    private static long next(Connection connection) throws SQLException {
        return Sql.first(connection, "SELECT COALESCE(MAX(number), 0) + 1 FROM promotion", row -> row.getLong(1))
                .orElseThrow();
    }

    /// Takes the one that counts back, so that the one before it counts again; the one that was taken back.
    public Optional<Promotion> takeBack(String model, Instant now) {
        return database.write(connection -> {
            Optional<Promotion> last = Sql.first(connection, STANDING, PromotionStore::promotion, model);
            if (last.isPresent()) {
                Sql.update(
                        connection,
                        "UPDATE promotion SET taken_back_at = ? WHERE number = ?",
                        now.toEpochMilli(),
                        last.get().number());
            }
            return last;
        });
    }

    private static Promotion promotion(ResultSet row) throws SQLException {
        return new Promotion(
                row.getLong("number"),
                row.getString("model"),
                Path.of(row.getString("adapter")),
                Instant.ofEpochMilli(row.getLong("created_at")),
                row.getString("reason"));
    }
}
