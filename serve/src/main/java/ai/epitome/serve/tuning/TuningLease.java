package ai.epitome.serve.tuning;

import java.lang.System.Logger.Level;
import java.util.Optional;
import java.util.function.Supplier;

/// Keeps a job this process's while it is worked on, and ends the process that trains when the job is to stop.
final class TuningLease implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(TuningLease.class.getName());
    private static final long RENEWED_MILLIS = 500;
    private static final long PATIENCE_MILLIS = 15_000;

    /// How training is to end.
    enum End {
        /// With a checkpoint.
        KEEPING,
        /// Nothing is needed any more.
        AT_ONCE
    }

    private final Supplier<Optional<End>> renewal;
    private final Thread renewing;
    private volatile TuningProcess process; // or null

    /// @param renewal renews the lease, and says whether training is to end
    TuningLease(Supplier<Optional<End>> renewal) {
        this.renewal = renewal;
        this.renewing = Thread.ofVirtual().name("lease of fine-tuning").start(this::renew);
    }

    /// This process trains now.
    void holds(TuningProcess started) {
        process = started;
    }

    private void renew() {
        long asked = 0;
        try {
            while (true) {
                Optional<End> end = renewed();
                TuningProcess training = process;
                if (end.isPresent() && training != null) {
                    training.askToStop();
                    asked = asked == 0 ? System.nanoTime() : asked;
                    boolean late = System.nanoTime() - asked > PATIENCE_MILLIS * 1_000_000;
                    if (end.get() == End.AT_ONCE || late) {
                        training.kill();
                    }
                }
                Thread.sleep(RENEWED_MILLIS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private Optional<End> renewed() {
        try {
            return renewal.get();
        } catch (RuntimeException e) {
            LOG.log(Level.WARNING, "The lease of a fine-tuning job could not be renewed", e);
            return Optional.empty();
        }
    }

    @Override
    public void close() {
        renewing.interrupt();
        try {
            renewing.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
