package ai.epitome.serve.metering;

import ai.epitome.serve.account.Accounts;
import ai.epitome.serve.account.Limiter;
import ai.epitome.serve.account.Price;
import ai.epitome.serve.account.UsageRow;
import ai.epitome.serve.metric.ServiceMetrics;
import ai.epitome.serve.store.LeasedWork;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// Counts what fine-tuning jobs are trained on.
public final class TrainingMeter {
    private final Accounts accounts;
    private final Limiter limiter;
    private final ServiceMetrics metrics;

    TrainingMeter(Accounts accounts, Limiter limiter, ServiceMetrics metrics) {
        this.accounts = accounts;
        this.limiter = limiter;
        this.metrics = metrics;
    }

    /// The usage row of a job that is over, at the price of now. Its id is the job's, so that there is one, whoever
    /// writes it.
    ///
    /// @param model that was trained
    /// @param endedEarly whether the job was cancelled, or failed, on its way
    public UsageRow row(LeasedWork job, String model, long tokens, boolean endedEarly) {
        Instant now = Instant.now();
        return new UsageRow(
                job.id(),
                now,
                Optional.of(job.owner()).filter(owner -> !owner.isEmpty()),
                Optional.of(model),
                "/v1/fine_tuning/jobs",
                0,
                0,
                0,
                tokens,
                endedEarly ? Metering.CLIENT_WENT_AWAY : 200,
                Duration.between(Instant.ofEpochSecond(job.createdAt()), now).toNanos() / 1_000,
                costPico(model, tokens),
                List.of());
    }

    /// What training a model costs, at the price of now, in millionths of a millionth.
    public long costPico(String model, long tokens) {
        return accounts.prices().find(model).orElse(Price.FREE).trainingPico(tokens);
    }

    /// What holds the cost of a job against its owner's budget; empty for one of nobody's.
    public Optional<Limiter.Tab> open(String owner) {
        return accounts.keys().list().stream()
                .filter(key -> key.id().equals(owner))
                .findFirst()
                .map(limiter::open);
    }

    /// This process has trained a model on more tokens, and they are kept as those of their job.
    public void trained(String model, long tokens) {
        metrics.trained(model, tokens);
    }
}
