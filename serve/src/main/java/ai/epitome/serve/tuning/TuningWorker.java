package ai.epitome.serve.tuning;

import ai.epitome.serve.metering.TrainingMeter;
import ai.epitome.serve.store.FileStore;
import ai.epitome.serve.store.LeasedWork;
import ai.epitome.serve.store.TuningStore;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;
import tools.jackson.databind.json.JsonMapper;

/// Looks for fine-tuning jobs on which nobody works, and works on them, one at a time: each takes all the memory and
/// time that there is. What a process that was stopped or killed has left is gone on with from its newest checkpoint.
public final class TuningWorker {
    /// In the object of a job: tokens that it was trained on until it was last written. Clients are not told.
    public static final String TRAINED_SO_FAR = "trained_so_far";

    static final long LEASE_MILLIS = 15_000;

    private static final System.Logger LOG = System.getLogger(TuningWorker.class.getName());
    private static final long POLL_MILLIS = 2_000;
    private static final long CLOSE_MILLIS = 20_000;

    /// What models are called, and where they are.
    @FunctionalInterface
    public interface Bases {
        /// @param owner who asks
        /// @param model name of a model that is served
        Optional<TuningBase> find(String owner, String model);
    }

    /// What a run needs.
    ///
    /// @param folder where jobs keep their files
    /// @param ids new ids, by their prefix
    /// @param stopping whether the service is being stopped
    public record Tools(
            TuningStore store,
            FileStore files,
            Path folder,
            TuningProgram program,
            Bases bases,
            TrainingMeter meter,
            UnaryOperator<String> ids,
            BooleanSupplier stopping) {}

    private final Tools tools;
    private final Semaphore awake = new Semaphore(0);
    private Thread working;

    public TuningWorker(Tools tools) {
        this.tools = tools;
    }

    /// Begins to look, until the service stops.
    public void start() {
        working = Thread.ofVirtual().name("fine-tuning").start(this::work);
    }

    /// Waits until the process of the job under way has kept a checkpoint and ended; the service must be stopping.
    public void awaitEnd() throws InterruptedException {
        wake();
        if (!working.join(Duration.ofMillis(CLOSE_MILLIS))) {
            LOG.log(Level.WARNING, "A fine-tuning job does not stop; it is gone on with when its lease has run out");
        }
    }

    /// There is something new.
    public void wake() {
        awake.release();
    }

    static long trainedSoFar(LeasedWork job) {
        return JsonMapper.shared().readTree(job.body()).path(TRAINED_SO_FAR).longValue(0);
    }

    /// A job has been cancelled. Who works on it settles it at the end of that; otherwise it is settled now.
    public void cancelled(LeasedWork job) {
        try {
            tools.store
                    .find(job.owner(), job.id())
                    .filter(now -> now.leaseUntil() < System.currentTimeMillis())
                    .ifPresent(now -> settle(tools, now));
        } catch (RuntimeException e) {
            LOG.log(Level.ERROR, "The usage of " + job.id() + " could not be written for now; it is tried again", e);
        }
    }

    /// What a job that has ended early was trained on is paid for, once, whoever asks. Nobody may work on it any more.
    static void settle(Tools tools, LeasedWork job) {
        long tokens = trainedSoFar(job);
        String model = JsonMapper.shared().readTree(job.body()).path("model").stringValue();
        String base = tools.bases.find(job.owner(), model).map(TuningBase::name).orElse(model);
        tools.store.settle(
                job.id(), tokens == 0 ? Optional.empty() : Optional.of(tools.meter.row(job, base, tokens, true)));
    }

    private void work() {
        try {
            while (!tools.stopping.getAsBoolean()) {
                if (!workOnOne()) {
                    awake.tryAcquire(POLL_MILLIS, TimeUnit.MILLISECONDS);
                    awake.drainPermits();
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /// @return whether there was one
    private boolean workOnOne() throws InterruptedException {
        try {
            long now = System.currentTimeMillis();
            tools.store.unsettled(now).forEach(job -> settle(tools, job));
            for (LeasedWork job : tools.store.waiting(now)) {
                String model =
                        JsonMapper.shared().readTree(job.body()).path("model").stringValue();
                Optional<TuningBase> base = tools.bases.find(job.owner(), model);
                if (base.isPresent() && tools.store.claim(job, now + LEASE_MILLIS)) {
                    new TuningRun(tools, job, base.get()).run();
                    return true;
                }
            }
        } catch (RuntimeException | Error e) {
            LOG.log(Level.ERROR, "A fine-tuning job failed for now; it is tried again", e);
        }
        return false;
    }
}
