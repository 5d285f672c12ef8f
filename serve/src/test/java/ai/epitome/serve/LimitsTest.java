package ai.epitome.serve;

import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.serve.account.Accounts;
import ai.epitome.serve.account.Database;
import ai.epitome.serve.account.KeyLimits;
import ai.epitome.serve.account.Price;
import ai.epitome.serve.account.Scope;
import ai.epitome.serve.account.UsageStore;
import ai.epitome.serve.metering.Metering;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumSet;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// What a client gets whose key has had enough.
class LimitsTest {
    private static final OptionalLong NONE = OptionalLong.empty();
    private static Accounts accounts;
    private static TestServer server;

    @BeforeAll
    static void start() {
        accounts = new Accounts(Database.inMemory());
        server = TestServer.start(ServerConfig.local(0), accounts);
    }

    @AfterAll
    static void stop() {
        server.close();
        accounts.close();
    }

    private static TestServer holder(String name, OptionalLong requests, OptionalLong tokens, OptionalLong budget) {
        KeyLimits limits = new KeyLimits(requests, tokens, budget);
        return server.withKey(accounts.keys()
                .create(name, EnumSet.of(Scope.INFERENCE), limits, Instant.now(), Optional.empty())
                .secret());
    }

    private static String body(int tokens) {
        return "{\"model\": \"fake\", \"prompt\": \"1234567890\", \"max_tokens\": " + tokens + "}";
    }

    private static String header(HttpResponse<String> response, String name) {
        return response.headers().firstValue(name).orElse("");
    }

    private static void assertRefused(HttpResponse<String> response, String type, String code) {
        assertThat(response.statusCode()).isEqualTo(429);
        assertThat(response.body()).contains("\"type\":\"" + type + "\",\"param\":null,\"code\":\"" + code + "\"");
        assertThat(Integer.parseInt(header(response, "Retry-After"))).isPositive();
    }

    @Test
    void requestsPerMinute() throws Exception {
        TestServer holder = holder("requests", OptionalLong.of(2), NONE, NONE);
        HttpResponse<String> first = holder.post(body(1));
        assertThat(header(first, "x-ratelimit-limit-requests")).isEqualTo("2");
        assertThat(header(first, "x-ratelimit-remaining-requests")).isEqualTo("1");
        assertThat(header(first, "x-ratelimit-reset-requests")).matches("\\d+(\\.\\d+)?s");
        assertThat(header(first, "x-ratelimit-limit-tokens")).isEmpty();
        assertThat(holder.post("{").statusCode()).isEqualTo(400); // counts as well
        int before = rows();
        assertRefused(holder.post(body(1)), "requests", "rate_limit_exceeded");
        assertThat(rows()).isEqualTo(before);
        assertThat(holder.get("/v1/models").statusCode()).isEqualTo(200); // no work, no limit
    }

    @Test
    void tokensPerMinute() throws Exception {
        TestServer holder = holder("tokens", NONE, OptionalLong.of(100), NONE);
        HttpResponse<String> first = holder.post(body(60));
        assertThat(first.statusCode()).isEqualTo(200);
        assertThat(header(first, "x-ratelimit-limit-tokens")).isEqualTo("100");
        assertThat(Integer.parseInt(header(first, "x-ratelimit-remaining-tokens")))
                .isBetween(30, 40);
        int before = server.model.generated.get();
        HttpResponse<String> second = holder.post(body(60));
        assertRefused(second, "tokens", "rate_limit_exceeded");
        assertThat(second.body()).contains("100 tokens per minute", "may use 70");
        assertRefused(holder.post(body(60).replace("}", ", \"stream\": true}")), "tokens", "rate_limit_exceeded");
        assertThat(server.model.generated.get()).isEqualTo(before);
        assertThat(holder.post(body(5)).statusCode()).isEqualTo(200);
    }

    @Test
    void budget() throws Exception {
        accounts.prices().set(TestServer.MODEL, new Price(1_000_000, 0, 1_000_000)); // a millionth a token
        TestServer holder = holder("budget", NONE, NONE, OptionalLong.of(100));
        assertThat(holder.post(body(50)).statusCode()).isEqualTo(200);
        HttpResponse<String> second = holder.post(body(50));
        assertRefused(second, "insufficient_quota", "insufficient_quota");
        assertThat(holder.post(body(20)).statusCode()).isEqualTo(200);
        assertRefused(holder.post(body(1)), "insufficient_quota", "insufficient_quota");
        assertThat(UsageTest.metric(server.get("/metrics").body(), "epitome_limited_total{limit=\"budget\""))
                .isEqualTo(2);
    }

    private static int rows() {
        return accounts.usage().rows(UsageStore.month(Instant.now()), 1_000).size();
    }

    @Test
    void timesAreWrittenAsOpenAiWritesThem() {
        assertThat(Metering.duration(Duration.ofMillis(20))).isEqualTo("20ms");
        assertThat(Metering.duration(Duration.ofMillis(1_500))).isEqualTo("1.5s");
        assertThat(Metering.duration(Duration.ofSeconds(10))).isEqualTo("10s");
        assertThat(Metering.duration(Duration.ofMinutes(6))).isEqualTo("6m0s");
        assertThat(Metering.duration(Duration.ZERO)).isEqualTo("0ms");
    }
}
