package ai.epitome.serve.account;

/// Everything that is kept about those who use the service. Safe to use from any thread.
///
/// ```java
/// try (var accounts = new Accounts(Database.open("accounts.db"))) {
///     KeyStore.Created made = accounts.keys()
///             .create("laptop", Set.of(Scope.INFERENCE), KeyLimits.NONE, Instant.now(), Optional.empty());
///     System.out.println(made.secret()); // now or never
/// }
/// ```
public final class Accounts implements AutoCloseable {
    private final Database database;
    private final KeyStore keys;
    private final PriceStore prices;
    private final UsageStore usage;
    private final UsageJournal journal;

    public Accounts(Database database) {
        this.database = database;
        this.keys = new KeyStore(database);
        this.prices = new PriceStore(database);
        this.usage = new UsageStore(database);
        this.journal = new UsageJournal(usage);
    }

    public KeyStore keys() {
        return keys;
    }

    public PriceStore prices() {
        return prices;
    }

    public UsageStore usage() {
        return usage;
    }

    /// Adds a usage row, and returns when it is durable.
    ///
    /// @throws DatabaseException when it could not be written
    public void record(UsageRow row) {
        journal.write(row);
    }

    /// Where they are kept: other things that belong to somebody are kept there, too.
    public Database database() {
        return database;
    }

    /// Where they are kept, in words.
    public String description() {
        return database.description();
    }

    @Override
    public void close() {
        journal.close();
        database.close();
    }
}
