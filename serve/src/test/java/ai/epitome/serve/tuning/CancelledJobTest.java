package ai.epitome.serve.tuning;

import static ai.epitome.serve.tuning.JobReplica.FINISHED;
import static ai.epitome.serve.tuning.JobReplica.STARTED;
import static ai.epitome.serve.tuning.JobReplica.measured;
import static ai.epitome.serve.tuning.JobReplica.script;
import static ai.epitome.serve.tuning.JobReplica.told;
import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.serve.EpitomeServer;
import ai.epitome.serve.ServerConfig;
import ai.epitome.serve.account.Price;
import ai.epitome.serve.account.UsageRow;
import ai.epitome.serve.registry.ModelRegistry;
import ai.epitome.serve.store.LeasedWork;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;

/// A cancel that races with the end of its job, one service asked for it while another works: whichever comes first,
/// status, events, model and bill tell the same.
@DisabledOnOs(OS.WINDOWS)
class CancelledJobTest {
    private static final int RACES = 12;

    @TempDir
    Path folder;

    private final HttpClient http = HttpClient.newHttpClient();

    /// What is asked for cancels: a service that trains nothing itself.
    private EpitomeServer serve(JobReplica replica) {
        replica.accounts.prices().set(JobReplica.MODEL, new Price(0, 0, 0, 2));
        return EpitomeServer.start(
                ServerConfig.local(0), new ModelRegistry(), Optional.empty(), replica.accounts, Optional.empty());
    }

    private HttpResponse<String> cancel(EpitomeServer server, LeasedWork job) {
        try {
            return http.send(
                    HttpRequest.newBuilder(URI.create(server.uri() + "v1/fine_tuning/jobs/" + job.id() + "/cancel"))
                            .POST(HttpRequest.BodyPublishers.noBody())
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /// @param whole status of a job that nobody cancels
    private static void assertAgreement(JobReplica replica, LeasedWork job, HttpResponse<String> answer, String whole) {
        JsonNode body = replica.body(job);
        boolean cancelled = answer.statusCode() == 200;
        String status = cancelled ? "cancelled" : whole;
        assertThat(answer.body()).contains(cancelled ? "\"cancelled\"" : "job_" + whole);
        assertThat(replica.find(job).status()).isEqualTo(status);
        assertThat(body.path("status").stringValue()).isEqualTo(status);
        boolean succeeded = status.equals("succeeded");
        String name = "ft:base:mine:" + job.id().substring(job.id().length() - 12);
        assertThat(replica.store.model(job.owner(), name).isPresent()).isEqualTo(succeeded);
        assertThat(body.path("fine_tuned_model").isString()).isEqualTo(succeeded);
        assertThat(replica.events(job).contains("successfully completed")).isEqualTo(succeeded);
        assertThat(body.path("error").isObject()).isEqualTo(status.equals("failed"));
        assertThat(replica.events(job).contains("no good")).isEqualTo(status.equals("failed"));
        List<UsageRow> rows = replica.rows(job);
        long tokens = rows.stream().mapToLong(UsageRow::trainingTokens).sum();
        assertThat(body.path("trained_so_far").longValue()).isEqualTo(tokens);
        if (succeeded) {
            assertThat(body.path("trained_tokens").longValue()).isEqualTo(tokens);
        }
        assertThat(rows).hasSize(tokens == 0 ? 0 : 1).allSatisfy(row -> {
            assertThat(row.status()).isEqualTo(succeeded ? 200 : 499);
            assertThat(row.costPico()).isEqualTo(2 * tokens);
        });
        assertThat(replica.store.unsettled(Long.MAX_VALUE)).isEmpty();
    }

    private TuningProgram program(String script) {
        return job -> {
            Files.writeString(job.resolve("results.csv"), "step,train_loss\n1,2.5\n");
            return script(script);
        };
    }

    @ParameterizedTest
    @MethodSource("ai.epitome.serve.account.TestDatabases#urls")
    void aCancelBetweenTheEndOfTrainingAndThatOfTheJobWins(String url) throws Exception {
        try (var replica = new JobReplica(url, folder);
                EpitomeServer server = serve(replica)) {
            LeasedWork job = replica.create("ftjob-0123456789ab", "");
            CompletableFuture<HttpResponse<String>> answer = new CompletableFuture<>();
            replica.ids = prefix -> {
                answer.complete(cancel(server, job));
                return prefix + "1";
            };
            replica.work(job, program(told(STARTED, measured(1, 20), FINISHED)));
            assertThat(answer.join().statusCode()).isEqualTo(200);
            assertAgreement(replica, job, answer.join(), "succeeded");
            assertThat(replica.rows(job)).extracting(UsageRow::trainingTokens).containsExactly(77L);
            assertThat(replica.trained()).isEqualTo(77);
        }
    }

    @ParameterizedTest
    @MethodSource("ai.epitome.serve.account.TestDatabases#urls")
    void aCancelAfterTheEndIsRefused(String url) throws Exception {
        try (var replica = new JobReplica(url, folder);
                EpitomeServer server = serve(replica)) {
            LeasedWork job = replica.create("ftjob-0123456789ab", "");
            replica.work(job, program(told(STARTED, FINISHED)));
            HttpResponse<String> answer = cancel(server, job);
            assertThat(answer.statusCode()).isEqualTo(409);
            assertAgreement(replica, job, answer, "succeeded");
            assertThat(replica.trained()).isEqualTo(77);
        }
    }

    /// Both are let go at the same moment, the cancel from the beginning of the end, or from that of training.
    @ParameterizedTest
    @MethodSource("ai.epitome.serve.account.TestDatabases#urls")
    void whicheverComesFirst(String url) throws Exception {
        String failed = "{\"event\":\"failed\",\"code\":\"c\",\"param\":null,\"message\":\"no good\"}";
        try (var replica = new JobReplica(url, folder);
                EpitomeServer server = serve(replica)) {
            for (int race = 0; race < RACES; race++) {
                boolean good = race % 2 == 0;
                boolean afterTraining = !good || race % 4 == 0;
                LeasedWork job = replica.create("ftjob-%012x".formatted(race), "");
                CountDownLatch begun = new CountDownLatch(1);
                replica.ids = prefix -> {
                    begun.countDown();
                    return prefix + "results-" + job.id();
                };
                CompletableFuture<HttpResponse<String>> answer = CompletableFuture.supplyAsync(
                        () -> {
                            try {
                                begun.await();
                            } catch (InterruptedException e) {
                                throw new IllegalStateException(e);
                            }
                            return cancel(server, job);
                        },
                        Thread::startVirtualThread);
                TuningProgram whole = program(told(STARTED, measured(1, 20), good ? FINISHED : failed));
                replica.work(job, at -> {
                    Process process = whole.start(at);
                    if (afterTraining) {
                        try {
                            process.waitFor();
                        } catch (InterruptedException e) {
                            throw new IOException(e);
                        }
                        begun.countDown();
                    }
                    return process;
                });
                assertAgreement(replica, job, answer.join(), good ? "succeeded" : "failed");
            }
        }
    }
}
