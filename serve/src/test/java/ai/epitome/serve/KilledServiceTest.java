package ai.epitome.serve;

import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.serve.account.Accounts;
import ai.epitome.serve.account.Database;
import ai.epitome.serve.account.TestDatabases;
import ai.epitome.serve.account.UsageRow;
import ai.epitome.serve.account.UsageStore;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The service is killed under load: what a client was told that it used is in the database.
class KilledServiceTest {
    private static final int CLIENTS = 6;
    private static final int ANSWERS = 150;

    static Stream<String> databases() {
        return TestDatabases.urls().stream();
    }

    @ParameterizedTest
    @MethodSource("databases")
    void noUsageIsLostThatAClientHasSeen(String url) throws Exception {
        Map<String, Integer> acknowledged = new ConcurrentHashMap<>();
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "--add-modules",
                        "jdk.incubator.vector",
                        "-Xmx256m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        ServedProcess.class.getName(),
                        url)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (var out = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
                var clients = Executors.newVirtualThreadPerTaskExecutor();
                HttpClient http = HttpClient.newHttpClient()) {
            URI uri = URI.create("http://127.0.0.1:" + out.readLine() + "/v1/completions");
            for (int i = 0; i < CLIENTS; i++) {
                clients.submit(() -> ask(http, uri, acknowledged));
            }
            while (acknowledged.size() < ANSWERS && process.isAlive()) {
                Thread.sleep(2);
            }
            process.destroyForcibly().onExit().join(); // SIGKILL
        } finally {
            process.destroyForcibly();
        }
        assertThat(acknowledged).hasSizeGreaterThanOrEqualTo(ANSWERS);
        try (Accounts accounts = new Accounts(Database.open(url))) {
            Map<String, UsageRow> rows = accounts.usage().rows(UsageStore.month(Instant.now()), 100_000).stream()
                    .collect(Collectors.toMap(UsageRow::requestId, Function.identity()));
            acknowledged.forEach((id, tokens) -> {
                assertThat(rows).containsKey(id);
                assertThat(rows.get(id).completionTokens()).isEqualTo(tokens.longValue());
            });
        }
    }

    /// Asks until the server is gone; each answer has another length.
    private static Void ask(HttpClient http, URI uri, Map<String, Integer> acknowledged) throws InterruptedException {
        try {
            for (int tokens = 1; ; tokens++) {
                boolean stream = tokens % 2 == 0;
                HttpResponse<String> response = http.send(
                        HttpRequest.newBuilder(uri)
                                .header("Content-Type", "application/json")
                                .POST(HttpRequest.BodyPublishers.ofString(
                                        "{\"model\": \"fake\", \"max_tokens\": " + tokens + ", \"stream\": " + stream
                                                + ", \"stream_options\": "
                                                + (stream ? "{\"include_usage\": true}" : "null") + "}"))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
                if (response.body().contains("\"completion_tokens\":" + tokens + ",")) {
                    acknowledged.put(
                            response.headers().firstValue("x-request-id").orElseThrow(), tokens);
                }
            }
        } catch (IOException e) {
            return null; // it was killed
        }
    }
}
