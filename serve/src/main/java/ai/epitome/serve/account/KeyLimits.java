package ai.epitome.serve.account;

import java.util.OptionalLong;

/// How much a key may use; empty is without limit.
///
/// @param requestsPerMinute requests that may begin in a minute
/// @param tokensPerMinute tokens, of prompts and completions together, in a minute
/// @param budgetMicros money in a calendar month (UTC), in millionths of the currency
public record KeyLimits(OptionalLong requestsPerMinute, OptionalLong tokensPerMinute, OptionalLong budgetMicros) {
    public static final KeyLimits NONE =
            new KeyLimits(OptionalLong.empty(), OptionalLong.empty(), OptionalLong.empty());
    /// Above any sensible limit, and far from what overflows when multiplied.
    private static final long MOST = 1_000_000_000_000L;

    public KeyLimits {
        check("requests per minute", requestsPerMinute, 1);
        check("tokens per minute", tokensPerMinute, 1);
        check("budget, in millionths,", budgetMicros, 0);
    }

    private static void check(String name, OptionalLong limit, long least) {
        if (limit.isPresent() && (limit.getAsLong() < least || limit.getAsLong() > MOST)) {
            throw new IllegalArgumentException("the limit of %s must be between %,d and %,d, not %,d"
                    .formatted(name, least, MOST, limit.getAsLong()));
        }
    }
}
