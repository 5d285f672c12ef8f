package ai.epitome.serve.account;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Properties;
import org.sqlite.SQLiteConfig;

/// Where accounts are kept: a SQLite file, or a PostgreSQL server.
///
/// **SQLite**: a write-ahead log with `synchronous=FULL`, so that a committed transaction survives `kill -9` and the
/// loss of power. One connection writes, for SQLite knows one writer at a time, and waiting for a lock here is shorter
/// than being told "busy" there; four read, which no writer stops.
///
/// **PostgreSQL**: eight connections for everything; `synchronous_commit` is left as the server has it (on, unless
/// somebody turned it off).
public final class Database implements AutoCloseable {
    private static final String SQLITE = "jdbc:sqlite:";
    private static final String POSTGRESQL = "jdbc:postgresql:";
    private static final int SQLITE_READERS = 4;
    private static final int SERVER_CONNECTIONS = 8;
    private static final int BUSY_MILLIS = 10_000;

    private final String description;
    private final ConnectionPool readers;
    private final ConnectionPool writers;

    private Database(String description, ConnectionPool readers, ConnectionPool writers) {
        this.description = description;
        this.readers = readers;
        this.writers = writers;
    }

    /// Opens the database and brings its tables up to date.
    ///
    /// @param url `jdbc:sqlite:FILE`, or `jdbc:postgresql://HOST/NAME?user=...&password=...`; what does not begin
    /// with `jdbc:` is a SQLite file
    /// @throws DatabaseException when it cannot be opened
    public static Database open(String url) {
        if (url.startsWith(POSTGRESQL)) {
            return postgresql(url);
        }
        if (url.startsWith("jdbc:") && !url.startsWith(SQLITE)) {
            throw new IllegalArgumentException("the database must be jdbc:sqlite:FILE or jdbc:postgresql:..., not "
                    + url.substring(0, url.indexOf(':', "jdbc:".length()) + 1) + "...");
        }
        return sqlite(Path.of(url.startsWith(SQLITE) ? url.substring(SQLITE.length()) : url));
    }

    /// A database that ends with the process.
    public static Database inMemory() {
        ConnectionPool one = new ConnectionPool(1, () -> sqliteConnection(":memory:", false));
        return new Database("memory", one, one).migrated(Migrations.Dialect.SQLITE);
    }

    private static Database sqlite(Path file) {
        try {
            // Hashes of keys are no secrets worth much, but who used what is nobody else's business.
            Path folder = file.toAbsolutePath().getParent();
            Files.createDirectories(folder);
            if (Files.notExists(file)
                    && file.getFileSystem().supportedFileAttributeViews().contains("posix")) {
                createFile(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        ConnectionPool.Opener reader = () -> sqliteConnection(file.toString(), true);
        ConnectionPool.Opener writer = () -> sqliteConnection(file.toString(), false);
        return new Database("SQLite " + file, new ConnectionPool(SQLITE_READERS, reader), new ConnectionPool(1, writer))
                .migrated(Migrations.Dialect.SQLITE);
    }

    private static void createFile(Path file) throws IOException {
        try {
            Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        } catch (FileAlreadyExistsException e) {
            // Another process has been quicker, and gave it the same permissions.
        }
    }

    private static Connection sqliteConnection(String file, boolean reader) throws SQLException {
        SQLiteConfig config = new SQLiteConfig();
        config.setJournalMode(SQLiteConfig.JournalMode.WAL);
        config.setSynchronous(SQLiteConfig.SynchronousMode.FULL);
        config.setTransactionMode(SQLiteConfig.TransactionMode.IMMEDIATE);
        config.enforceForeignKeys(true);
        config.setBusyTimeout(BUSY_MILLIS);
        Connection connection = config.createConnection(SQLITE + file);
        if (reader) {
            try (var statement = connection.createStatement()) {
                statement.execute("PRAGMA query_only = ON");
            }
        }
        return connection;
    }

    private static Database postgresql(String url) {
        Properties properties = new Properties();
        properties.setProperty("ApplicationName", "epitome");
        properties.setProperty("connectTimeout", "5");
        properties.setProperty("socketTimeout", "30");
        properties.setProperty("tcpKeepAlive", "true");
        ConnectionPool pool =
                new ConnectionPool(SERVER_CONNECTIONS, () -> DriverManager.getConnection(url, properties));
        // What stands behind the question mark may be a password.
        return new Database("PostgreSQL " + url.substring(POSTGRESQL.length()).replaceAll("[?].*", ""), pool, pool)
                .migrated(Migrations.Dialect.POSTGRESQL);
    }

    private Database migrated(Migrations.Dialect dialect) {
        try {
            writers.lend(connection -> {
                Migrations.apply(connection, dialect);
                return null;
            });
            return this;
        } catch (SQLException e) {
            close();
            throw new DatabaseException("cannot open the database (" + description + ")", e);
        }
    }

    /// Reads, in one statement.
    public <T> T read(SqlWork<T> work) {
        return lend(readers, work);
    }

    /// Reads and writes in one transaction, which is durable when this returns and has not happened when it throws.
    public <T> T write(SqlWork<T> work) {
        return lend(writers, connection -> {
            connection.setAutoCommit(false);
            try {
                T result = work.with(connection);
                connection.commit();
                return result;
            } catch (SQLException | RuntimeException | Error e) {
                connection.rollback();
                throw e;
            } finally {
                connection.setAutoCommit(true);
            }
        });
    }

    private <T> T lend(ConnectionPool pool, SqlWork<T> work) {
        try {
            return pool.lend(work);
        } catch (SQLException e) {
            throw new DatabaseException("the database failed (" + description + ")", e);
        }
    }

    /// Kind and place, without user and password.
    public String description() {
        return description;
    }

    @Override
    public void close() {
        try {
            readers.close();
            writers.close();
        } catch (SQLException e) {
            throw new DatabaseException("the database did not close (" + description + ")", e);
        }
    }
}
