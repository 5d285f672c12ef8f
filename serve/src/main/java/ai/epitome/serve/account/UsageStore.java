package ai.epitome.serve.account;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.YearMonth;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Usage rows, which are only ever added (a trigger holds it), and their sums.
public final class UsageStore {
    private static final String INSERT = """
            INSERT INTO request_usage (request_id, at, key_id, model, route, prompt_tokens, cached_tokens,
            completion_tokens, training_tokens, status, duration_micros, cost_pico, moderation)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (request_id) DO NOTHING""";
    private static final String SPEND = """
            INSERT INTO key_spending (key_id, month, cost_pico) VALUES (?, ?, ?)
            ON CONFLICT (key_id, month) DO UPDATE SET cost_pico = key_spending.cost_pico + excluded.cost_pico""";
    private static final String TOTALS = """
            SELECT u.key_id, k.name, u.model, COUNT(*), SUM(CASE WHEN u.status >= 400 THEN 1 ELSE 0 END),
            SUM(u.prompt_tokens), SUM(u.cached_tokens), SUM(u.completion_tokens), SUM(u.training_tokens),
            SUM(u.cost_pico)
            FROM request_usage u LEFT JOIN api_key k ON k.id = u.key_id
            WHERE u.at >= ? AND u.at < ? GROUP BY u.key_id, k.name, u.model ORDER BY k.name, u.key_id, u.model""";

    private static final String DAYS = """
            SELECT at / 86400000 AS day, model, COUNT(*), SUM(prompt_tokens), SUM(completion_tokens), SUM(cost_pico)
            FROM request_usage WHERE at >= ? GROUP BY at / 86400000, model ORDER BY day, model""";

    private final Database database;

    UsageStore(Database database) {
        this.database = database;
    }

    /// Writes rows in one transaction. A row that is there already, because an earlier attempt did succeed, is left
    /// alone.
    void add(List<UsageRow> rows) {
        database.write(connection -> {
            add(connection, rows);
            return null;
        });
    }

    /// Writes rows in a transaction that is under way, for what must not be there without its row.
    public static void add(Connection connection, List<UsageRow> rows) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement(INSERT);
                PreparedStatement spend = connection.prepareStatement(SPEND)) {
            for (UsageRow row : rows) {
                if (insert(insert, row) == 1 && row.keyId().isPresent() && row.costPico() != 0) {
                    spend.setString(1, row.keyId().get());
                    spend.setString(2, month(row.at()).toString());
                    spend.setLong(3, row.costPico());
                    spend.executeUpdate();
                }
            }
        }
    }

    private static int insert(PreparedStatement statement, UsageRow row) throws SQLException {
        statement.setString(1, row.requestId());
        statement.setLong(2, row.at().toEpochMilli());
        statement.setString(3, row.keyId().orElse(null));
        statement.setString(4, row.model().orElse(null));
        statement.setString(5, row.route());
        statement.setLong(6, row.promptTokens());
        statement.setLong(7, row.cachedTokens());
        statement.setLong(8, row.completionTokens());
        statement.setLong(9, row.trainingTokens());
        statement.setInt(10, row.status());
        statement.setLong(11, row.durationMicros());
        statement.setLong(12, row.costPico());
        statement.setString(13, row.moderation().isEmpty() ? null : String.join(" ", row.moderation()));
        return statement.executeUpdate();
    }

    /// The calendar month of a time, in UTC.
    public static YearMonth month(Instant time) {
        return YearMonth.from(time.atZone(ZoneOffset.UTC));
    }

    /// What a key's usage of a month has cost so far, in millionths of a millionth.
    public long spentPico(String keyId, YearMonth month) {
        return database.read(connection -> {
            try (PreparedStatement statement =
                    connection.prepareStatement("SELECT cost_pico FROM key_spending WHERE key_id = ? AND month = ?")) {
                statement.setString(1, keyId);
                statement.setString(2, month.toString());
                try (ResultSet rows = statement.executeQuery()) {
                    return rows.next() ? rows.getLong(1) : 0L;
                }
            }
        });
    }

    /// Sums by key and model of the requests that began in a month.
    public List<UsageTotals> totals(YearMonth month) {
        Instant from = month.atDay(1).atStartOfDay(ZoneOffset.UTC).toInstant();
        Instant to = month.plusMonths(1).atDay(1).atStartOfDay(ZoneOffset.UTC).toInstant();
        return database.read(connection -> totals(connection, from, to));
    }

    private static List<UsageTotals> totals(Connection connection, Instant from, Instant to) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(TOTALS)) {
            statement.setLong(1, from.toEpochMilli());
            statement.setLong(2, to.toEpochMilli());
            List<UsageTotals> totals = new ArrayList<>();
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    totals.add(new UsageTotals(
                            Optional.ofNullable(row.getString(1)),
                            Optional.ofNullable(row.getString(2)),
                            Optional.ofNullable(row.getString(3)),
                            row.getLong(4),
                            row.getLong(5),
                            row.getLong(6),
                            row.getLong(7),
                            row.getLong(8),
                            row.getLong(9),
                            row.getLong(10)));
                }
            }
            return totals;
        }
    }

    /// Sums of one day, in UTC.
    ///
    /// @param model empty for requests that ended before one was chosen
    public record Day(
            LocalDate date,
            Optional<String> model,
            long requests,
            long promptTokens,
            long completionTokens,
            long costPico) {}

    /// Sums by day and model of the requests that began on `first` or later; the oldest day first.
    public List<Day> days(LocalDate first) {
        return database.read(connection -> {
            try (PreparedStatement statement = connection.prepareStatement(DAYS)) {
                statement.setLong(
                        1, first.atStartOfDay(ZoneOffset.UTC).toInstant().toEpochMilli());
                List<Day> days = new ArrayList<>();
                try (ResultSet row = statement.executeQuery()) {
                    while (row.next()) {
                        days.add(new Day(
                                LocalDate.ofEpochDay(row.getLong(1)),
                                Optional.ofNullable(row.getString(2)),
                                row.getLong(3),
                                row.getLong(4),
                                row.getLong(5),
                                row.getLong(6)));
                    }
                }
                return days;
            }
        });
    }

    /// Rows of requests that began in a month, the latest first.
    ///
    /// @param most how many
    public List<UsageRow> rows(YearMonth month, int most) {
        long from = month.atDay(1).atStartOfDay(ZoneOffset.UTC).toInstant().toEpochMilli();
        long to = month.plusMonths(1)
                .atDay(1)
                .atStartOfDay(ZoneOffset.UTC)
                .toInstant()
                .toEpochMilli();
        return database.read(connection -> {
            try (PreparedStatement statement = connection.prepareStatement(
                    "SELECT * FROM request_usage WHERE at >= ? AND at < ? ORDER BY at DESC, request_id LIMIT ?")) {
                statement.setLong(1, from);
                statement.setLong(2, to);
                statement.setInt(3, most);
                List<UsageRow> found = new ArrayList<>();
                try (ResultSet row = statement.executeQuery()) {
                    while (row.next()) {
                        found.add(row(row));
                    }
                }
                return found;
            }
        });
    }

    private static UsageRow row(ResultSet row) throws SQLException {
        return new UsageRow(
                row.getString("request_id"),
                Instant.ofEpochMilli(row.getLong("at")),
                Optional.ofNullable(row.getString("key_id")),
                Optional.ofNullable(row.getString("model")),
                row.getString("route"),
                row.getLong("prompt_tokens"),
                row.getLong("cached_tokens"),
                row.getLong("completion_tokens"),
                row.getLong("training_tokens"),
                row.getInt("status"),
                row.getLong("duration_micros"),
                row.getLong("cost_pico"),
                Optional.ofNullable(row.getString("moderation"))
                        .map(found -> List.of(found.split(" ")))
                        .orElse(List.of()));
    }
}
