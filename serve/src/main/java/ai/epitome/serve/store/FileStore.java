package ai.epitome.serve.store;

import ai.epitome.serve.account.Database;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;

/// Files, in the database.
public final class FileStore {
    private static final String COLUMNS = "id, owner, created_at, filename, purpose, bytes";

    private final Database database;

    public FileStore(Database database) {
        this.database = database;
    }

    /// A file and what is in it.
    public record Content(StoredFile file, byte[] bytes) {}

    /// Keeps a file, unless its owner has too many.
    ///
    /// @param most bytes that one owner's files may have together
    /// @return whether it was kept
    public boolean add(StoredFile file, byte[] content, long most) {
        return database.write(connection -> {
            if (held(connection, file.owner()) + content.length > most) {
                return false;
            }
            insert(connection, new Content(file, content));
            return true;
        });
    }

    /// Within a transaction of somebody else's, whatever the owner has.
    static void insert(Connection connection, Content made) throws SQLException {
        StoredFile file = made.file();
        Sql.update(
                connection,
                "INSERT INTO stored_file (" + COLUMNS + ", content) VALUES (?, ?, ?, ?, ?, ?, ?)",
                file.id(),
                file.owner(),
                file.createdAt(),
                file.filename(),
                file.purpose(),
                file.bytes(),
                made.bytes());
    }

    private static long held(Connection connection, String owner) throws SQLException {
        return Sql.first(
                        connection,
                        "SELECT COALESCE(SUM(bytes), 0) FROM stored_file WHERE owner = ?",
                        row -> row.getLong(1),
                        owner)
                .orElse(0L);
    }

    /// An owner's file; to others it does not exist.
    public Optional<StoredFile> find(String owner, String id) {
        return database.read(connection -> Sql.first(
                connection,
                "SELECT " + COLUMNS + " FROM stored_file WHERE id = ? AND owner = ?",
                FileStore::file,
                id,
                owner));
    }

    /// What is in an owner's file, all of it in memory.
    public Optional<byte[]> content(String owner, String id) {
        return database.read(connection -> Sql.first(
                connection,
                "SELECT content FROM stored_file WHERE id = ? AND owner = ?",
                row -> row.getBytes(1),
                id,
                owner));
    }

    /// @return whether there was one
    public boolean delete(String owner, String id) {
        return database.write(connection ->
                Sql.update(connection, "DELETE FROM stored_file WHERE id = ? AND owner = ?", id, owner) == 1);
    }

    /// @param purpose that the files have; empty for any
    /// @param newestFirst the other way round
    /// @param after id of the file behind which to begin
    public List<StoredFile> list(
            String owner, Optional<String> purpose, boolean newestFirst, Optional<String> after, int most) {
        String sign = newestFirst ? "<" : ">";
        String order = newestFirst ? "DESC" : "ASC";
        return database.read(connection -> Sql.rows(
                connection,
                "SELECT " + COLUMNS + " FROM stored_file f WHERE owner = ? AND (? = '' OR purpose = ?) AND (? = '' OR"
                        + " EXISTS (SELECT 1 FROM stored_file a WHERE a.id = ? AND a.owner = f.owner AND (f.created_at "
                        + sign + " a.created_at OR (f.created_at = a.created_at AND f.id " + sign + " a.id))))"
                        + " ORDER BY created_at " + order + ", id " + order + " LIMIT ?",
                FileStore::file,
                owner,
                purpose.orElse(""),
                purpose.orElse(""),
                after.orElse(""),
                after.orElse(""),
                most));
    }

    private static StoredFile file(ResultSet row) throws SQLException {
        return new StoredFile(
                row.getString("id"),
                row.getString("owner"),
                row.getLong("created_at"),
                row.getString("filename"),
                row.getString("purpose"),
                row.getLong("bytes"));
    }
}
