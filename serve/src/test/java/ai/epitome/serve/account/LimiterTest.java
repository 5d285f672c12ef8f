package ai.epitome.serve.account;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.epitome.serve.account.LimitException.Limit;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumSet;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// Limits with a clock that stands still unless it is moved.
class LimiterTest {
    private static final Instant NOW = Instant.parse("2026-11-30T23:00:00Z");
    private static final OptionalLong NONE = OptionalLong.empty();

    private final Accounts accounts = new Accounts(Database.inMemory());
    private long nanos = 5;
    private final Limiter limiter = new Limiter(accounts.usage(), () -> nanos);

    @AfterEach
    void close() {
        accounts.close();
    }

    private ApiKey key(OptionalLong requests, OptionalLong tokens, OptionalLong budget) {
        return accounts.keys()
                .create(
                        "k",
                        EnumSet.of(Scope.INFERENCE),
                        new KeyLimits(requests, tokens, budget),
                        NOW,
                        Optional.empty())
                .key();
    }

    private void pass(Duration time) {
        nanos += time.toNanos();
    }

    private static void assertLimited(Limit limit, Duration wait, Runnable action) {
        assertThatThrownBy(action::run).isInstanceOfSatisfying(LimitException.class, e -> {
            assertThat(e.limit()).isEqualTo(limit);
            assertThat(e.waitTime()).isEqualTo(wait);
        });
    }

    @Test
    void requestsComeBackEvenly() {
        ApiKey key = key(OptionalLong.of(3), NONE, NONE);
        for (int i = 0; i < 3; i++) {
            limiter.countRequest(key);
        }
        assertLimited(Limit.REQUESTS, Duration.ofSeconds(20), () -> limiter.countRequest(key));
        pass(Duration.ofSeconds(20));
        limiter.countRequest(key);
        assertLimited(Limit.REQUESTS, Duration.ofSeconds(20), () -> limiter.countRequest(key));
        pass(Duration.ofHours(1)); // no more than a minute's worth is saved up
        assertThat(limiter.rates(key).requests()).contains(new Allowance(3, 3, Duration.ZERO));
    }

    @Test
    void whatWasNotUsedIsGivenBack() {
        ApiKey key = key(NONE, OptionalLong.of(600), NONE);
        Limiter.Reservation first = limiter.reserve(key, 500, 0, NOW);
        assertLimited(Limit.TOKENS, Duration.ofSeconds(10), () -> limiter.reserve(key, 200, 0, NOW));
        first.settle(100);
        limiter.reserve(key, 500, 0, NOW);
        assertThat(limiter.rates(key).tokens().orElseThrow().remaining()).isZero();
        assertThat(limiter.rates(key).requests()).isEmpty();
    }

    @Test
    void oneThatIsLargerThanAMinuteWaitsForAWholeOne() {
        ApiKey key = key(NONE, OptionalLong.of(60), NONE);
        limiter.reserve(key, 1, 0, NOW).settle(1);
        assertLimited(Limit.TOKENS, Duration.ofSeconds(1), () -> limiter.reserve(key, 1_000, 0, NOW));
        pass(Duration.ofSeconds(1));
        limiter.reserve(key, 1_000, 0, NOW).settle(90);
        assertLimited(Limit.TOKENS, Duration.ofSeconds(31), () -> limiter.reserve(key, 1, 0, NOW));
        limiter.requireBudget(key, NOW); // whatever its rates are
    }

    @Test
    void aBudgetIsNeverExceededAndEndsWithTheMonth() {
        ApiKey key = key(NONE, NONE, OptionalLong.of(10)); // millionths, 10,000,000 in the unit of costs
        Limiter.Reservation first = limiter.reserve(key, 1, 6_000_000, NOW);
        assertLimited(Limit.BUDGET, Duration.ofHours(1), () -> limiter.reserve(key, 1, 6_000_000, NOW));
        accounts.record(
                new UsageRow("r", NOW, Optional.of(key.id()), Optional.of("m"), "/", 1, 0, 0, 200, 1, 4_000_000));
        first.settle(1);
        limiter.reserve(key, 1, 6_000_000, NOW).settle(0);
        assertLimited(Limit.BUDGET, Duration.ofHours(1), () -> limiter.reserve(key, 1, 6_000_001, NOW));
        limiter.reserve(key, 1, 10_000_000, NOW.plus(Duration.ofHours(1)));
    }

    @Test
    void limitsThatChangeLeaveWhatIsReserved() {
        ApiKey key = key(NONE, OptionalLong.of(600), OptionalLong.of(10));
        Limiter.Reservation first = limiter.reserve(key, 500, 6_000_000, NOW);
        assertLimited(Limit.BUDGET, Duration.ofHours(1), () -> limiter.reserve(key, 1, 6_000_000, NOW));
        ApiKey raised = accounts.keys()
                .limit("k", limits -> new KeyLimits(NONE, limits.tokensPerMinute(), OptionalLong.of(12)));
        limiter.reserve(raised, 1, 6_000_000, NOW);
        assertLimited(Limit.BUDGET, Duration.ofHours(1), () -> limiter.reserve(raised, 1, 1, NOW));
        assertThat(limiter.rates(raised).tokens().orElseThrow().remaining()).isEqualTo(99);
        ApiKey freed = accounts.keys().limit("k", _ -> KeyLimits.NONE);
        limiter.reserve(freed, 1_000, 1_000_000_000, NOW);
        first.settle(500);
        assertThat(limiter.rates(freed).tokens()).isEmpty();
    }

    @Test
    void anEmptyBudgetAllowsNothing() {
        ApiKey key = key(NONE, NONE, OptionalLong.of(0));
        assertLimited(Limit.BUDGET, Duration.ofHours(1), () -> limiter.reserve(key, 1, 0, NOW));
        assertLimited(Limit.BUDGET, Duration.ofHours(1), () -> limiter.requireBudget(key, NOW));
    }

    @Test
    void whatWorkHasCostSoFarIsReserved() {
        ApiKey key = key(NONE, NONE, OptionalLong.of(100));
        try (Limiter.Tab tab = limiter.open(key)) {
            tab.hold(30_000_000, NOW);
            tab.hold(60_000_000, NOW);
            limiter.reserve(key, 1, 40_000_000, NOW).settle(1);
            assertLimited(Limit.BUDGET, Duration.ofHours(1), () -> limiter.reserve(key, 1, 40_000_001, NOW));
            assertLimited(Limit.BUDGET, Duration.ofHours(1), () -> tab.hold(100_000_000, NOW));
            assertLimited(Limit.BUDGET, Duration.ofHours(1), () -> limiter.reserve(key, 1, 1, NOW));
        }
        limiter.reserve(key, 1, 100_000_000, NOW);
    }

    /// A budget that is changed while work goes on holds for that work, too, from the key's next request on.
    @Test
    void workThatGoesOnHasTheBudgetOfNow() {
        ApiKey key = key(NONE, NONE, OptionalLong.of(10));
        try (Limiter.Tab tab = limiter.open(key)) {
            tab.hold(9_000_000, NOW);
            limiter.countRequest(accounts.keys().limit(key.id(), _ -> new KeyLimits(NONE, NONE, OptionalLong.of(20))));
            tab.hold(15_000_000, NOW);
            limiter.countRequest(accounts.keys().limit(key.id(), _ -> new KeyLimits(NONE, NONE, OptionalLong.of(12))));
            assertThatThrownBy(() -> tab.hold(15_000_000, NOW)).isInstanceOf(LimitException.class);
        }
    }
}
