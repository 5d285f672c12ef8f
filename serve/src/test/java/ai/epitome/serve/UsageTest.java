package ai.epitome.serve;

import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.serve.account.Accounts;
import ai.epitome.serve.account.Database;
import ai.epitome.serve.account.KeyLimits;
import ai.epitome.serve.account.KeyStore;
import ai.epitome.serve.account.Price;
import ai.epitome.serve.account.Scope;
import ai.epitome.serve.account.TestDatabases;
import ai.epitome.serve.account.UsageRow;
import ai.epitome.serve.account.UsageStore;
import ai.epitome.serve.account.UsageTotals;
import ai.epitome.text.ByteTokenizer;
import ai.epitome.text.chat.ChatFormat;
import ai.epitome.text.chat.ChatTemplates;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.YearMonth;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.ToLongFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// What answers, usage rows and metrics say was used is the same, to the token.
class UsageTest {
    private static final Pattern USAGE =
            Pattern.compile("\"usage\":\\{\"prompt_tokens\":(\\d+),\"completion_tokens\":(\\d+),\"total_tokens\":\\d+");
    private static final Price PRICE = new Price(150_000, 75_000, 600_000);
    private static final int ROUNDS = 12;
    private static final int OF_EACH = 7;

    static Stream<String> databases() {
        return TestDatabases.urls().stream();
    }

    /// @param completed what the answer's usage said; empty for a request that failed
    private record Told(String id, Optional<long[]> completed) {}

    private static Told told(HttpResponse<String> response) {
        Matcher usage = USAGE.matcher(response.body());
        return new Told(
                response.headers().firstValue("x-request-id").orElseThrow(),
                usage.find()
                        ? Optional.of(new long[] {Long.parseLong(usage.group(1)), Long.parseLong(usage.group(2))})
                        : Optional.empty());
    }

    @ParameterizedTest
    @MethodSource("databases")
    void sumsAreExactUnderLoadWithClientsThatLeave(String url) throws Exception {
        ServerConfig config = ServerConfig.local(0).with(c -> {
            c.concurrentGenerations = 8;
            c.queueLength = 500;
        });
        try (Accounts accounts = new Accounts(Database.open(url));
                TestServer server = TestServer.start(config, accounts);
                var clients = Executors.newVirtualThreadPerTaskExecutor()) {
            accounts.prices().set(TestServer.MODEL, PRICE);
            server.models.put(
                    server.model,
                    TestServer.CREATED,
                    Optional.of(ChatFormat.of(ChatTemplates.NONE, new ByteTokenizer())));
            KeyStore.Created key = accounts.keys()
                    .create("k", EnumSet.of(Scope.INFERENCE), KeyLimits.NONE, Instant.now(), Optional.empty());
            TestServer holder = server.withKey(key.secret());
            List<Future<Told>> answers = new ArrayList<>();
            for (int i = 0; i < ROUNDS; i++) {
                for (Callable<Told> request : requests(server, holder, i)) {
                    answers.add(clients.submit(request));
                }
            }
            Map<String, long[]> completed = new HashMap<>();
            for (Future<Told> answer : answers) {
                Told told = answer.get();
                told.completed().ifPresent(usage -> completed.put(told.id(), usage));
            }
            assertThat(completed).hasSize(ROUNDS * 5);
            check(server, accounts, key, completed);
        }
    }

    private static List<Callable<Told>> requests(TestServer server, TestServer holder, int i) {
        return List.of(
                () -> told(server.post("{\"model\": \"fake\", \"prompt\": \"abc\", \"max_tokens\": " + (i + 1) + "}")),
                () -> told(
                        holder.post("{\"model\": \"fake\", \"prompt\": [\"ab\", \"abcd\"], \"n\": 2, \"best_of\": 3, "
                                + "\"max_tokens\": 7}")),
                () -> told(holder.post("{\"model\": \"fake\", \"prompt\": \"x\", \"n\": 2, \"stream\": true, "
                        + "\"stream_options\": {\"include_usage\": true}, \"max_tokens\": 20}")),
                () -> told(holder.post("{\"model\": \"fake\", \"prompt\": \"x\", \"max_tokens\": -1}")),
                () -> told(chat(server, "\"n\": 2, \"max_tokens\": " + (i + 5))),
                () -> told(chat(
                        holder,
                        "\"max_tokens\": 30, \"stream\": true, \"stream_options\": " + "{\"include_usage\": true}")),
                () -> leave(server, 100 * i));
    }

    private static HttpResponse<String> chat(TestServer server, String fields) throws Exception {
        return server.post(
                "v1/chat/completions",
                "{\"model\": \"fake\", \"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}], " + fields + "}",
                "application/json");
    }

    /// Begins to read a stream and goes away.
    private static Told leave(TestServer server, int bytes) throws Exception {
        String body =
                "{\"model\": \"fake\", \"prompt\": \"abcdef\", \"max_tokens\": 4000, \"n\": 16, \"stream\": true}";
        try (Socket socket = server.connect()) {
            socket.getOutputStream()
                    .write(("POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                                    + "Content-Length: " + body.length() + "\r\n\r\n" + body)
                            .getBytes(StandardCharsets.US_ASCII));
            socket.getInputStream().readNBytes(bytes);
        }
        return new Told("", Optional.empty());
    }

    private static void check(TestServer server, Accounts accounts, KeyStore.Created key, Map<String, long[]> completed)
            throws Exception {
        YearMonth month = UsageStore.month(Instant.now());
        List<UsageRow> rows = rows(accounts, month);
        Map<Integer, Integer> statuses = new HashMap<>();
        for (UsageRow row : rows) {
            statuses.merge(row.status(), 1, Integer::sum);
            assertThat(row.costPico())
                    .isEqualTo(PRICE.costPico(row.promptTokens(), row.cachedTokens(), row.completionTokens()));
            assertThat(row.route()).isIn("/v1/completions", "/v1/chat/completions");
            if (row.status() == 200) {
                assertThat(completed.get(row.requestId()))
                        .as(row.toString())
                        .containsExactly(row.promptTokens(), row.completionTokens());
            }
        }
        assertThat(statuses).isEqualTo(Map.of(200, 5 * ROUNDS, 400, ROUNDS, 499, ROUNDS));
        assertThat(sum(rows, UsageRow::completionTokens)).isEqualTo(server.model.generated.get());

        String metrics = server.get("/metrics").body();
        for (String name : List.of("vllm:prompt_tokens_total", "epitome_tokens_total{kind=\"prompt\"")) {
            assertThat(metric(metrics, name)).isEqualTo(sum(rows, UsageRow::promptTokens));
        }
        for (String name : List.of("vllm:generation_tokens_total", "epitome_tokens_total{kind=\"completion\"")) {
            assertThat(metric(metrics, name)).isEqualTo(sum(rows, UsageRow::completionTokens));
        }
        assertThat(metric(metrics, "vllm:num_requests_running")).isZero();
        assertThat(metric(metrics, "vllm:num_requests_waiting")).isZero();

        List<UsageTotals> totals = accounts.usage().totals(month);
        assertThat(totals.stream().mapToLong(UsageTotals::requests).sum()).isEqualTo(rows.size());
        long cost = totals.stream()
                .filter(total -> total.keyId().equals(Optional.of(key.key().id())))
                .mapToLong(UsageTotals::costPico)
                .sum();
        assertThat(accounts.usage().spentPico(key.key().id(), month))
                .isEqualTo(cost)
                .isPositive();
    }

    /// Rows of clients that left are written when the server notices.
    private static List<UsageRow> rows(Accounts accounts, YearMonth month) throws InterruptedException {
        List<UsageRow> rows = List.of();
        for (int i = 0; i < 1_000 && rows.size() < OF_EACH * ROUNDS; i++) {
            Thread.sleep(10);
            rows = accounts.usage().rows(month, 1_000);
        }
        return rows;
    }

    private static long sum(List<UsageRow> rows, ToLongFunction<UsageRow> tokens) {
        return rows.stream().mapToLong(tokens).sum();
    }

    static long metric(String metrics, String name) {
        return metrics.lines()
                .filter(line -> line.startsWith(name))
                .map(line -> (long) Double.parseDouble(line.substring(line.lastIndexOf(' '))))
                .reduce((_, _) -> {
                    throw new AssertionError(name + " is there twice");
                })
                .orElseThrow(() -> new AssertionError(name + " is missing in\n" + metrics));
    }
}
