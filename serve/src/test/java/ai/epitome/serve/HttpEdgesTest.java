package ai.epitome.serve;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What clients should not do, over bare sockets: the answer is always 4xx, and the server goes on.
class HttpEdgesTest {
    private static final int MAX_BODY = 64 * 1024;
    private static final String CHUNKED = head(
            "POST /v1/completions",
            "Content-Type: application/json",
            "Transfer-Encoding: chunked",
            "Connection: close");
    private static TestServer server;
    private static TestServer impatient;

    @BeforeAll
    static void start() {
        server = TestServer.start(TestServer.config(MAX_BODY, Duration.ofSeconds(30), 16), 0, Optional.empty());
        impatient = TestServer.start(TestServer.config(MAX_BODY, Duration.ofMillis(800), 2), 0, Optional.empty());
    }

    @AfterAll
    static void stop() {
        server.close();
        impatient.close();
    }

    private static String head(String requestLine, String... headers) {
        return requestLine + " HTTP/1.1\r\nHost: localhost\r\n"
                + (headers.length == 0 ? "" : String.join("\r\n", headers) + "\r\n") + "\r\n";
    }

    @Test
    void malformedJsonIs400() throws Exception {
        HttpResponse<String> response = server.post("{\"model\": ");
        assertThat(response.statusCode()).isEqualTo(400);
        assertThat(response.body())
                .startsWith("{\"error\":{\"message\":")
                .contains("\"type\":\"invalid_request_error\",\"param\":null,\"code\":\"invalid_json\"");
        assertThat(server.post("").statusCode()).isEqualTo(400);
        assertThat(server.post("[".repeat(50_000)).statusCode()).isEqualTo(400);
    }

    @Test
    void otherContentTypesAre415() throws Exception {
        assertThat(server.post("{\"model\": \"fake\"}", "text/plain").statusCode())
                .isEqualTo(415);
        assertThat(server.post("{\"model\": \"fake\"}", "application/json; charset=utf-16")
                        .statusCode())
                .isEqualTo(415);
        assertThat(server.post("{\"model\": \"fake\"}", "application/json; charset=UTF-8")
                        .statusCode())
                .isEqualTo(200);
        assertThat(server.raw(head("POST /v1/completions", "Content-Length: 2", "Connection: close") + "{}"))
                .startsWith("HTTP/1.1 415");
    }

    @Test
    void oversizedBodiesAre413() throws Exception {
        HttpResponse<String> response = server.post("{\"model\": \"" + "x".repeat(MAX_BODY) + "\"}");
        assertThat(response.statusCode()).isEqualTo(413);
        assertThat(response.body()).contains("body_too_large");
        assertThat(server.raw(
                        head("POST /v1/completions", "Content-Type: application/json", "Content-Length: 99999999999")))
                .startsWith("HTTP/1.1 413")
                .contains("\"error\"");
        // In chunks, nothing says beforehand how much comes.
        String chunk = "4000\r\n" + "x".repeat(0x4000) + "\r\n";
        assertThat(server.raw(CHUNKED + chunk.repeat(5) + "0\r\n\r\n")).startsWith("HTTP/1.1 413");
        assertThat(server.raw(CHUNKED + chunk.repeat(9))).startsWith("HTTP/1.1 413");
    }

    @Test
    void slowBodiesAre408() throws Exception {
        String head = head("POST /v1/completions", "Content-Type: application/json", "Content-Length: 100");
        assertThat(impatient.raw(head)).startsWith("HTTP/1.1 408").contains("body_too_slow");
        assertThat(impatient.raw(head + "{\"model\"")).startsWith("HTTP/1.1 408");
        try (Socket socket = impatient.connect()) {
            socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
            // A byte now and then keeps every single read short; the whole is still too slow.
            for (int i = 0; i < 20 && socket.getInputStream().available() == 0; i++) {
                Thread.sleep(100);
                socket.getOutputStream().write(' ');
            }
            byte[] status = socket.getInputStream().readNBytes(12);
            assertThat(new String(status, StandardCharsets.US_ASCII)).isEqualTo("HTTP/1.1 408");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "DELETE, /v1/completions, POST",
        "GET, /v1/completions, POST",
        "POST, /v1/models, GET",
        "PUT, /v1/models/fake, 'GET, DELETE'",
        "POST, /health, GET",
        "POST, /, 'GET, HEAD'",
        "DELETE, /api/progress, GET"
    })
    void wrongMethodsAre405(String method, String path, String allowed) throws IOException {
        assertThat(server.raw(head(method + " " + path, "Connection: close")))
                .startsWith("HTTP/1.1 405")
                .contains("Allow: " + allowed + "\r\n")
                .contains("method_not_allowed");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/nothing", "/v1/audio/speech", "/v1", "/api", "/page/index.html", "/..%2f..%2fetc/passwd"})
    void unknownPathsAre404(String path) throws IOException {
        assertThat(server.raw(head("GET " + path, "Connection: close")))
                .startsWith("HTTP/1.1 404")
                .contains("unknown_url");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "GET / HTTP/1.1\r\n\r\n",
                "GET / HTTP/1.0\r\nHost: localhost\r\n\r\n",
                "GET / HTTP/3\r\nHost: localhost\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: localhost\r\nBad Header\r\n\r\n",
                "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
                "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
                "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
                        + "Transfer-Encoding: chunked\r\n\r\n{}",
            })
    void brokenHttpIs4xx(String request) throws IOException {
        assertThat(server.raw(request)).matches("(?s)HTTP/1\\.1 4\\d\\d .*");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "zz\r\n{}\r\n0\r\n\r\n",
                "-2\r\n",
                "ffffffff\r\n",
                "2\n{}",
                "\r\n",
                "2\r\n{}\r\n0\r\nx: y\r\n\r\n"
            })
    void brokenChunksAre400(String body) throws IOException {
        assertThat(server.raw(CHUNKED + body)).startsWith("HTTP/1.1 400").contains("malformed_chunks");
    }

    @Test
    void properChunksAreTaken() throws IOException {
        assertThat(server.raw(CHUNKED + "f\r\n{\"model\":\"fake\"\r\n1\r\n}\r\n0\r\n\r\n"))
                .startsWith("HTTP/1.1 200");
    }

    @Test
    void aBodyThatEndsEarlyIs400() throws IOException {
        String head = head("POST /v1/completions", "Content-Type: application/json", "Content-Length: 100");
        assertThat(whole(head + "{\"model\"")).startsWith("HTTP/1.1 400").contains("incomplete_body");
    }

    /// Sends bytes and says that there are no more; reads until the server closes the connection.
    private static String whole(String request) throws IOException {
        try (Socket socket = server.connect()) {
            socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
            socket.shutdownOutput();
            return answer(socket);
        } catch (SocketException e) {
            return ""; // closed while it was still being sent to
        }
    }

    @Test
    void aHeadThatNeverEndsIsNotWaitedFor() throws IOException {
        assertThat(impatient.raw("GET / HTTP/1.1\r\nHost: localhost\r\nX: y")).isEmpty();
    }

    @Test
    void aFirstLineThatNeverEndsIsNotWaitedFor() throws IOException {
        assertThat(impatient.raw("")).isEmpty();
        assertThat(impatient.raw("GET / HT")).isEmpty();
        String answered = impatient.raw(head("GET /health") + "GET /heal");
        assertThat(answered).startsWith("HTTP/1.1 200").doesNotContain("404");
        try (Socket socket = impatient.connect()) {
            socket.setSoTimeout(50);
            int sent = 0;
            while (sent < 400 && isOpen(socket)) {
                socket.getOutputStream().write('G');
                sent++;
            }
            assertThat(sent).as("letters, one each 50 ms").isLessThan(400);
        }
    }

    private static boolean isOpen(Socket socket) throws IOException {
        try {
            return socket.getInputStream().read() >= 0;
        } catch (SocketTimeoutException e) {
            return true;
        } catch (SocketException e) {
            return false;
        }
    }

    @Test
    void silentConnectionsDoNotKeepOthersOut() throws Exception {
        List<Socket> silent = new ArrayList<>();
        try {
            for (int i = 0; i < 300; i++) { // more than are served at a time
                silent.add(impatient.connect());
            }
            assertThat(impatient.get("/health").statusCode()).isEqualTo(200);
        } finally {
            for (Socket socket : silent) {
                socket.close();
            }
        }
    }

    @Test
    void aConnectionIsUsedAgainUntilItsLastAnswer() throws IOException {
        String next = head("GET /health");
        try (Socket socket = server.connect()) {
            socket.getOutputStream()
                    .write((next + next + head("GET /health", "Connection: close") + next)
                            .getBytes(StandardCharsets.US_ASCII));
            assertThat(answer(socket).split("HTTP/1.1 200", -1)).hasSize(4);
        }
    }

    /// A route that clients try and that is not there: the body that comes with it is not read by anyone.
    @Test
    void anUnwantedBodyDoesNotHideTheAnswer() throws IOException {
        String head = head("POST /v1/images/generations", "Content-Type: application/json", "Content-Length: 50000");
        assertThat(server.raw(head + "x".repeat(50_000)))
                .startsWith("HTTP/1.1 404")
                .contains("Connection: close")
                .contains("unknown_url");
        assertThat(server.raw(head + "x")).startsWith("HTTP/1.1 404");
    }

    private static String answer(Socket socket) throws IOException {
        return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }

    /// A request in which a few bytes are wrong may be refused, or taken for another one, but is never the server's
    /// fault.
    @Test
    void garbledRequestsNeverFail() throws Exception {
        String body = "{\"model\": \"fake\", \"prompt\": \"x\", \"max_tokens\": 2}";
        List<String> requests = List.of(
                head("POST /v1/completions", "Content-Type: application/json", "Content-Length: " + body.length())
                        + body,
                CHUNKED + Integer.toHexString(body.length()) + "\r\n" + body + "\r\n0\r\n\r\n",
                head("GET /v1/models/fake?x=%20#y", "If-None-Match: \"z\"", "Connection: close"));
        var random = new Random(1);
        try (var clients = Executors.newFixedThreadPool(8, Thread.ofVirtual().factory())) {
            List<Future<String>> answers = Stream.generate(
                            () -> garbled(requests.get(random.nextInt(requests.size())), random))
                    .limit(1_000)
                    .map(request -> clients.submit(() -> whole(request)))
                    .toList();
            for (Future<String> answer : answers) {
                assertThat(answer.get()).doesNotContain("HTTP/1.1 5");
            }
        }
        assertThat(server.get("/health").statusCode()).isEqualTo(200);
    }

    private static String garbled(String request, Random random) {
        char[] bytes = request.toCharArray();
        for (int i = random.nextInt(1, 4); i > 0; i--) {
            bytes[random.nextInt(bytes.length)] = (char) random.nextInt(256);
        }
        return new String(bytes);
    }

    @Test
    void endlessHeadersAreCutOff() throws IOException {
        String answer;
        try {
            answer = server.raw("GET / HTTP/1.1\r\nHost: localhost\r\nX: " + "y".repeat(200_000) + "\r\n\r\n");
        } catch (SocketException e) {
            answer = ""; // closed while it was still being sent to
        }
        assertThat(answer)
                .satisfiesAnyOf(
                        text -> assertThat(text).isEmpty(),
                        text -> assertThat(text).matches("(?s)HTTP/1\\.1 4\\d\\d .*"));
    }

    @ParameterizedTest
    @CsvSource({"localhost, 200", "127.0.0.1:8080, 200", "LOCALHOST, 200", "evil.example, 403", "127.0.0.1.nip.io, 403"
    })
    void foreignHostNamesAre403(String host, int status) throws IOException {
        assertThat(server.raw("GET /health HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n"))
                .startsWith("HTTP/1.1 " + status);
    }

    @Test
    void everyAnswerCarriesSecurityHeaders() throws Exception {
        for (String path : new String[] {"/", "/page.js", "/v1/models", "/nothing"}) {
            HttpResponse<String> response = server.get(path);
            assertThat(response.headers().firstValue("Content-Security-Policy").orElse(""))
                    .contains("default-src 'self'");
            assertThat(response.headers().firstValue("X-Content-Type-Options")).hasValue("nosniff");
            assertThat(response.headers().firstValue("Access-Control-Allow-Origin"))
                    .isEmpty();
        }
    }

    @Test
    void unchangedFilesAreNotSentAgain() throws Exception {
        String tag = server.get("/page.css").headers().firstValue("ETag").orElseThrow();
        assertThat(server.raw(head("GET /page.css", "If-None-Match: " + tag, "Connection: close")))
                .startsWith("HTTP/1.1 304");
        assertThat(server.raw(head("HEAD /page.css", "Connection: close")))
                .startsWith("HTTP/1.1 200")
                .endsWith("\r\n\r\n");
    }
}
