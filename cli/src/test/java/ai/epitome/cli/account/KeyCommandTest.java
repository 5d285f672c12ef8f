package ai.epitome.cli.account;

import static ai.epitome.cli.CommandResult.done;
import static ai.epitome.cli.CommandResult.run;
import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.cli.CommandResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KeyCommandTest {
    @TempDir
    Path folder;

    private String database() {
        return folder.resolve("accounts.db").toString();
    }

    @Test
    void aKeyIsMadeListedAndRevoked() throws IOException {
        CommandResult made =
                done("key", "create", "laptop", "--budget", "2.50", "--expires", "90d", "--database", database());
        String secret = made.out().strip();
        assertThat(secret).matches("ep-[A-Za-z0-9_-]{43}");
        assertThat(made.err()).contains("laptop", "shown this once").doesNotContain(secret);
        CommandResult list = done("key", "list", "--database", database());
        assertThat(list.out())
                .startsWith("id ")
                .containsPattern("key_[0-9a-f]{12}  laptop  " + secret.substring(0, 7) + "\\.\\.\\."
                        + secret.substring(42) + "  inference  active  20\\d\\d-\\d\\d-\\d\\d")
                .containsPattern("2\\.50\\n")
                .doesNotContain(secret);
        CommandResult revoked = done("key", "revoke", "laptop", "--json", "--database", database());
        assertThat(revoked.json().get("state").asString()).isEqualTo("revoked");
        CommandResult again = done("key", "list", "--json", "--database", database());
        assertThat(again.json().get("revoked").asString())
                .isEqualTo(revoked.json().get("revoked").asString());
        assertThat(again.json().get("budget_micros").asLong()).isEqualTo(2_500_000);
        assertThat(again.json().get("tokens_per_minute").isNull()).isTrue();
    }

    @Test
    void forProgramsTheKeyIsInTheObject() throws IOException {
        CommandResult made = done(
                "key",
                "create",
                "ci",
                "--scope",
                "metrics,files",
                "--tokens-per-minute",
                "5",
                "--json",
                "--database",
                database());
        assertThat(made.json().get("key").asString()).startsWith("ep-");
        assertThat(made.json().get("scopes").toString()).isEqualTo("[\"files\",\"metrics\"]");
        assertThat(made.json().get("tokens_per_minute").asLong()).isEqualTo(5);
    }

    @Test
    void whatCannotBeIsSaidInOneLine() throws IOException {
        done("key", "create", "a", "--database", database());
        assertThat(run("key", "create", "a", "--database", database()).err()).contains("called 'a' already");
        assertThat(run("key", "revoke", "b", "--database", database()).err()).contains("there is no key 'b'");
        assertThat(run("key", "create", "b", "--scope", "all", "--database", database())
                        .err())
                .contains("there is no scope 'all'", "inference, files, metrics, admin");
        assertThat(run("key", "create", "b", "--budget", "0.0000001", "--database", database())
                        .err())
                .contains("millionth");
        assertThat(run("key", "create", "b", "--expires", "soon", "--database", database())
                        .err())
                .contains("90s, 3m or 1h30m");
        assertThat(run("key", "list", "--database", "jdbc:oracle:x").err()).contains("jdbc:postgresql");
    }

    @Test
    void moderationIsSetAndChanged() throws IOException {
        CommandResult made = done("key", "create", "app", "--moderation", "refuse", "--json", "--database", database());
        assertThat(made.json().get("moderation").asString()).isEqualTo("refuse");
        Path policy = Files.writeString(
                folder.resolve("policy.json"), "{\"input\": {\"hate\": {\"flag\": 0.3, \"refuse\": true}}}");
        CommandResult changed =
                done("key", "update", "app", "--moderation", policy.toString(), "--json", "--database", database());
        assertThat(changed.json().get("moderation").asString())
                .isEqualTo("{\"input\":{\"hate\":{\"flag\":0.3,\"refuse\":true}},\"output\":{}}");
        assertThat(done("key", "list", "--database", database()).out()).contains("moderation", "own");
        Files.writeString(policy, "{\"input\": {\"rude\": {}}}");
        assertThat(run("key", "update", "app", "--moderation", policy.toString(), "--database", database())
                        .err())
                .contains("policy.json", "there is no category 'rude'");
        assertThat(run("key", "update", "app", "--moderation", "never", "--database", database())
                        .err())
                .contains("none of off, log, flag and refuse");
        assertThat(run("key", "update", "other", "--moderation", "off", "--database", database())
                        .err())
                .contains("there is no key 'other'");
    }

    @Test
    void limitsChangeAndWhatIsNotGivenStays() throws IOException {
        done("key", "create", "app", "--budget", "25", "--tokens-per-minute", "100", "--database", database());
        CommandResult raised = done("key", "update", "app", "--budget", "40", "--json", "--database", database());
        assertThat(raised.json().get("budget_micros").asLong()).isEqualTo(40_000_000);
        assertThat(raised.json().get("tokens_per_minute").asLong()).isEqualTo(100);
        String[] lifted = {"key", "update", "app", "--tokens-per-minute", "none", "--json", "--database", database()};
        assertThat(done(lifted).json().get("tokens_per_minute").isNull()).isTrue();
        CommandResult list = done("key", "list", "--json", "--database", database());
        assertThat(list.json().get("budget_micros").asLong()).isEqualTo(40_000_000);
        assertThat(run("key", "update", "app", "--database", database()).err()).contains("nothing to change");
        assertThat(run("key", "update", "app", "--budget", "much", "--database", database())
                        .err())
                .contains("--budget", "much");
        assertThat(run("key", "update", "app", "--requests-per-minute", "0", "--database", database())
                        .err())
                .contains("must be between 1 and");
    }
}
