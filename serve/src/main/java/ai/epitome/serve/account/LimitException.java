package ai.epitome.serve.account;

import java.time.Duration;

/// A key has used what it may for now.
public final class LimitException extends RuntimeException {
    private final Limit limit;
    private final Duration wait;

    LimitException(Limit limit, Duration wait, String message) {
        super(message, null, false, false);
        this.limit = limit;
        this.wait = wait;
    }

    /// Which limit it is.
    public enum Limit {
        REQUESTS,
        TOKENS,
        BUDGET
    }

    public Limit limit() {
        return limit;
    }

    /// After which another try makes sense.
    public Duration waitTime() {
        return wait;
    }
}
