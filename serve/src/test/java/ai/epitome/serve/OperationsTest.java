package ai.epitome.serve;

import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.serve.account.Accounts;
import ai.epitome.serve.account.Database;
import ai.epitome.serve.account.KeyLimits;
import ai.epitome.serve.account.Scope;
import ai.epitome.serve.http.TraceParent;
import ai.epitome.serve.metering.JsonLog;
import ai.epitome.serve.metering.RequestLog;
import java.net.http.HttpResponse;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// What those see who run the service.
class OperationsTest {
    private static final String TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    @Test
    void everyAnswerHasAnIdOfItsOwn() throws Exception {
        try (TestServer server = TestServer.start()) {
            List<String> answers = new ArrayList<>();
            for (String request : List.of(
                    "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                    "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                    "GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                    "GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
                    "GET / HTTP/1.1\r\nHost: localhost\r\nBad Header\r\n\r\n",
                    "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\n{")) {
                answers.add(server.raw(request));
            }
            answers.add("x-request-id: " + id(server.post("{\"model\": \"fake\", \"stream\": true}")));
            assertThat(answers)
                    .allSatisfy(answer -> assertThat(answer).containsPattern("(?i)x-request-id: req_[0-9a-f]{32}"));
            assertThat(answers.stream().map(answer -> answer.replaceAll("(?s).*(req_[0-9a-f]{32}).*", "$1")))
                    .doesNotHaveDuplicates();
        }
    }

    private static String id(HttpResponse<String> response) {
        return response.headers().firstValue("x-request-id").orElse("none");
    }

    @Test
    void readinessGoesDownWhileStreamsEnd() throws Exception {
        TestServer server = TestServer.start(5);
        CompletableFuture<HttpResponse<String>> stream = CompletableFuture.supplyAsync(
                () -> post(server, "{\"model\": \"fake\", \"max_tokens\": 200, \"stream\": true}"));
        while (server.model.generated.get() == 0) {
            Thread.sleep(2);
        }
        Thread closing = Thread.ofPlatform().start(server.server::close);
        HttpResponse<String> ready = server.get("/health/ready");
        while (ready.statusCode() == 200) {
            ready = server.get("/health/ready");
        }
        assertThat(stream).isNotDone();
        assertThat(ready.statusCode()).isEqualTo(503);
        assertThat(server.get("/health").statusCode()).isEqualTo(200);
        HttpResponse<String> late = post(server, "{\"model\": \"fake\"}");
        assertThat(late.statusCode()).isEqualTo(503);
        assertThat(late.headers().firstValue("Retry-After")).isPresent();
        assertThat(stream.get().body()).endsWith("data: [DONE]\n\n");
        closing.join();
        server.close();
    }

    private static HttpResponse<String> post(TestServer server, String body) {
        try {
            return server.post(body);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void metricsHaveOurNamesAndThoseThatRoutersKnow() throws Exception {
        try (TestServer server = TestServer.start()) {
            server.post("{\"model\": \"fake\", \"prompt\": \"abc\", \"max_tokens\": 9}");
            HttpResponse<String> response = server.get("/metrics");
            assertThat(response.headers().firstValue("Content-Type"))
                    .hasValue("text/plain; version=0.0.4; charset=utf-8");
            assertThat(response.body())
                    .contains(
                            "epitome_tokens_total{kind=\"completion\",model_name=\"fake\"} 9.0",
                            "epitome_http_requests_seconds_count{method=\"POST\",route=\"/v1/completions\",status=\"200\"} 1",
                            "vllm:num_requests_running{model_name=\"fake\"} 0.0",
                            "vllm:num_requests_waiting{model_name=\"fake\"} 0.0",
                            "vllm:prompt_tokens_total{model_name=\"fake\"} 3.0",
                            "vllm:generation_tokens_total{model_name=\"fake\"} 9.0",
                            "vllm:prefix_cache_queries_total{model_name=\"fake\"} 3.0",
                            "vllm:prefix_cache_hits_total{model_name=\"fake\"} 0.0",
                            "vllm:request_success_total{finished_reason=\"length\",model_name=\"fake\"} 1.0",
                            "vllm:time_to_first_token_seconds_bucket{model_name=\"fake\",le=\"0.001\"}",
                            "vllm:time_to_first_token_seconds_count{model_name=\"fake\"} 1",
                            "vllm:inter_token_latency_seconds_sum{model_name=\"fake\"}",
                            "vllm:e2e_request_latency_seconds_bucket{model_name=\"fake\",le=\"480.0\"} 1",
                            "vllm:request_queue_time_seconds_count{model_name=\"fake\"} 1",
                            "vllm:request_generation_tokens_bucket{model_name=\"fake\",le=\"10.0\"} 1",
                            "jvm_memory_used_bytes{");
        }
    }

    @Test
    void metricsNeedTheirScopeWhereKeysAreNeeded() throws Exception {
        try (Accounts accounts = new Accounts(Database.inMemory());
                TestServer server = TestServer.start(ServerConfig.local(0).with(c -> c.host = "0.0.0.0"), accounts)) {
            String scraper = accounts.keys()
                    .create("p", EnumSet.of(Scope.METRICS), KeyLimits.NONE, Instant.now(), Optional.empty())
                    .secret();
            assertThat(server.get("/metrics").statusCode()).isEqualTo(401);
            String metrics = server.withKey(scraper).get("/metrics").body();
            assertThat(UsageTest.metric(metrics, "epitome_keys_refused_total")).isEqualTo(1);
            assertThat(server.withKey(scraper).get("/v1/models").statusCode()).isEqualTo(403);
        }
    }

    @Test
    void theLogSaysWhatHappenedButNotWhatWasWritten() throws Exception {
        List<String> lines = Collections.synchronizedList(new ArrayList<>());
        JsonLog format = JsonLog.format();
        Handler keep = new Handler() {
            @Override
            public void publish(LogRecord line) {
                lines.add(format.format(line));
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        };
        Level level = RequestLog.LOG.getLevel();
        RequestLog.LOG.setLevel(Level.FINE);
        RequestLog.LOG.addHandler(keep);
        try (Accounts accounts = new Accounts(Database.inMemory());
                TestServer server = TestServer.start(ServerConfig.local(0), accounts)) {
            String secret = accounts.keys()
                    .create("k", EnumSet.of(Scope.INFERENCE), KeyLimits.NONE, Instant.now(), Optional.empty())
                    .secret();
            String body = "{\"model\": \"fake\", \"prompt\": \"a secret prompt\", \"max_tokens\": 5}";
            String answer =
                    server.raw("POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                            + "Authorization: Bearer " + secret + "\r\ntraceparent: " + TRACE + "\r\nContent-Length: "
                            + body.length() + "\r\n\r\n" + body);
            for (int i = 0; i < 1_000 && lines.isEmpty(); i++) {
                Thread.sleep(5);
            }
            assertThat(lines).hasSize(1);
            assertThat(lines.getFirst()).endsWith("}\n").doesNotContain("secret prompt", secret.substring(3));
            JsonNode line = new JsonMapper().readTree(lines.getFirst());
            assertThat(answer)
                    .containsIgnoringCase(
                            "x-request-id: " + line.get("request_id").asString());
            assertThat(line.get("trace_id").asString()).isEqualTo("4bf92f3577b34da6a3ce929d0e0e4736");
            assertThat(line.get("parent_span_id").asString()).isEqualTo("00f067aa0ba902b7");
            assertThat(line.get("route").asString()).isEqualTo("/v1/completions");
            assertThat(line.get("status").asInt()).isEqualTo(200);
            assertThat(line.get("prompt_tokens").asInt()).isEqualTo(15);
            assertThat(line.get("completion_tokens").asInt()).isEqualTo(5);
            assertThat(line.get("key_id").asString()).startsWith("key_");
        } finally {
            RequestLog.LOG.removeHandler(keep);
            RequestLog.LOG.setLevel(level);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01, true",
        "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more, true",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more, false",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01, false",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01, false",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01, false",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01, false",
        "'', false",
        "x, false"
    })
    void onlyProperTraceParentsAreTaken(String header, boolean valid) {
        assertThat(TraceParent.parse(header).isPresent()).isEqualTo(valid);
    }

    /// A flood of wrong keys, odd methods and trace headers is refused, and makes no row and few metrics.
    @Test
    void garbageLeavesLittleBehind() throws Exception {
        try (Accounts accounts = new Accounts(Database.inMemory());
                TestServer server = TestServer.start(ServerConfig.local(0).with(c -> c.host = "0.0.0.0"), accounts)) {
            for (String head : Stream.of(
                            "PURGE /v1/completions",
                            "POST /v1/%00",
                            "POST /v1/completions?key=ep-x",
                            "GET /health/../metrics",
                            "OPTIONS *")
                    .toList()) {
                String answer =
                        server.raw(head + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ep-\u00ff\r\ntraceparent: "
                                + "y".repeat(3_000) + "\r\nConnection: close\r\n\r\n");
                assertThat(answer).as(head).matches("(?s)HTTP/1\\.1 4\\d\\d .*");
            }
            assertThat(accounts.usage().totals(ai.epitome.serve.account.UsageStore.month(Instant.now())))
                    .isEmpty();
        }
    }
}
