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

    public Accounts(Database database) {
        this.database = database;
        this.keys = new KeyStore(database);
    }

    public KeyStore keys() {
        return keys;
    }

    /// Where they are kept, in words.
    public String description() {
        return database.description();
    }

    @Override
    public void close() {
        database.close();
    }
}
