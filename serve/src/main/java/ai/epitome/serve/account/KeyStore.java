package ai.epitome.serve.account;

import ai.epitome.serve.moderation.ModerationPolicy;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.UnaryOperator;

/// The keys, in the database. Nothing is remembered between calls, so a key that is revoked, by whatever process, is
/// refused from the next request on.
public final class KeyStore {
    private static final String COLUMNS = "id, name, hint, scopes, requests_per_minute, tokens_per_minute, "
            + "budget_micros, created_at, expires_at, revoked_at, moderation";
    private static final int ID_BYTES = 6;
    private static final int LOOKUP_CHARACTERS = 16;
    private static final int MOST_NAME_CHARACTERS = 100;
    private static final SecureRandom RANDOM = new SecureRandom();

    private final Database database;

    public KeyStore(Database database) {
        this.database = database;
    }

    /// A key that was just made, and the only time that its secret is known.
    public record Created(ApiKey key, String secret) {}

    /// Makes a key.
    ///
    /// @param name what people call it; no other active key may have it
    /// @throws IllegalArgumentException when the name is taken or unfit
    public Created create(String name, Set<Scope> scopes, KeyLimits limits, Instant now, Optional<Instant> expires) {
        return create(name, scopes, limits, Optional.empty(), now, expires);
    }

    /// Makes a key.
    ///
    /// @param moderation what is done about its texts; empty for what is done where nothing is said
    /// @throws IllegalArgumentException when the name is taken or unfit
    public Created create(
            String name,
            Set<Scope> scopes,
            KeyLimits limits,
            Optional<ModerationPolicy> moderation,
            Instant now,
            Optional<Instant> expires) {
        checkName(name);
        if (scopes.isEmpty()) {
            throw new IllegalArgumentException("a key without a scope would be good for nothing");
        }
        String secret = KeySecret.generate();
        String id = "key_" + randomHex();
        ApiKey key = new ApiKey(
                id,
                name,
                KeySecret.hint(secret),
                scopes,
                limits,
                moderation,
                Instant.ofEpochMilli(now.toEpochMilli()),
                expires.map(time -> Instant.ofEpochMilli(time.toEpochMilli())),
                Optional.empty());
        database.write(connection -> {
            requireFree(connection, name);
            insert(connection, key, HexFormat.of().formatHex(KeySecret.hash(secret)));
            return null;
        });
        return new Created(key, secret);
    }

    private static void checkName(String name) {
        boolean fit = !name.isBlank()
                && name.length() <= MOST_NAME_CHARACTERS
                && name.codePoints().noneMatch(Character::isISOControl);
        if (!fit) {
            throw new IllegalArgumentException("the name of a key must have 1 to " + MOST_NAME_CHARACTERS
                    + " characters, and no control characters");
        }
    }

    private static void requireFree(Connection connection, String name) throws SQLException {
        try (PreparedStatement statement =
                connection.prepareStatement("SELECT id FROM api_key WHERE name = ? AND revoked_at IS NULL")) {
            statement.setString(1, name);
            try (ResultSet rows = statement.executeQuery()) {
                if (rows.next()) {
                    throw new IllegalArgumentException("there is a key called '" + name + "' already ("
                            + rows.getString(1) + "): choose another name, or revoke that one");
                }
            }
        }
    }

    private static void insert(Connection connection, ApiKey key, String hash) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(
                "INSERT INTO api_key (" + COLUMNS + ", lookup, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")) {
            statement.setString(1, key.id());
            statement.setString(2, key.name());
            statement.setString(3, key.hint());
            statement.setString(4, Scope.join(key.scopes()));
            setLong(statement, 5, key.limits().requestsPerMinute());
            setLong(statement, 6, key.limits().tokensPerMinute());
            setLong(statement, 7, key.limits().budgetMicros());
            statement.setLong(8, key.created().toEpochMilli());
            setLong(statement, 9, millis(key.expires()));
            setLong(statement, 10, millis(key.revoked()));
            statement.setString(11, key.moderation().map(ModerationPolicy::text).orElse(null));
            statement.setString(12, hash.substring(0, LOOKUP_CHARACTERS));
            statement.setString(13, hash);
            statement.executeUpdate();
        }
    }

    /// The key that `secret` is, whatever its state; empty when it is none.
    ///
    /// Rows are found by a part of the hash and compared whole in constant time. (An index compares in a time that
    /// tells how much agrees; of a hash that tells nobody how to come closer.)
    public Optional<ApiKey> find(String secret) {
        if (!KeySecret.isWellFormed(secret)) {
            return Optional.empty();
        }
        byte[] hash = KeySecret.hash(secret);
        String lookup = HexFormat.of().formatHex(hash).substring(0, LOOKUP_CHARACTERS);
        return database.read(connection -> {
            try (PreparedStatement statement =
                    connection.prepareStatement("SELECT " + COLUMNS + ", hash FROM api_key WHERE lookup = ?")) {
                statement.setString(1, lookup);
                try (ResultSet rows = statement.executeQuery()) {
                    while (rows.next()) {
                        if (MessageDigest.isEqual(hash, HexFormat.of().parseHex(rows.getString("hash")))) {
                            return Optional.of(key(rows));
                        }
                    }
                    return Optional.empty();
                }
            }
        });
    }

    /// All keys, the oldest first.
    public List<ApiKey> list() {
        return database.read(connection -> {
            try (PreparedStatement statement =
                            connection.prepareStatement("SELECT " + COLUMNS + " FROM api_key ORDER BY created_at, id");
                    ResultSet rows = statement.executeQuery()) {
                List<ApiKey> keys = new ArrayList<>();
                while (rows.next()) {
                    keys.add(key(rows));
                }
                return keys;
            }
        });
    }

    /// Whether some key can be used.
    public boolean anyActive(Instant now) {
        return list().stream().anyMatch(key -> key.state(now) == ApiKey.State.ACTIVE);
    }

    /// Ends a key for good.
    ///
    /// @param which its id, or the name of an active one
    /// @throws IllegalArgumentException when there is none
    public ApiKey revoke(String which, Instant now) {
        ApiKey found = named(which);
        if (found.revoked().isPresent()) {
            return found;
        }
        Instant time = Instant.ofEpochMilli(now.toEpochMilli());
        database.write(connection -> {
            try (PreparedStatement statement = connection.prepareStatement(
                    "UPDATE api_key SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL")) {
                statement.setLong(1, time.toEpochMilli());
                statement.setString(2, found.id());
                return statement.executeUpdate();
            }
        });
        return new ApiKey(
                found.id(),
                found.name(),
                found.hint(),
                found.scopes(),
                found.limits(),
                found.moderation(),
                found.created(),
                found.expires(),
                Optional.of(time));
    }

    private ApiKey named(String which) {
        return list().stream()
                .filter(key -> key.id().equals(which)
                        || key.name().equals(which) && key.revoked().isEmpty())
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(
                        "there is no key '" + which + "': `epitome key list` shows ids and names"));
    }

    /// Changes what is done about a key's texts, from its next request on.
    ///
    /// @param which its id, or the name of an active one
    /// @param moderation empty for what is done where nothing is said
    /// @throws IllegalArgumentException when there is none
    public ApiKey moderate(String which, Optional<ModerationPolicy> moderation) {
        ApiKey found = named(which);
        database.write(connection -> {
            try (PreparedStatement statement =
                    connection.prepareStatement("UPDATE api_key SET moderation = ? WHERE id = ?")) {
                statement.setString(1, moderation.map(ModerationPolicy::text).orElse(null));
                statement.setString(2, found.id());
                return statement.executeUpdate();
            }
        });
        return named(found.id());
    }

    /// Changes a key's limits, from its next request on.
    ///
    /// @param which its id, or the name of an active one
    /// @param change gives the limits that it shall have for those that it has
    /// @throws IllegalArgumentException when there is none
    public ApiKey limit(String which, UnaryOperator<KeyLimits> change) {
        ApiKey found = named(which);
        KeyLimits limits = change.apply(found.limits());
        database.write(connection -> {
            try (PreparedStatement statement = connection.prepareStatement(
                    "UPDATE api_key SET requests_per_minute = ?, tokens_per_minute = ?, budget_micros = ? WHERE id = ?")) {
                setLong(statement, 1, limits.requestsPerMinute());
                setLong(statement, 2, limits.tokensPerMinute());
                setLong(statement, 3, limits.budgetMicros());
                statement.setString(4, found.id());
                return statement.executeUpdate();
            }
        });
        return named(found.id());
    }

    private static ApiKey key(ResultSet row) throws SQLException {
        return new ApiKey(
                row.getString("id"),
                row.getString("name"),
                row.getString("hint"),
                Scope.split(row.getString("scopes")),
                new KeyLimits(
                        getLong(row, "requests_per_minute"),
                        getLong(row, "tokens_per_minute"),
                        getLong(row, "budget_micros")),
                Optional.ofNullable(row.getString("moderation")).map(ModerationPolicy::parse),
                Instant.ofEpochMilli(row.getLong("created_at")),
                instant(getLong(row, "expires_at")),
                instant(getLong(row, "revoked_at")));
    }

    private static OptionalLong getLong(ResultSet row, String column) throws SQLException {
        long value = row.getLong(column);
        return row.wasNull() ? OptionalLong.empty() : OptionalLong.of(value);
    }

    private static void setLong(PreparedStatement statement, int index, OptionalLong value) throws SQLException {
        if (value.isPresent()) {
            statement.setLong(index, value.getAsLong());
        } else {
            statement.setNull(index, Types.BIGINT);
        }
    }

    private static OptionalLong millis(Optional<Instant> time) {
        return time.isPresent() ? OptionalLong.of(time.get().toEpochMilli()) : OptionalLong.empty();
    }

    private static Optional<Instant> instant(OptionalLong millis) {
        return millis.isPresent() ? Optional.of(Instant.ofEpochMilli(millis.getAsLong())) : Optional.empty();
    }

    private static String randomHex() {
        byte[] bytes = new byte[ID_BYTES];
        RANDOM.nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }
}
