package ai.epitome.cli.account;

import ai.epitome.serve.account.Accounts;
import ai.epitome.serve.account.Database;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/// Where accounts are kept.
public final class AccountOptions {
    @Option(
            names = "--database",
            paramLabel = "URL",
            defaultValue = "${env:EPITOME_DATABASE}",
            description = {
                "Keys and usage: a SQLite file, or jdbc:postgresql://HOST/NAME?user=...&password=...",
                "(default: EPITOME_DATABASE in the environment, else ~/.local/share/epitome/accounts.db)."
            })
    private String url;

    /// Opens the database, which whoever asks closes.
    public Accounts open() {
        return new Accounts(
                Database.open(url == null || url.isBlank() ? defaultFile().toString() : url));
    }

    private static Path defaultFile() {
        return folder().resolve("accounts.db");
    }

    /// Where things are kept that last, unless it is said otherwise.
    public static Path folder() {
        String configured = System.getenv("XDG_DATA_HOME");
        Path data = configured != null && !configured.isBlank()
                ? Path.of(configured)
                : Path.of(System.getProperty("user.home"), ".local", "share");
        return data.resolve("epitome");
    }
}
