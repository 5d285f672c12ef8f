package ai.epitome.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.epitome.serve.page.ProgressEvent;
import ai.epitome.serve.page.TrainingProgress;
import ai.epitome.serve.registry.ModelRegistry;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;

/// The service as a whole: start, queue, clients that leave, progress, stop.
class ServiceTest {
    private static final String LONG = "{\"model\": \"fake\", \"prompt\": \"x\", \"max_tokens\": 4000, \"stream\": %s}";

    private static void await(BooleanSupplier condition) throws InterruptedException {
        long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("waited too long").isLessThan(deadline);
            Thread.sleep(5);
        }
    }

    private static Socket send(TestServer server, String body) throws Exception {
        Socket socket = server.connect();
        socket.getOutputStream()
                .write(("POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                                + "Content-Length: " + body.length() + "\r\n\r\n" + body)
                        .getBytes(StandardCharsets.US_ASCII));
        return socket;
    }

    @Test
    void aPortInUseIsSaidPlainly() {
        try (var server = TestServer.start()) {
            assertThatThrownBy(() -> EpitomeServer.start(
                            ServerConfig.local(server.port()), new ModelRegistry(), Optional.empty()))
                    .isInstanceOf(ServerStartException.class)
                    .hasMessageContaining("127.0.0.1:" + server.port())
                    .hasMessageContaining("in use")
                    .hasMessageContaining("--port");
        }
    }

    @Test
    void anUnknownHostIsSaidPlainly() {
        assertThatThrownBy(() -> EpitomeServer.start(
                        ServerConfig.local(0).with(c -> c.host = "no.such.host.invalid"),
                        new ModelRegistry(),
                        Optional.empty()))
                .isInstanceOf(ServerStartException.class)
                .hasMessageContaining("no.such.host.invalid");
    }

    @Test
    void isReadyOnceThereIsAModel() throws Exception {
        try (var server = TestServer.start()) {
            assertThat(server.get("/health/ready").statusCode()).isEqualTo(200);
            server.models.remove(TestServer.MODEL);
            assertThat(server.get("/health/ready").statusCode()).isEqualTo(503);
            assertThat(server.get("/health").statusCode()).isEqualTo(200);
            HttpResponse<String> response = server.post("{\"model\": \"fake\"}");
            assertThat(response.statusCode()).isEqualTo(503);
            assertThat(response.headers().firstValue("Retry-After")).isPresent();
            assertThat(response.body()).contains("model_not_ready");
        }
    }

    @Test
    void oneAtATimeAndTheRestWaitOrAreTurnedAway() throws Exception {
        try (var server = TestServer.start(TestServer.config(1 << 20, Duration.ofSeconds(30), 2), 0, Optional.empty());
                var clients = Executors.newVirtualThreadPerTaskExecutor()) {
            server.model.allowed = 0;
            List<Future<HttpResponse<String>>> answers = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                answers.add(clients.submit(() -> server.post("{\"model\": \"fake\", \"max_tokens\": 30}")));
            }
            await(() -> answers.stream().filter(Future::isDone).count() == 5);
            for (Future<HttpResponse<String>> answer : answers) {
                if (answer.isDone()) {
                    assertThat(answer.get().statusCode()).isEqualTo(429);
                    assertThat(answer.get().body()).contains("rate_limit_error");
                    assertThat(answer.get().headers().firstValue("Retry-After")).isPresent();
                }
            }
            server.model.allowed = Integer.MAX_VALUE;
            var statuses = new ArrayList<Integer>();
            for (Future<HttpResponse<String>> answer : answers) {
                statuses.add(answer.get().statusCode());
            }
            assertThat(statuses).containsOnly(200, 429);
            assertThat(statuses).filteredOn(status -> status == 200).hasSize(3);
            assertThat(server.model.mostRunning.get()).isEqualTo(1);
        }
    }

    @Test
    @SuppressWarnings("try") // leaving early is what is tested
    void aClientThatLeavesFreesItsPlace() throws Exception {
        try (var server = TestServer.start(10)) {
            for (String stream : new String[] {"true", "false"}) {
                try (Socket socket = send(server, LONG.formatted(stream))) {
                    await(() -> server.model.running.get() == 1);
                }
                int before = server.model.generated.get();
                await(() -> server.model.running.get() == 0);
                assertThat(server.model.generated.get() - before)
                        .as("tokens of 10 ms")
                        .isLessThan(100);
            }
            assertThat(server.post("{\"model\": \"fake\"}").statusCode()).isEqualTo(200);
        }
    }

    @Test
    void aClientThatDoesNotReadFreesItsPlace() throws Exception {
        var config = TestServer.config(1 << 20, Duration.ofSeconds(1), 2);
        try (var server = TestServer.start(config, 0, Optional.empty());
                Socket socket = send(server, """
                        {"model": "fake", "max_tokens": 4000, "n": 16, "logprobs": 5, "stream": true}""")) {
            await(() -> server.model.generated.get() > 0);
            await(() -> server.model.running.get() == 0);
            assertThat(server.model.generated.get()).isLessThan(16 * 4000);
            assertThat(server.post("{\"model\": \"fake\"}").statusCode()).isEqualTo(200);
            assertThat(socket.isClosed()).isFalse();
        }
    }

    /// They are generated together, and end together; what was generated counts.
    @Test
    void aClientThatLeavesEndsAllOfItsChoices() throws Exception {
        try (var server = TestServer.start()) {
            UntrainedModel.on(server);
            try (Socket socket = send(server, """
                        {"model": "untrained", "prompt": "a", "max_tokens": 4000, "n": 16, "stream": true}""")) {
                assertThat(socket.getInputStream().readNBytes(4000)).hasSize(4000);
            }
            await(() -> metric(server, "vllm:num_requests_running") == 0);
            assertThat(metric(server, "vllm:generation_tokens_total")).isBetween(16L, 16 * 4000L - 1);
        }
    }

    private static long metric(TestServer server, String name) {
        try {
            return UsageTest.metric(server.get("/metrics").body(), name);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    @SuppressWarnings("try") // leaving early is what is tested
    void aClientThatLeavesTheQueueIsNeverServed() throws Exception {
        try (var server = TestServer.start(5);
                Socket first = send(server, LONG.formatted("true"))) {
            await(() -> server.model.running.get() == 1);
            send(server, LONG.formatted("false")).close();
            Socket third = send(server, "{\"model\": \"fake\", \"max_tokens\": 7, \"temperature\": 0}");
            first.close();
            String answer = new String(third.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(answer).startsWith("HTTP/1.1 200").contains("\"text\":\"To be, \"");
            third.close();
        }
    }

    @Test
    void closingLetsShortGenerationsEndAndCutsLongOnes() throws Exception {
        var server = TestServer.start(5);
        CompletableFuture<HttpResponse<String>> shortOne = CompletableFuture.supplyAsync(() -> {
            try {
                return server.post("{\"model\": \"fake\", \"max_tokens\": 60, \"stream\": true}");
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
        await(() -> server.model.running.get() == 1);
        server.server.close();
        assertThat(shortOne.get().body()).endsWith("data: [DONE]\n\n");
        server.close();

        var busy = TestServer.start(TestServer.config(1 << 20, Duration.ofSeconds(5), 2), 20, Optional.empty());
        try (Socket socket = send(busy, LONG.formatted("true"))) {
            await(() -> busy.model.running.get() == 1);
            busy.close();
            String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(answer).contains("The server is stopping").doesNotContain("[DONE]");
        }
        assertThat(busy.model.running.get()).isZero();
    }

    @Test
    @SuppressWarnings("try") // leaving early is what is tested
    void progressBeginsWithHistoryAndGoesOn() throws Exception {
        var progress = new TrainingProgress();
        FakeTraining.begin(progress);
        FakeTraining.step(progress, 25);
        try (var server = TestServer.start(ServerConfig.local(0), 0, Optional.of(progress));
                Socket socket = server.connect()) {
            socket.getOutputStream()
                    .write("GET /api/progress HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            var lines = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
            assertThat(dataAfter(lines, "event: history"))
                    .contains("\"gzip -9\":3.0964", "\"phase\":\"training\"", "\"held_out\":[{\"step\":25,");
            FakeTraining.step(progress, 26);
            assertThat(dataAfter(lines, "event: point")).contains("\"step\":26", "\"held_out_bits_per_byte\":null");
            progress.publish(new ProgressEvent.StatusChanged(ProgressEvent.Phase.FAILED, "disk full"));
            assertThat(dataAfter(lines, "event: status")).contains("\"phase\":\"failed\"", "disk full");
            socket.close();
            await(() -> {
                progress.publish(new ProgressEvent.Sample(1, "", "x"));
                return progress.listeners() == 0;
            });
        }
    }

    @Test
    void withoutTrainingThereIsNoProgress() throws Exception {
        try (var server = TestServer.start()) {
            assertThat(server.get("/api/progress").statusCode()).isEqualTo(204);
        }
    }

    private static String dataAfter(BufferedReader lines, String event) throws Exception {
        String line = lines.readLine();
        while (!line.equals(event)) {
            line = lines.readLine();
        }
        return lines.readLine();
    }
}
