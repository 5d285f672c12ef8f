package ai.epitome.serve.account;

import ai.epitome.serve.account.LimitException.Limit;
import java.time.Duration;
import java.time.Instant;
import java.time.YearMonth;
import java.time.ZoneOffset;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;

/// Holds keys to their limits, before any work begins: the most that a request may use is reserved, and what it did not
/// use is given back at its end.
///
/// Rates are kept by each process for itself, so that several replicas together let through as many times as much.
/// Budgets are read from the database, so they hold for all replicas together but for what each has reserved.
public final class Limiter {
    private static final long PICO_PER_MICRO = 1_000_000;

    private final UsageStore usage;
    private final LongSupplier nanoTime;
    private final Map<String, Account> accounts = new ConcurrentHashMap<>();

    public Limiter(Accounts accounts) {
        this(accounts.usage(), System::nanoTime);
    }

    /// @param nanoTime the clock of the rates
    Limiter(UsageStore usage, LongSupplier nanoTime) {
        this.usage = usage;
        this.nanoTime = nanoTime;
    }

    /// The state of one key, locked by itself.
    private static final class Account {
        private KeyLimits limits = KeyLimits.NONE;
        private Optional<TokenBucket> requests = Optional.empty();
        private Optional<TokenBucket> tokens = Optional.empty();
        private long reservedPico;

        /// What is reserved stays so; a rate that changes begins with a full minute.
        synchronized Account limit(KeyLimits changed, long now) {
            if (!changed.requestsPerMinute().equals(limits.requestsPerMinute())) {
                requests = bucket(changed.requestsPerMinute(), now);
            }
            if (!changed.tokensPerMinute().equals(limits.tokensPerMinute())) {
                tokens = bucket(changed.tokensPerMinute(), now);
            }
            limits = changed;
            return this;
        }

        private static Optional<TokenBucket> bucket(OptionalLong limit, long now) {
            return limit.isPresent() ? Optional.of(new TokenBucket(limit.getAsLong(), now)) : Optional.empty();
        }
    }

    /// What a request holds until its end.
    public interface Reservation {
        /// @param tokens those that were really used
        void settle(long tokens);
    }

    /// The rates of a key; empty where it has no such limit.
    public record Rates(Optional<Allowance> requests, Optional<Allowance> tokens) {}

    /// Counts a request that begins.
    ///
    /// @throws LimitException when it is one too many
    public void countRequest(ApiKey key) {
        Account account = account(key);
        synchronized (account) {
            long now = nanoTime.getAsLong();
            account.requests.ifPresent(bucket -> {
                if (!bucket.take(1, now)) {
                    throw new LimitException(
                            Limit.REQUESTS,
                            bucket.wait(1, now),
                            "Rate limit reached for this API key: %,d requests per minute."
                                    .formatted(key.limits().requestsPerMinute().getAsLong()));
                }
            });
        }
    }

    /// Reserves the most that a request may use.
    ///
    /// @param tokens of prompt and completion
    /// @param costPico what they cost, in millionths of a millionth
    /// @throws LimitException when that is too much
    public Reservation reserve(ApiKey key, long tokens, long costPico, Instant time) {
        Account account = account(key);
        synchronized (account) {
            requireBudget(key, account, costPico, time);
            long now = nanoTime.getAsLong();
            account.tokens.ifPresent(bucket -> {
                if (!bucket.take(tokens, now)) {
                    throw new LimitException(
                            Limit.TOKENS,
                            bucket.wait(tokens, now),
                            "Rate limit reached for this API key: %,d tokens per minute; this request may use %,d."
                                    .formatted(key.limits().tokensPerMinute().getAsLong(), tokens));
                }
            });
            account.reservedPico += costPico;
        }
        return used -> {
            synchronized (account) {
                account.reservedPico -= costPico;
                account.tokens.ifPresent(bucket -> bucket.giveBack(tokens - used, nanoTime.getAsLong()));
            }
        };
    }

    /// What work has cost so far whose cost nobody knows before: it counts against the budget of its key as what
    /// requests reserve does.
    public final class Tab implements AutoCloseable {
        private final ApiKey key;
        private final Account account;
        private long heldPico;

        private Tab(ApiKey key) {
            this.key = key;
            this.account = account(key);
        }

        /// @param costPico of all of it so far, which is held even where the budget is used up
        /// @throws LimitException when it is
        public void hold(long costPico, Instant time) {
            synchronized (account) {
                account.reservedPico += costPico - heldPico;
                heldPico = costPico;
                requireBudget(key, account, 0, time);
            }
        }

        /// It is over: what it has cost is in its usage row, or is not paid for.
        @Override
        public void close() {
            synchronized (account) {
                account.reservedPico -= heldPico;
                heldPico = 0;
            }
        }
    }

    /// Begins to hold what work costs.
    public Tab open(ApiKey key) {
        return new Tab(key);
    }

    /// Asks for the budget alone.
    ///
    /// @throws LimitException when it is used up
    public void requireBudget(ApiKey key, Instant time) {
        Account account = account(key);
        synchronized (account) {
            requireBudget(key, account, 0, time);
        }
    }

    private void requireBudget(ApiKey key, Account account, long costPico, Instant time) {
        OptionalLong budget = account.limits.budgetMicros(); // of now: work that began long ago has an older key
        if (budget.isEmpty()) {
            return;
        }
        YearMonth month = UsageStore.month(time);
        long spent = Math.addExact(usage.spentPico(key.id(), month), account.reservedPico);
        long most = budget.getAsLong() * PICO_PER_MICRO;
        if (spent >= most || Math.addExact(spent, costPico) > most) {
            Instant next =
                    month.plusMonths(1).atDay(1).atStartOfDay(ZoneOffset.UTC).toInstant();
            throw new LimitException(
                    Limit.BUDGET,
                    Duration.between(time, next),
                    "This API key's budget of %s for %s %s."
                            .formatted(
                                    Money.format(budget.getAsLong()),
                                    month,
                                    spent >= most ? "is used up" : "does not reach for this request"));
        }
    }

    /// How much of its rates a key has left.
    public Rates rates(ApiKey key) {
        Account account = account(key);
        synchronized (account) {
            long now = nanoTime.getAsLong();
            return new Rates(
                    account.requests.map(bucket -> bucket.allowance(now)),
                    account.tokens.map(bucket -> bucket.allowance(now)));
        }
    }

    private Account account(ApiKey key) {
        return accounts.computeIfAbsent(key.id(), _ -> new Account()).limit(key.limits(), nanoTime.getAsLong());
    }
}
