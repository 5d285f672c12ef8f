package ai.epitome.serve;

import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.serve.account.Accounts;
import ai.epitome.serve.account.ApiKey;
import ai.epitome.serve.account.Database;
import ai.epitome.serve.account.KeyLimits;
import ai.epitome.serve.account.KeyStore;
import ai.epitome.serve.account.Scope;
import io.helidon.http.Method;
import java.net.http.HttpResponse;
import java.time.Instant;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Who gets in, and who does not.
class AuthenticationTest {
    private static final String BODY = "{\"model\": \"fake\", \"max_tokens\": 3}";
    private static Accounts accounts;
    private static TestServer server;
    private static TestServer local;

    @BeforeAll
    static void start() {
        accounts = new Accounts(Database.inMemory());
        server = TestServer.start(ServerConfig.local(0).with(c -> c.host = "0.0.0.0"), accounts);
        local = TestServer.start(ServerConfig.local(0), accounts);
    }

    @AfterAll
    static void stop() {
        server.close();
        local.close();
        accounts.close();
    }

    private static KeyStore.Created key(String name, Scope scope) {
        return accounts.keys().create(name, EnumSet.of(scope), KeyLimits.NONE, Instant.now(), Optional.empty());
    }

    /// A route that is added to the server is in this list by itself.
    @Test
    void everyRouteThatIsNotPublicAsksForAKey() throws Exception {
        var list = new RouteList();
        server.server.routes(list, Optional.empty());
        List<RouteList.Route> routes = list.privateRoutes().toList();
        assertThat(routes)
                .contains(
                        new RouteList.Route(Method.POST, "/v1/completions"),
                        new RouteList.Route(Method.GET, "/v1/models/x"),
                        new RouteList.Route(Method.GET, "/api/progress"),
                        new RouteList.Route(Method.GET, "/api/models"),
                        new RouteList.Route(Method.POST, "/api/conversations/x/messages"),
                        new RouteList.Route(Method.GET, "/no/such/route"));
        for (RouteList.Route route : routes) {
            String answer = server.raw(route.method().text() + " " + route.path()
                    + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
                    + "Connection: close\r\n\r\n{}");
            assertThat(answer)
                    .as("%s", route)
                    .startsWith("HTTP/1.1 401")
                    .contains("WWW-Authenticate: Bearer\r\n")
                    .contains("{\"error\":{\"message\":\"You did not provide an API key")
                    .contains("\"type\":\"invalid_request_error\",\"param\":null,\"code\":\"invalid_api_key\"}}");
        }
    }

    /// Whoever makes something public changes this test.
    @Test
    void thisIsPublicAndNothingElse() throws Exception {
        assertThat(Authentication.PUBLIC.stream()
                        .filter(path ->
                                !path.matches("/(chat/\\w+\\.js|lib/\\w+\\.(js|css)|lib/fonts/[\\w-]+\\.woff2)")))
                .containsExactlyInAnyOrder(
                        "/",
                        "/page.css",
                        "/page.js",
                        "/theme.js",
                        "/views.js",
                        "/models.js",
                        "/chart.js",
                        "/progress.js",
                        "/sse.js",
                        "/playground.js",
                        "/key.js",
                        "/icon.svg",
                        "/health",
                        "/health/ready");
        for (String path : Authentication.PUBLIC) {
            assertThat(server.get(path).statusCode()).as(path).isEqualTo(200);
        }
    }

    @Test
    void aKeyLetsIn() throws Exception {
        String secret = key("good", Scope.INFERENCE).secret();
        assertThat(server.withKey(secret).post(BODY).statusCode()).isEqualTo(200);
        assertThat(local.withKey(secret).post(BODY).statusCode()).isEqualTo(200);
        assertThat(server.withKey(secret).openai().models().list().data()).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Bearer",
                "Bearer ",
                "Bearer ep-",
                "Bearer ep-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                "Bearer ep-' OR '1'='1",
                "Basic ZXA6eA==",
                "ep-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                "\u00ff\u00fe"
            })
    void whatIsNoKeyIs401(String header) throws Exception {
        String answer = server.raw(
                "GET /v1/models HTTP/1.1\r\nHost: x\r\nAuthorization: " + header + "\r\nConnection: close\r\n\r\n");
        assertThat(answer)
                .startsWith("HTTP/1.1 401")
                .contains("invalid_api_key")
                .doesNotContain("AAAAAAAA");
        assertThat(server.raw("GET /v1/models HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + "y".repeat(7_000)
                        + "\r\nConnection: close\r\n\r\n"))
                .startsWith("HTTP/1.1 401");
    }

    @Test
    void expiredAndRevokedKeysAreToldSo() throws Exception {
        Instant now = Instant.now();
        KeyStore.Created old = accounts.keys()
                .create("old", EnumSet.of(Scope.ADMIN), KeyLimits.NONE, now.minusSeconds(9), Optional.of(now));
        KeyStore.Created gone = key("gone", Scope.INFERENCE);
        assertThat(server.withKey(gone.secret()).post(BODY).statusCode()).isEqualTo(200);
        accounts.keys().revoke("gone", now);
        for (TestServer each : List.of(server, local)) {
            assertRefused(each.withKey(gone.secret()).post(BODY), gone.key(), "revoked");
            assertRefused(each.withKey(old.secret()).post(BODY), old.key(), "expired");
        }
    }

    private static void assertRefused(HttpResponse<String> response, ApiKey key, String why) {
        assertThat(response.statusCode()).isEqualTo(401);
        assertThat(response.body()).contains(key.hint()).contains(why);
    }

    @Test
    void aKeyOpensWhatItsScopeSays() throws Exception {
        assertThat(server.withKey(key("files", Scope.FILES).secret()).post(BODY))
                .satisfies(response -> assertThat(response.statusCode()).isEqualTo(403))
                .satisfies(response -> assertThat(response.body()).contains("missing_scope", "'inference'"));
        assertThat(server.withKey(key("admin", Scope.ADMIN).secret()).post(BODY).statusCode())
                .isEqualTo(200);
        assertThat(List.of("/metrics", "/v1/files", "/v1/files/x", "/v1/filesystem", "/v1/batches/x/cancel").stream()
                        .map(Authentication::scope)
                        .map(Scope::word)
                        .collect(Collectors.joining(" ")))
                .isEqualTo("metrics files files inference files");
    }

    @Test
    void behindAProxyEverybodyDoesWhateverTheHostIsCalled() throws Exception {
        try (TestServer behind = TestServer.start(ServerConfig.local(0).with(c -> c.requireKey = true), accounts)) {
            String head = "GET /v1/models HTTP/1.1\r\nHost: api.example.com\r\nConnection: close\r\n";
            assertThat(behind.raw(head + "\r\n")).startsWith("HTTP/1.1 401");
            String secret = key("proxied", Scope.INFERENCE).secret();
            assertThat(behind.raw(head + "Authorization: Bearer " + secret + "\r\n\r\n"))
                    .startsWith("HTTP/1.1 200");
        }
    }

    @Test
    void onThisMachineNobodyNeedsAKey() throws Exception {
        assertThat(local.post(BODY).statusCode()).isEqualTo(200);
        assertThat(local.withKey("sk-whatever").post(BODY).statusCode()).isEqualTo(200);
        assertThat(local.withKey("ep-whatever").post(BODY).statusCode()).isEqualTo(401);
    }
}
