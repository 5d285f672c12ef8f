package ai.epitome.serve.store;

import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// Renews the lease of some work at intervals, on a thread of its own, until it is closed. A renewal that fails is
/// logged and the next one tried: a lease bears some that are missed.
public final class LeaseRenewal implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(LeaseRenewal.class.getName());

    private final String id;
    private final Duration interval;
    private final Runnable renewal;
    private final CountDownLatch closed = new CountDownLatch(1);
    private final Thread thread;

    /// @param id of the work
    public LeaseRenewal(String id, Duration interval, Runnable renewal) {
        this.id = id;
        this.interval = interval;
        this.renewal = renewal;
        this.thread = Thread.ofVirtual().name("lease of " + id).start(this::renew);
    }

    private void renew() {
        try {
            while (!closed.await(interval.toMillis(), TimeUnit.MILLISECONDS)) {
                try {
                    renewal.run();
                } catch (RuntimeException e) {
                    LOG.log(Level.WARNING, "The lease of " + id + " could not be renewed", e);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /// Waits for a renewal that is under way: behind this there is none. It isn't interrupted, which would cost a
    /// database its connection.
    @Override
    public void close() {
        closed.countDown();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
