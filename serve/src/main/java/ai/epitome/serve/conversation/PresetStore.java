package ai.epitome.serve.conversation;

import ai.epitome.serve.account.Database;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.function.UnaryOperator;

/// Presets, in the database, each its owner's alone, as conversations are. Safe to use from any thread.
public final class PresetStore {
    /// Beyond so many, an owner keeps no more.
    public static final int MOST = 200;

    private static final String COLUMNS = "id, name, mode, system_prompt, temperature, top_p, max_tokens, created_at";
    private static final int ID_BYTES = 8;
    private static final SecureRandom RANDOM = new SecureRandom();

    private final Database database;

    public PresetStore(Database database) {
        this.database = database;
    }

    /// An owner's, the oldest first.
    public List<Preset> list(String owner) {
        return database.read(connection -> list(connection, owner));
    }

    private static List<Preset> list(Connection connection, String owner) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(
                "SELECT " + COLUMNS + " FROM preset WHERE owner = ? ORDER BY created_at, id")) {
            statement.setString(1, owner);
            try (ResultSet rows = statement.executeQuery()) {
                List<Preset> presets = new ArrayList<>();
                while (rows.next()) {
                    presets.add(preset(rows));
                }
                return presets;
            }
        }
    }

    /// Keeps a new one.
    ///
    /// @throws ConversationStore.RefusedException when its name is taken, or there are too many
    public Preset create(String owner, Preset wanted, long now) {
        byte[] random = new byte[ID_BYTES];
        RANDOM.nextBytes(random);
        Preset made = wanted.named("preset_" + HexFormat.of().formatHex(random), now);
        database.write(connection -> {
            List<Preset> others = list(connection, owner);
            if (others.size() >= MOST) {
                throw new ConversationStore.RefusedException(
                        false, "There are " + MOST + " presets already: delete some.");
            }
            requireFree(others, made);
            try (PreparedStatement statement = connection.prepareStatement(
                    "INSERT INTO preset (" + COLUMNS + ", owner) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")) {
                statement.setString(1, made.id());
                set(statement, 2, made);
                statement.setLong(8, made.created());
                statement.setString(9, owner);
                return statement.executeUpdate();
            }
        });
        return made;
    }

    /// Changes one.
    ///
    /// @throws ConversationStore.RefusedException when there is none of this id, or its new name is taken
    public Preset update(String owner, String id, UnaryOperator<Preset> change) {
        return database.write(connection -> {
            List<Preset> all = list(connection, owner);
            Preset old = all.stream()
                    .filter(preset -> preset.id().equals(id))
                    .findFirst()
                    .orElseThrow(() -> missing(id));
            Preset changed = change.apply(old);
            requireFree(all, changed);
            try (PreparedStatement statement = connection.prepareStatement("UPDATE preset SET name = ?, mode = ?, "
                    + "system_prompt = ?, temperature = ?, top_p = ?, max_tokens = ? WHERE id = ?")) {
                set(statement, 1, changed);
                statement.setString(7, id);
                statement.executeUpdate();
            }
            return changed;
        });
    }

    /// @throws ConversationStore.RefusedException when there is none of this id
    public void delete(String owner, String id) {
        database.write(connection -> {
            try (PreparedStatement statement =
                    connection.prepareStatement("DELETE FROM preset WHERE owner = ? AND id = ?")) {
                statement.setString(1, owner);
                statement.setString(2, id);
                if (statement.executeUpdate() == 0) {
                    throw missing(id);
                }
                return null;
            }
        });
    }

    private static ConversationStore.RefusedException missing(String id) {
        String shown = id.length() <= 64 ? id : id.substring(0, 64) + "\u2026";
        return new ConversationStore.RefusedException(true, "No preset with the id '" + shown + "' was found.");
    }

    private static void requireFree(List<Preset> others, Preset wanted) {
        boolean taken = others.stream()
                .anyMatch(other -> other.name().equals(Storable.text(wanted.name()))
                        && !other.id().equals(wanted.id()));
        if (taken) {
            throw new ConversationStore.RefusedException(
                    false, "There is a preset called '" + wanted.name() + "' already.");
        }
    }

    private static void set(PreparedStatement statement, int from, Preset preset) throws SQLException {
        Settings settings = preset.settings();
        statement.setString(from, Storable.text(preset.name()));
        statement.setString(from + 1, settings.mode().word());
        statement.setString(from + 2, Storable.text(settings.system()));
        statement.setDouble(from + 3, settings.temperature());
        statement.setDouble(from + 4, settings.topP());
        statement.setInt(from + 5, settings.maxTokens());
    }

    private static Preset preset(ResultSet row) throws SQLException {
        return new Preset(
                row.getString("id"),
                row.getString("name"),
                new Settings(
                        Settings.Mode.of(row.getString("mode")),
                        "",
                        row.getString("system_prompt"),
                        row.getDouble("temperature"),
                        row.getDouble("top_p"),
                        row.getInt("max_tokens")),
                row.getLong("created_at"));
    }
}
