package ai.epitome.serve.http;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;

/// Does something unless it is closed in time.
///
/// One thread looks at all limits that are under way, ten times a second: there is one for every event of every stream,
/// and a timer of its own, or a thread that sleeps, would cost more than writing the event.
public final class TimeLimit implements AutoCloseable {
    private static final long LOOK_MILLIS = 100;
    private static final Set<TimeLimit> UNDER_WAY = ConcurrentHashMap.newKeySet();
    private static volatile boolean resting;
    private static final Thread WATCH = Thread.ofVirtual().name("time limits").start(TimeLimit::watch);

    private final long deadline;
    private final Runnable expired;

    private TimeLimit(long deadline, Runnable expired) {
        this.deadline = deadline;
        this.expired = expired;
    }

    /// @param expired called when `time` is up, up to a tenth of a second later; must not block
    static TimeLimit start(Duration time, Runnable expired) {
        TimeLimit limit = new TimeLimit(System.nanoTime() + time.toNanos(), expired);
        UNDER_WAY.add(limit);
        if (resting) {
            LockSupport.unpark(WATCH);
        }
        return limit;
    }

    @Override
    public void close() {
        UNDER_WAY.remove(this);
    }

    private static void watch() {
        while (true) {
            resting = true;
            if (UNDER_WAY.isEmpty()) {
                LockSupport.park();
            }
            resting = false;
            long now = System.nanoTime();
            for (TimeLimit limit : UNDER_WAY) {
                if (limit.deadline - now < 0 && UNDER_WAY.remove(limit)) {
                    limit.expired.run();
                }
            }
            LockSupport.parkNanos(LOOK_MILLIS * 1_000_000);
        }
    }
}
