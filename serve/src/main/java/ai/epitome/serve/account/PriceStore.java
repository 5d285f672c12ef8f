package ai.epitome.serve.account;

import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The price table. A price holds for requests that begin after it was set; what was used before keeps its cost.
public final class PriceStore {
    /// `ft:BASE:SUFFIX:ID`, and checkpoints.
    private static final Pattern TUNED = Pattern.compile("ft:(.+):[^:]*:[0-9a-f]+(?::ckpt-step-[0-9]+)?");

    private final Database database;

    PriceStore(Database database) {
        this.database = database;
    }

    /// Sets a model's price, for requests that begin from now on.
    ///
    /// @param model by its name, which need not be served
    public void set(String model, Price price) {
        database.write(connection -> {
            try (PreparedStatement statement = connection.prepareStatement("""
                    INSERT INTO price (model, input_micros, cached_micros, output_micros, training_micros)
                    VALUES (?, ?, ?, ?, ?)
                    ON CONFLICT (model) DO UPDATE SET input_micros = excluded.input_micros,
                    cached_micros = excluded.cached_micros, output_micros = excluded.output_micros,
                    training_micros = excluded.training_micros""")) {
                statement.setString(1, model);
                statement.setLong(2, price.inputMicros());
                statement.setLong(3, price.cachedMicros());
                statement.setLong(4, price.outputMicros());
                statement.setLong(5, price.trainingMicros());
                return statement.executeUpdate();
            }
        });
    }

    /// The price of a model; a fine-tuned one has that of its base, unless it has its own.
    public Optional<Price> find(String model) {
        Optional<Price> own = of(model);
        Matcher tuned = TUNED.matcher(model);
        return own.isEmpty() && tuned.matches() ? of(tuned.group(1)) : own;
    }

    private Optional<Price> of(String model) {
        return database.read(connection -> {
            try (PreparedStatement statement = connection.prepareStatement("SELECT * FROM price WHERE model = ?")) {
                statement.setString(1, model);
                try (ResultSet rows = statement.executeQuery()) {
                    return rows.next() ? Optional.of(price(rows)) : Optional.empty();
                }
            }
        });
    }

    /// All prices by model.
    public Map<String, Price> list() {
        return database.read(connection -> {
            try (PreparedStatement statement = connection.prepareStatement("SELECT * FROM price");
                    ResultSet rows = statement.executeQuery()) {
                Map<String, Price> prices = new TreeMap<>();
                while (rows.next()) {
                    prices.put(rows.getString("model"), price(rows));
                }
                return prices;
            }
        });
    }

    private static Price price(ResultSet row) throws SQLException {
        return new Price(
                row.getLong("input_micros"),
                row.getLong("cached_micros"),
                row.getLong("output_micros"),
                row.getLong("training_micros"));
    }
}
