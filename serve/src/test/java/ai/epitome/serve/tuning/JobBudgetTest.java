package ai.epitome.serve.tuning;

import static ai.epitome.serve.tuning.JobReplica.FINISHED;
import static ai.epitome.serve.tuning.JobReplica.STARTED;
import static ai.epitome.serve.tuning.JobReplica.measured;
import static ai.epitome.serve.tuning.JobReplica.script;
import static ai.epitome.serve.tuning.JobReplica.told;
import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.serve.account.KeyLimits;
import ai.epitome.serve.account.KeyStore;
import ai.epitome.serve.account.Price;
import ai.epitome.serve.account.Scope;
import ai.epitome.serve.account.UsageRow;
import ai.epitome.serve.account.UsageStore;
import ai.epitome.serve.store.LeasedWork;
import ai.epitome.serve.store.TuningStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.EnumSet;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// A job whose key's budget comes to its end.
@DisabledOnOs(OS.WINDOWS)
class JobBudgetTest {
    private static final long BUDGET_MICROS = 100;
    private static final long PRICE_MICROS = 5_000_000; // twenty tokens are the budget

    @TempDir
    Path folder;

    private static String key(JobReplica replica, OptionalLong budget) {
        KeyStore.Created made = replica.accounts
                .keys()
                .create(
                        "k",
                        EnumSet.of(Scope.INFERENCE, Scope.FILES),
                        new KeyLimits(OptionalLong.empty(), OptionalLong.empty(), budget),
                        Instant.now(),
                        Optional.empty());
        return made.key().id();
    }

    /// What one job has trained when it is asked to stop is kept and paid for, and the next one does not begin.
    @ParameterizedTest
    @MethodSource("ai.epitome.serve.account.TestDatabases#urls")
    void aJobStopsWithACheckpointWhenTheBudgetIsUsedUp(String url) throws Exception {
        try (var replica = new JobReplica(url, folder)) {
            replica.accounts.prices().set(JobReplica.MODEL, new Price(0, 0, 0, PRICE_MICROS));
            String owner = key(replica, OptionalLong.of(BUDGET_MICROS));
            LeasedWork job = replica.create("ftjob-0123456789ab", owner);
            String kept =
                    "{\"event\":\"checkpointed\",\"step\":2,\"folder\":\"model/checkpoints/step-2\",\"values\":{}}";
            replica.work(job, at -> {
                Files.createDirectories(at.resolve("model/checkpoints/step-2"));
                return script(told(STARTED, measured(1, 20)) + "; cat > /dev/null; " + told(measured(2, 24), kept)
                        + "; exit 130");
            });
            assertThat(replica.find(job).status()).isEqualTo("failed");
            assertThat(replica.body(job).path("error").path("code").stringValue())
                    .isEqualTo("insufficient_quota");
            assertThat(replica.body(job).path("error").path("message").stringValue())
                    .contains("budget of 0.0001 for", "is used up. The job ends with its newest checkpoint.");
            assertThat(replica.events(job)).contains("is used up").doesNotContain("ended unexpectedly");
            assertThat(replica.store.checkpoints(job.id()))
                    .extracting(TuningStore.Model::step)
                    .containsExactly(2L);
            assertThat(replica.rows(job)).hasSize(1).allSatisfy(row -> {
                assertThat(row.trainingTokens()).isEqualTo(24);
                assertThat(row.status()).isEqualTo(499);
                assertThat(row.costPico()).isEqualTo(24 * PRICE_MICROS);
            });
            assertThat(replica.trained()).isEqualTo(24);
            assertThat(replica.accounts.usage().spentPico(owner, UsageStore.month(Instant.now())))
                    .isEqualTo(24 * PRICE_MICROS);

            LeasedWork next = replica.create("ftjob-ba9876543210", owner);
            replica.work(next, _ -> {
                throw new AssertionError("nothing is left that it could be trained for");
            });
            assertThat(replica.body(next).path("error").path("code").stringValue())
                    .isEqualTo("insufficient_quota");
            assertThat(replica.rows(next)).isEmpty();
        }
    }

    @ParameterizedTest
    @MethodSource("ai.epitome.serve.account.TestDatabases#urls")
    void aJobThatTheBudgetReachesForSucceeds(String url) throws Exception {
        try (var replica = new JobReplica(url, folder)) {
            replica.accounts.prices().set(JobReplica.MODEL, new Price(0, 0, 0, 1));
            LeasedWork job = replica.create("ftjob-0123456789ab", key(replica, OptionalLong.of(BUDGET_MICROS)));
            replica.work(job, at -> {
                Files.writeString(at.resolve("results.csv"), "step\n");
                return script(told(STARTED, measured(1, 20), FINISHED));
            });
            assertThat(replica.find(job).status()).isEqualTo("succeeded");
            assertThat(replica.rows(job)).extracting(UsageRow::costPico).containsExactly(77L);
        }
    }
}
