package ai.epitome.serve.account;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.sql.DriverManager;
import java.time.Instant;
import java.time.YearMonth;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class UsageStoreTest {
    private static final Instant NOW = Instant.parse("2026-11-30T23:59:59.999Z");
    private static final YearMonth NOVEMBER = YearMonth.of(2026, 11);

    static Stream<String> databases() {
        return TestDatabases.urls().stream();
    }

    private static UsageRow row(String id, Instant at, Optional<String> key, long prompt, long completion, int status) {
        return new UsageRow(
                id,
                at,
                key,
                Optional.of("m"),
                "/v1/completions",
                prompt,
                prompt / 2,
                completion,
                status,
                1_500,
                7 * prompt);
    }

    @ParameterizedTest
    @MethodSource("databases")
    void rowsAreAddedOnceAndSummed(String url) {
        try (Accounts accounts = new Accounts(Database.open(url))) {
            String key = accounts.keys()
                    .create("k", EnumSet.of(Scope.INFERENCE), KeyLimits.NONE, NOW, Optional.empty())
                    .key()
                    .id();
            UsageRow first = row("a", NOW, Optional.of(key), 10, 5, 200);
            accounts.record(first);
            accounts.record(first); // an attempt that is repeated
            accounts.record(row("b", NOW, Optional.of(key), 3, 4, 499));
            accounts.record(row("c", NOW, Optional.empty(), 100, 0, 400));
            accounts.record(row("d", NOW.plusMillis(1), Optional.of(key), 1_000, 1_000, 200)); // December
            UsageStore usage = accounts.usage();
            assertThat(usage.totals(NOVEMBER))
                    .containsExactlyInAnyOrder(
                            new UsageTotals(
                                    Optional.of(key), Optional.of("k"), Optional.of("m"), 2, 1, 13, 6, 9, 0, 7 * 13),
                            new UsageTotals(
                                    Optional.empty(), Optional.empty(), Optional.of("m"), 1, 1, 100, 50, 0, 0, 700));
            assertThat(usage.rows(NOVEMBER, 10)).hasSize(3).contains(first);
            assertThat(usage.rows(NOVEMBER, 2)).hasSize(2);
            assertThat(usage.spentPico(key, NOVEMBER)).isEqualTo(7 * 13);
            assertThat(usage.spentPico(key, NOVEMBER.plusMonths(1))).isEqualTo(7_000);
            assertThat(usage.spentPico("key_none", NOVEMBER)).isZero();
        }
    }

    @ParameterizedTest
    @MethodSource("databases")
    void rowsCannotBeChangedOrRemoved(String url) throws Exception {
        try (Accounts accounts = new Accounts(Database.open(url))) {
            accounts.record(row("a", NOW, Optional.empty(), 10, 5, 200));
            try (var connection = DriverManager.getConnection(url);
                    var statement = connection.createStatement()) {
                for (String sql : List.of("UPDATE request_usage SET cost_pico = 0", "DELETE FROM request_usage")) {
                    assertThatThrownBy(() -> statement.execute(sql)).hasMessageContaining("only grows");
                }
            }
            assertThat(accounts.usage().rows(NOVEMBER, 10)).hasSize(1);
        }
    }

    @ParameterizedTest
    @MethodSource("databases")
    void manyWritersLoseNothing(String url) throws Exception {
        try (Accounts accounts = new Accounts(Database.open(url));
                var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            String key = accounts.keys()
                    .create("k", EnumSet.of(Scope.INFERENCE), KeyLimits.NONE, NOW, Optional.empty())
                    .key()
                    .id();
            List<Future<?>> writes = new ArrayList<>();
            for (int i = 0; i < 500; i++) {
                UsageRow row = row("r" + i, NOW, Optional.of(key), i, 1, 200);
                writes.add(threads.submit(() -> accounts.record(row)));
            }
            for (Future<?> write : writes) {
                write.get();
            }
            UsageTotals total = accounts.usage().totals(NOVEMBER).getFirst();
            assertThat(total.requests()).isEqualTo(500);
            assertThat(total.promptTokens()).isEqualTo(499 * 500 / 2);
            assertThat(accounts.usage().spentPico(key, NOVEMBER)).isEqualTo(total.costPico());
        }
    }

    @ParameterizedTest
    @MethodSource("databases")
    void pricesAreSetAndReplaced(String url) {
        try (Accounts accounts = new Accounts(Database.open(url))) {
            PriceStore prices = accounts.prices();
            assertThat(prices.find("m")).isEmpty();
            prices.set("m", new Price(1, 2, 3, 4));
            prices.set("m", new Price(150_000, 75_000, 600_000, 3_000_000));
            assertThat(prices.find("m")).contains(new Price(150_000, 75_000, 600_000, 3_000_000));
            assertThat(prices.list()).hasSize(1);
        }
    }

    @Test
    void costsAreExactAndRoundedOnceOnly() {
        Price price = new Price(150_000, 75_000, 600_000); // 0.15, 0.075 and 0.60 per million
        assertThat(price.costPico(3, 1, 1)).isEqualTo(2 * 150_000 + 75_000 + 600_000);
        assertThat(totals(499_999).costMicros()).isZero();
        assertThat(totals(500_000).costMicros()).isEqualTo(1);
        // A million requests of half a millionth each cost half a unit, not nothing and not one.
        assertThat(totals(1_000_000L * 500_000).costMicros()).isEqualTo(500_000);
        assertThatThrownBy(() -> new Price(-1, 0, 0)).isInstanceOf(IllegalArgumentException.class);
    }

    private static UsageTotals totals(long pico) {
        return new UsageTotals(Optional.empty(), Optional.empty(), Optional.empty(), 1, 0, 0, 0, 0, 0, pico);
    }
}
