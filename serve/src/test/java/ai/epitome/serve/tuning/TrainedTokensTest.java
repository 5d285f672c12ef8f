package ai.epitome.serve.tuning;

import static ai.epitome.serve.tuning.JobReplica.FINISHED;
import static ai.epitome.serve.tuning.JobReplica.STARTED;
import static ai.epitome.serve.tuning.JobReplica.measured;
import static ai.epitome.serve.tuning.JobReplica.script;
import static ai.epitome.serve.tuning.JobReplica.told;
import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.serve.account.UsageRow;
import ai.epitome.serve.store.LeasedWork;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CyclicBarrier;
import java.util.stream.Stream;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Each replica counts the tokens that it has trained on itself, and all of them together what is billed.
@DisabledOnOs(OS.WINDOWS)
class TrainedTokensTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @MethodSource("ai.epitome.serve.account.TestDatabases#urls")
    void aJobThatGoesOnElsewhereIsCountedWhereItIsTrained(String url) throws Exception {
        try (var first = new JobReplica(url, folder);
                var second = new JobReplica(url, folder)) {
            LeasedWork job = first.create("ftjob-0123456789ab", "");
            first.work(job, _ -> {
                Process process = script(told(STARTED, measured(1, 20)));
                first.stopping = true;
                return process;
            });
            assertThat(first.find(job).status()).isEqualTo("running");
            assertThat(first.trained()).isEqualTo(20);
            assertThat(first.rows(job)).isEmpty();
            // It goes on from a checkpoint that is older than what was trained.
            second.work(second.find(job), _ -> script(told(STARTED, measured(1, 15), measured(2, 50), FINISHED)));
            assertThat(second.rows(job)).extracting(UsageRow::trainingTokens).containsExactly(77L);
            assertThat(first.trained()).isEqualTo(20);
            assertThat(second.trained()).isEqualTo(57);
        }
    }

    @ParameterizedTest
    @MethodSource("ai.epitome.serve.account.TestDatabases#urls")
    void whoeverSettlesAJobOfAnotherCountsNothing(String url) throws Exception {
        try (var first = new JobReplica(url, folder);
                var second = new JobReplica(url, folder)) {
            LeasedWork job = first.create("ftjob-0123456789ab", "");
            first.work(job, _ -> {
                Process process = script(told(STARTED, measured(1, 20)));
                first.stopping = true;
                return process;
            });
            LeasedWork left = first.find(job);
            assertThat(first.store.change(left, "cancelled", left.body())).isTrue();
            CyclicBarrier both = new CyclicBarrier(2);
            Stream.of(first, second)
                    .map(replica -> CompletableFuture.runAsync(
                            () -> {
                                try {
                                    both.await();
                                } catch (Exception e) {
                                    throw new IllegalStateException(e);
                                }
                                TuningWorker.settle(replica.tools(_ -> script("exit 1")), replica.find(job));
                            },
                            Thread::startVirtualThread))
                    .toList()
                    .forEach(CompletableFuture::join);
            assertThat(first.rows(job)).extracting(UsageRow::trainingTokens).containsExactly(20L);
            assertThat(first.trained()).isEqualTo(20);
            assertThat(second.trained()).isZero();
            assertThat(first.store.unsettled(Long.MAX_VALUE)).isEmpty();
        }
    }
}
