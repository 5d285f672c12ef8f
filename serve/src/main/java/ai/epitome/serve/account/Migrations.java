package ai.epitome.serve.account;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Locale;

/// The tables, as a list of SQL files: each is run once, in this order, and never changed once it is released.
///
/// A list and a table with the number of the last one, rather than a migration library: everything in one transaction,
/// under a lock, so that replicas that start together and processes that are killed leave nothing half done. What
/// cannot be said in both dialects stands in a file per dialect, `NAME.sqlite.sql` and `NAME.postgresql.sql`.
final class Migrations {
    /// To change the schema, add a file and name it here.
    private static final List<String> FILES = List.of(
            "001-keys",
            "002-usage",
            "003-append-only",
            "004-conversations",
            "005-responses",
            "006-files",
            "007-batches",
            "008-moderation",
            "009-ties-and-presets",
            "010-fine-tuning",
            "011-promotions",
            "012-training");
    /// Any number that other programs on the same server do not lock.
    private static final long POSTGRESQL_LOCK = 0x4550_4954_4F4D_45L; // "EPITOME"

    private Migrations() {}

    enum Dialect {
        SQLITE("BEGIN IMMEDIATE"),
        POSTGRESQL("BEGIN; SELECT pg_advisory_xact_lock(" + POSTGRESQL_LOCK + ")");

        private final String begin;

        Dialect(String begin) {
            this.begin = begin;
        }
    }

    static void apply(Connection connection, Dialect dialect) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(dialect.begin);
            try {
                advance(statement, dialect);
                statement.execute("COMMIT");
            } catch (SQLException | RuntimeException e) {
                statement.execute("ROLLBACK");
                throw e;
            }
        }
    }

    private static void advance(Statement statement, Dialect dialect) throws SQLException {
        statement.executeUpdate("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)");
        int version;
        try (ResultSet rows = statement.executeQuery("SELECT COALESCE(MAX(version), 0) FROM schema_version")) {
            rows.next();
            version = rows.getInt(1);
        }
        if (version > FILES.size()) {
            throw new DatabaseException("the database has tables of version " + version + ", and this program knows "
                    + FILES.size() + ": a newer Epitome made it; use that one");
        }
        for (int next = version + 1; next <= FILES.size(); next++) {
            statement.executeUpdate(read(FILES.get(next - 1), dialect)); // all statements of the file
            statement.executeUpdate("INSERT INTO schema_version (version) VALUES (" + next + ")");
        }
    }

    private static String read(String name, Dialect dialect) {
        String own = name + "." + dialect.name().toLowerCase(Locale.ROOT) + ".sql";
        try (InputStream common = Migrations.class.getResourceAsStream(name + ".sql");
                InputStream special = Migrations.class.getResourceAsStream(own)) {
            InputStream chosen = special != null ? special : common;
            if (chosen == null) {
                throw new IllegalStateException("the migration " + name + " is missing from this build");
            }
            return new String(chosen.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("the migration " + name + " could not be read", e);
        }
    }
}
