package ai.epitome.serve.batch;

import ai.epitome.serve.account.ApiKey;
import ai.epitome.serve.account.KeyStore;
import ai.epitome.serve.generation.Answering;
import ai.epitome.serve.generation.Asked;
import ai.epitome.serve.metering.RequestMeter;
import ai.epitome.serve.store.BatchStore;
import ai.epitome.serve.store.FileStore;
import ai.epitome.serve.store.LeasedWork;
import java.lang.System.Logger.Level;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;

/// Looks for batches on which nobody works, and works on them, a few at a time. What a process that was stopped
/// or killed has left is gone on with, by this one or another on the same database.
public final class BatchWorker {
    static final long LEASE_MILLIS = 15_000;

    private static final System.Logger LOG = System.getLogger(BatchWorker.class.getName());
    private static final int BATCHES = 2;
    private static final long POLL_MILLIS = 2_000;
    private static final long CLOSE_MILLIS = 1_000;

    /// What a run needs.
    public record Tools(
            BatchStore batches,
            FileStore files,
            Answering answering,
            Map<String, Asked.Reader> endpoints,
            BiFunction<Optional<ApiKey>, String, RequestMeter> meters) {}

    private final Tools tools;
    private final KeyStore keys;
    private final Semaphore free = new Semaphore(BATCHES);
    private final Semaphore awake = new Semaphore(0);
    private Thread looking;

    /// @param keys of the owners
    public BatchWorker(Tools tools, KeyStore keys) {
        this.tools = tools;
        this.keys = keys;
    }

    Set<String> endpoints() {
        return new TreeSet<>(tools.endpoints().keySet());
    }

    /// Begins to look, until the service stops.
    public void start() {
        looking = Thread.ofVirtual().name("batches").start(this::look);
    }

    /// Waits a moment until nothing is worked on any more.
    public void awaitEnd() throws InterruptedException {
        looking.interrupt();
        looking.join();
        if (!free.tryAcquire(BATCHES, CLOSE_MILLIS, TimeUnit.MILLISECONDS)) {
            LOG.log(Level.WARNING, "A batch does not stop; it is gone on with when its lease has run out");
        }
    }

    /// There is something new.
    void wake() {
        awake.release();
    }

    private boolean stopping() {
        return tools.answering().draining().getAsBoolean();
    }

    private void look() {
        try {
            while (!stopping()) {
                if (free.tryAcquire(POLL_MILLIS, TimeUnit.MILLISECONDS)) {
                    claim();
                    awake.tryAcquire(POLL_MILLIS, TimeUnit.MILLISECONDS);
                    awake.drainPermits();
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void claim() {
        try {
            long now = System.currentTimeMillis();
            Optional<LeasedWork> batch =
                    stopping() ? Optional.empty() : tools.batches().claim(now, now + LEASE_MILLIS);
            if (batch.isEmpty()) {
                free.release();
                return;
            }
            wake(); // there may be more
            Thread.ofVirtual().name(batch.get().id()).start(() -> run(batch.get()));
        } catch (RuntimeException e) {
            free.release();
            LOG.log(Level.WARNING, "Batches could not be looked for", e);
        }
    }

    private void run(LeasedWork batch) {
        try {
            new BatchRun(tools, batch, owner(batch.owner())).run();
        } catch (RuntimeException e) {
            LOG.log(Level.ERROR, "The batch " + batch.id() + " failed for now; it is tried again", e);
        } finally {
            free.release();
            wake();
        }
    }

    /// @return nothing where the owner's key is good no longer
    private Optional<Optional<ApiKey>> owner(String id) {
        if (id.isEmpty()) {
            return Optional.of(Optional.empty());
        }
        return keys.list().stream()
                .filter(key -> key.id().equals(id) && key.state(Instant.now()) == ApiKey.State.ACTIVE)
                .findFirst()
                .map(Optional::of);
    }
}
