package ai.epitome.serve.account;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class KeyStoreTest {
    private static final Instant NOW = Instant.parse("2026-11-26T10:00:00.123Z");
    private static final Set<Scope> INFERENCE = EnumSet.of(Scope.INFERENCE);

    static Stream<String> databases() {
        return TestDatabases.urls().stream();
    }

    @ParameterizedTest
    @MethodSource("databases")
    void aKeyIsFoundAgainAndRevokedForGood(String url) {
        KeyLimits limits = new KeyLimits(OptionalLong.of(60), OptionalLong.empty(), OptionalLong.of(2_500_000));
        KeyStore.Created made;
        try (Accounts accounts = new Accounts(Database.open(url))) {
            made = accounts.keys()
                    .create(
                            "laptop",
                            EnumSet.of(Scope.FILES, Scope.INFERENCE),
                            limits,
                            NOW,
                            Optional.of(NOW.plus(Duration.ofDays(90))));
        }
        assertThat(made.secret()).matches("ep-[A-Za-z0-9_-]{43}");
        assertThat(made.secret()).startsWith(made.key().hint().substring(0, 7));
        assertThat(made.secret()).endsWith(made.key().hint().substring(10));
        try (Accounts accounts = new Accounts(Database.open(url))) { // again, with nothing to migrate
            KeyStore keys = accounts.keys();
            assertThat(keys.find(made.secret())).contains(made.key());
            assertThat(keys.list()).containsExactly(made.key());
            char last = made.secret().charAt(45);
            assertThat(keys.find(made.secret().substring(0, 45) + (last == 'A' ? 'B' : 'A')))
                    .isEmpty();
            assertThat(keys.find("ep-short")).isEmpty();
            assertThat(keys.find("' OR 1=1 --")).isEmpty();

            assertThat(keys.anyActive(NOW)).isTrue();
            assertThat(keys.anyActive(NOW.plus(Duration.ofDays(90)))).isFalse();
            assertThat(keys.revoke("laptop", NOW).revoked()).contains(NOW);
            assertThat(keys.find(made.secret()).orElseThrow().state(NOW)).isEqualTo(ApiKey.State.REVOKED);
            Instant later = NOW.plusSeconds(5);
            assertThat(keys.revoke(made.key().id(), later).revoked()).contains(NOW);
            assertThatThrownBy(() -> keys.revoke("laptop", later)).hasMessageContaining("epitome key list");
        }
    }

    @ParameterizedTest
    @MethodSource("databases")
    void aNameIsOneActiveKeyOnly(String url) {
        try (Accounts accounts = new Accounts(Database.open(url))) {
            KeyStore keys = accounts.keys();
            keys.create("a", INFERENCE, KeyLimits.NONE, NOW, Optional.empty());
            assertThatThrownBy(() -> keys.create("a", INFERENCE, KeyLimits.NONE, NOW, Optional.empty()))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("called 'a' already");
            keys.revoke("a", NOW);
            keys.create("a", INFERENCE, KeyLimits.NONE, NOW, Optional.empty());
            assertThatThrownBy(() -> keys.create("x\n", INFERENCE, KeyLimits.NONE, NOW, Optional.empty()))
                    .hasMessageContaining("control characters");
            assertThat(keys.list()).hasSize(2);
        }
    }

    /// Replicas that start at the same time: each table is made once.
    @ParameterizedTest
    @MethodSource("databases")
    void manyMayOpenANewDatabaseAtOnce(String url) throws InterruptedException {
        var failures = new HashSet<Throwable>();
        List<Thread> threads = Stream.generate(() -> Thread.ofPlatform().unstarted(() -> {
                    try (Database database = Database.open(url)) {
                        new KeyStore(database).list();
                    } catch (RuntimeException e) {
                        synchronized (failures) {
                            failures.add(e);
                        }
                    }
                }))
                .limit(6)
                .toList();
        threads.forEach(Thread::start);
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(failures).isEmpty();
    }

    @Test
    void theKeyIsInNoFile(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("deep").resolve("accounts.db");
        try (Accounts accounts = new Accounts(Database.open(file.toString()))) {
            String secret = accounts.keys()
                    .create("laptop", INFERENCE, KeyLimits.NONE, NOW, Optional.empty())
                    .secret();
            try (Stream<Path> files = Files.list(file.getParent())) {
                for (Path each : files.toList()) {
                    assertThat(new String(Files.readAllBytes(each), StandardCharsets.ISO_8859_1))
                            .doesNotContain(secret.substring(3, 40));
                }
            }
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                    .isEqualTo("rw-------");
        }
    }

    @Test
    void whatCannotBeADatabaseIsSaid(@TempDir Path folder) throws Exception {
        Path text = Files.writeString(folder.resolve("text.db"), "this is not a database, whatever its name says");
        assertThatThrownBy(() -> Database.open(text.toString()))
                .isInstanceOf(DatabaseException.class)
                .hasMessageContaining(text.toString());
        assertThatThrownBy(() -> Database.open("jdbc:mysql://x/y"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("jdbc:postgresql");
        assertThatThrownBy(() -> Database.open("jdbc:postgresql://127.0.0.1:1/x?user=u&password=secret"))
                .isInstanceOf(DatabaseException.class)
                .hasMessageContaining("127.0.0.1:1/x")
                .message()
                .doesNotContain("secret");
    }

    @Test
    void moneyIsExact() {
        assertThat(Money.parse("25")).isEqualTo(25_000_000);
        assertThat(Money.parse("0.000001")).isEqualTo(1);
        assertThat(Money.format(2_500_000)).isEqualTo("2.50");
        assertThat(Money.format(1)).isEqualTo("0.000001");
        assertThat(Money.format(0)).isEqualTo("0.00");
        for (String wrong : List.of("0.0000001", "-1", "x", "1e30", "")) {
            assertThatThrownBy(() -> Money.parse(wrong)).isInstanceOf(IllegalArgumentException.class);
        }
    }
}
