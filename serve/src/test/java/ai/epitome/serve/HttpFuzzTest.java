package ai.epitome.serve;

import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.serve.body.MultipartForm;
import ai.epitome.serve.http.ApiException;
import ai.epitome.serve.http.HostCheck;
import ai.epitome.serve.http.TraceParent;
import com.code_intelligence.jazzer.api.BugDetectors;
import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.DictionaryFile;
import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.JsonNodeFactory;

/// Anything at all over a connection to a real server: never a status of 500 or more, never silence. Heads, bodies in
/// chunks and forms that are almost proper get further than random bytes.
class HttpFuzzTest {
    private static final List<String> ROUTES = List.of(
            "v1/completions",
            "v1/chat/completions",
            "v1/responses",
            "v1/embeddings",
            "v1/moderations",
            "v1/conversations",
            "v1/files",
            "v1/batches",
            "tokenize",
            "detokenize",
            "v1/models",
            "api/conversations");
    /// Those that take bodies of JSON.
    private static final List<String> JSON_ROUTES = List.of(
            "v1/completions",
            "v1/chat/completions",
            "v1/responses",
            "v1/embeddings",
            "v1/moderations",
            "v1/conversations",
            "v1/conversations/conv_1/items",
            "v1/batches",
            "v1/fine_tuning/jobs",
            "tokenize",
            "detokenize",
            "api/conversations",
            "api/conversations/import",
            "api/presets",
            "api/admin/keys");
    private static final List<String> NAMES = List.of(
            "Content-Type",
            "traceparent",
            "Authorization",
            "Origin",
            "Accept",
            "Expect",
            "Transfer-Encoding",
            "Connection",
            "Content-Encoding",
            "Range",
            "Cookie",
            "Upgrade");
    private static TestServer server;

    /// Where the fuzzer calls a test alone, nothing begins before it.
    private static synchronized TestServer server() {
        if (server == null) {
            server = TestServer.start();
            UntrainedModel.on(server);
        }
        return server;
    }

    @BeforeAll
    static void start() {
        server();
    }

    @AfterAll
    static void stop() {
        server.close();
        server = null;
    }

    @FuzzTest(maxDuration = "10m")
    void anyBytes(byte[] request) throws IOException {
        exchange(request);
    }

    @FuzzTest(maxDuration = "10m")
    void anyHeaders(FuzzedDataProvider data) throws IOException {
        StringBuilder head = new StringBuilder(data.pickValue(List.of("GET", "POST", "DELETE", "PUT", "HEAD", "x")))
                .append(" /")
                .append(data.pickValue(ROUTES))
                .append(data.consumeAsciiString(12))
                .append(" HTTP/1.1\r\nHost: localhost\r\n");
        for (int count = data.consumeInt(0, 4); count > 0; count--) {
            head.append(data.pickValue(NAMES))
                    .append(": ")
                    .append(data.consumeString(60).replace("\r\n", " "))
                    .append("\r\n");
        }
        boolean declared = data.consumeBoolean();
        byte[] body = data.consumeRemainingAsBytes();
        send(head.append(declared ? "Content-Length: " + body.length + "\r\n\r\n" : "\r\n"), body);
    }

    /// The first byte chooses the route.
    @FuzzTest(maxDuration = "10m")
    @DictionaryFile(resourcePath = "bodies.dict")
    void anyBody(byte[] bytes) throws IOException {
        int route = bytes.length == 0 ? 0 : Math.floorMod(bytes[0] - 'a', JSON_ROUTES.size());
        byte[] body = bytes.length == 0 ? bytes : Arrays.copyOfRange(bytes, 1, bytes.length);
        send(
                new StringBuilder("POST /")
                        .append(JSON_ROUTES.get(route))
                        .append(" HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ")
                        .append(body.length)
                        .append("\r\n\r\n"),
                body);
    }

    /// Events hold any text, and a client reads the same text from them.
    @FuzzTest(maxDuration = "10m")
    void anyText(FuzzedDataProvider data) throws Exception {
        String text = data.consumeRemainingAsString();
        if (text.isEmpty()) {
            return;
        }
        try (var _ = BugDetectors.allowNetworkConnections()) {
            assertEventsKeep(text.substring(0, Math.min(text.length(), 200)));
        }
    }

    @FuzzTest(maxDuration = "10m")
    void anyForm(FuzzedDataProvider data) throws IOException {
        String boundary = data.consumeAsciiString(20);
        StringBuilder body = new StringBuilder();
        for (int count = data.consumeInt(0, 3); count > 0; count--) {
            body.append("--").append(boundary).append("\r\nContent-Disposition: form-data; name=\"");
            body.append(data.pickValue(List.of("file", "purpose", "x"))).append('"');
            body.append(data.consumeAsciiString(30)).append("\r\n\r\n");
            body.append(data.pickValue(List.of("batch", "fine-tune", "{}"))).append(data.consumeString(30));
            body.append("\r\n");
        }
        body.append("--").append(boundary).append("--").append(data.consumeRemainingAsString());
        byte[] bytes = body.toString().getBytes(StandardCharsets.UTF_8);
        send(
                new StringBuilder(
                                "POST /v1/files HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=")
                        .append(boundary.replaceAll("[\r\n]", ""))
                        .append("\r\nContent-Length: ")
                        .append(bytes.length)
                        .append("\r\n\r\n"),
                bytes);
    }

    /// Without a connection, which takes most of the time.
    @FuzzTest(maxDuration = "10m")
    void anyHeaderValue(FuzzedDataProvider data) {
        String value = data.consumeString(200);
        Optional<TraceParent> trace = TraceParent.parse(value);
        assertThat(trace.map(TraceParent::traceId).orElse("0".repeat(32))).matches("[0-9a-f]{32}");
        assertThat(HostCheck.hostName(value).length()).isLessThanOrEqualTo(2 * value.length());
        byte[] body = data.consumeRemainingAsBytes();
        try {
            MultipartForm form = MultipartForm.parse("multipart/form-data; boundary=" + value, body);
            assertThat(form.parts().values().stream()
                            .mapToInt(part -> part.content().length)
                            .sum())
                    .isLessThanOrEqualTo(body.length);
        } catch (ApiException e) {
            assertThat(e.status()).isIn(400, 415);
        }
    }

    private static void send(StringBuilder head, byte[] body) throws IOException {
        ByteArrayOutputStream request = new ByteArrayOutputStream();
        request.writeBytes(head.toString().getBytes(StandardCharsets.UTF_8));
        request.writeBytes(body);
        exchange(request.toByteArray());
    }

    /// Silence would end as a timeout of the socket, which is an error here: when it comes twice, since a process that
    /// was stopped for a while finds its time run out as well.
    private static void exchange(byte[] request) throws IOException {
        String answer;
        try {
            answer = answer(request);
        } catch (SocketTimeoutException e) {
            answer = answer(request);
        }
        if (answer.startsWith("HTTP/1.1 5")) {
            throw new AssertionError(
                    answer.lines().findFirst().orElse("") + "\n" + new String(request, StandardCharsets.ISO_8859_1));
        }
    }

    /// Empty when the connection was closed while the request was still being sent.
    private static String answer(byte[] request) throws IOException {
        // The fuzzer takes connections for a fault of what is tested; here they are the test.
        try (var _ = BugDetectors.allowNetworkConnections();
                Socket socket = server().connect()) {
            try {
                socket.getOutputStream().write(request);
                socket.shutdownOutput();
                return new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
            } catch (SocketException e) {
                return "";
            }
        }
    }

    /// Whatever a text has in it, line breaks of all kinds, it comes as events of one line each, which make it up
    /// again.
    @Property(tries = 150)
    void eventsKeepAnyText(@ForAll @StringLength(min = 1, max = 60) String text) throws Exception {
        assertEventsKeep(text);
    }

    private static void assertEventsKeep(String text) throws Exception {
        String body = JsonNodeFactory.instance
                .objectNode()
                .put("model", TestServer.MODEL)
                .put("prompt", text)
                .put("max_tokens", 1)
                .put("temperature", 0)
                .put("echo", true)
                .put("stream", true)
                .toString();
        String events = server().post(body).body();
        StringBuilder told = new StringBuilder();
        for (String event : events.split("\n\n")) {
            assertThat(event).startsWith("data: ").doesNotContain("\n", "\r");
            String data = event.substring("data: ".length());
            if (!data.equals("[DONE]")) {
                told.append(JsonMapper.shared()
                        .readTree(data)
                        .path("choices")
                        .path(0)
                        .path("text")
                        .stringValue());
            }
        }
        // A lone surrogate is no character; UTF-8 cannot hold it.
        String sendable = new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
        assertThat(told.toString()).isIn(sendable + "T", text + "T");
    }
}
