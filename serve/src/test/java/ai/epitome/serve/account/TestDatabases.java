package ai.epitome.serve.account;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.List;
import java.util.stream.Stream;

/// URLs of new databases, one of each kind that is there: for tests with both.
public final class TestDatabases {
    private TestDatabases() {}

    public static List<String> urls() {
        return Stream.concat(Stream.of(sqlite()), PostgresServer.shared().map(PostgresServer::newDatabase).stream())
                .toList();
    }

    public static String sqlite() {
        try {
            var folder = Files.createTempDirectory("epitome-accounts");
            folder.toFile().deleteOnExit();
            return "jdbc:sqlite:" + folder.resolve("accounts.db");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
