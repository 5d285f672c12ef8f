package ai.epitome.serve.account;

import java.time.Duration;

/// A limit per minute as a bucket: it holds a minute's worth, is full at first, and refills evenly. So a minute's worth
/// may come at once, and no minute, wherever it begins, sees more than two.
///
/// Not safe for several threads; whoever has it locks.
final class TokenBucket {
    private static final double NANOS_PER_MINUTE = Duration.ofMinutes(1).toNanos();

    private final long perMinute;
    private double level;
    private long time;

    TokenBucket(long perMinute, long now) {
        this.perMinute = perMinute;
        this.level = perMinute;
        this.time = now;
    }

    /// Takes `amount` when it is there. More than the bucket holds is let through when the bucket is full, for it never
    /// would be otherwise.
    boolean take(long amount, long now) {
        refill(now);
        if (level < Math.min(amount, perMinute)) {
            return false;
        }
        level -= amount;
        return true;
    }

    /// Puts back what was taken and not used; takes more where `amount` is negative.
    void giveBack(long amount, long now) {
        refill(now);
        level = Math.min(perMinute, level + amount);
    }

    /// How long until `amount` is there.
    Duration wait(long amount, long now) {
        refill(now);
        double missing = Math.min(amount, perMinute) - level;
        return Duration.ofNanos((long) Math.ceil(Math.max(0, missing) * NANOS_PER_MINUTE / perMinute));
    }

    Allowance allowance(long now) {
        Duration full = wait(perMinute, now);
        return new Allowance(perMinute, Math.max(0, (long) level), full);
    }

    private void refill(long now) {
        level = Math.min(perMinute, level + (now - time) * (perMinute / NANOS_PER_MINUTE));
        time = now;
    }
}
