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
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The service is killed under load: what a client was told that it used is in the database, and so is every key that
/// somebody was given.
class KilledServiceTest {
    private static final int CLIENTS = 6;
    private static final int ANSWERS = 150;
    private static final int KEYS = 20;

    static Stream<String> databases() {
        return TestDatabases.urls().stream();
    }

    @ParameterizedTest
    @MethodSource("databases")
    void nothingIsLostThatAClientHasSeen(String url) throws Exception {
        Map<String, Integer> acknowledged = new ConcurrentHashMap<>();
        List<String> keys = new CopyOnWriteArrayList<>();
        Process process = serve(url);
        try (BufferedReader out = output(process);
                var clients = Executors.newVirtualThreadPerTaskExecutor();
                HttpClient http = HttpClient.newHttpClient()) {
            URI uri = URI.create(ServedProcess.uri(out.readLine()) + "v1/completions");
            clients.submit(() -> out.lines().forEach(keys::add));
            for (int i = 0; i < CLIENTS; i++) {
                clients.submit(() -> ask(http, uri, acknowledged));
            }
            while ((acknowledged.size() < ANSWERS || keys.size() < KEYS) && process.isAlive()) {
                Thread.sleep(2);
            }
            process.destroyForcibly().onExit().join(); // SIGKILL
        } finally {
            process.destroyForcibly();
        }
        assertThat(acknowledged).hasSizeGreaterThanOrEqualTo(ANSWERS);
        assertThat(keys).hasSizeGreaterThanOrEqualTo(KEYS);
        try (Accounts accounts = new Accounts(Database.open(url))) {
            Map<String, UsageRow> rows = accounts.usage().rows(UsageStore.month(Instant.now()), 100_000).stream()
                    .collect(Collectors.toMap(UsageRow::requestId, Function.identity()));
            acknowledged.forEach((id, tokens) -> {
                assertThat(rows).containsKey(id);
                assertThat(rows.get(id).completionTokens()).isEqualTo(tokens.longValue());
            });
        }
        askAgain(url, keys);
    }

    /// The service goes on with the same database, and knows every key.
    private static void askAgain(String url, List<String> keys) throws Exception {
        Process process = serve(url);
        try (BufferedReader out = output(process);
                HttpClient http = HttpClient.newHttpClient()) {
            URI uri = URI.create(ServedProcess.uri(out.readLine()) + "v1/models");
            for (String key : keys) {
                HttpRequest request = HttpRequest.newBuilder(uri)
                        .header("Authorization", "Bearer " + key)
                        .build();
                assertThat(http.send(request, HttpResponse.BodyHandlers.ofString()))
                        .satisfies(answer -> assertThat(answer.statusCode()).isEqualTo(200));
            }
        } finally {
            process.destroyForcibly().onExit().join();
        }
    }

    static BufferedReader output(Process process) {
        return new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    }

    static Process serve(String url) throws IOException {
        return new ProcessBuilder(
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
