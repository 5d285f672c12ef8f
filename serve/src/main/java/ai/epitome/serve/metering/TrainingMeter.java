package ai.epitome.serve.metering;

import ai.epitome.serve.account.Accounts;
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
    private final ServiceMetrics metrics;

    TrainingMeter(Accounts accounts, ServiceMetrics metrics) {
        this.accounts = accounts;
        this.metrics = metrics;
    }

    /// The usage row of a job that is over, at the price of now. Its id is the job's, so that there is one, whoever
    /// writes it.
    ///
    /// @param model that was trained
    /// @param endedEarly whether the job was cancelled, or failed, on its way
    public UsageRow row(LeasedWork job, String model, long tokens, boolean endedEarly) {
        Instant now = Instant.now();
        Price price = accounts.prices().find(model).orElse(Price.FREE);
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
                price.trainingPico(tokens),
                List.of());
    }

    /// This process has trained a model on more tokens, and they are kept as those of their job.
    public void trained(String model, long tokens) {
        metrics.trained(model, tokens);
    }
}
