package ai.epitome.bench;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Talks to a service as clients of OpenAI's API do, and with `raw` as none should. Over bare sockets, a connection a
/// request: it shares the processors with what is measured, so it must do little.
final class ApiClient {
    private static final String EVENT = "data: ";
    private static final String END = "data: [DONE]";
    private static final int TIMEOUT_MILLIS = 120_000;

    private final JsonMapper mapper = new JsonMapper();
    private final URI uri;

    ApiClient(URI uri) {
        this.uri = uri;
    }

    /// What an answer's `usage` says.
    record Usage(long prompt, long cached, long completion) {}

    /// @param id of the request, as the service gave it
    /// @param text of the first choice
    /// @param usage empty for errors, for streams that were left, and for those that did not ask for it
    /// @param firstNanos from the request to the first piece of text; 0 without one
    record Answer(int status, String id, String text, Optional<Usage> usage, long firstNanos) {}

    /// Status and headers of an answer, and what follows them.
    private record Head(int status, String id, boolean events, boolean chunked, long length, InputStream in) {}

    /// Sends a request and reads its answer.
    ///
    /// @param pieces of a stream after which the client goes away
    Answer post(String path, String body, Optional<String> key, int pieces) throws IOException {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        long start = System.nanoTime();
        try (Socket socket = connect()) {
            Head head = exchange(socket, "POST", path, key, bytes);
            if (head.events()) {
                return stream(head, start, pieces, true);
            }
            JsonNode whole = mapper.readTree(body(head));
            return new Answer(head.status(), head.id(), text(whole), usage(whole), 0);
        }
    }

    /// The same for a stream whose text nobody wants: only `usage` is understood.
    Answer drain(String path, String body) throws IOException {
        long start = System.nanoTime();
        try (Socket socket = connect()) {
            Head head = exchange(socket, "POST", path, Optional.empty(), body.getBytes(StandardCharsets.UTF_8));
            return stream(head, start, Integer.MAX_VALUE, false);
        }
    }

    String get(String path) throws IOException {
        try (Socket socket = connect()) {
            return new String(
                    body(exchange(socket, "GET", path, Optional.empty(), new byte[0])), StandardCharsets.UTF_8);
        }
    }

    private Socket connect() throws IOException {
        Socket socket = new Socket(uri.getHost(), uri.getPort());
        socket.setSoTimeout(TIMEOUT_MILLIS);
        socket.setTcpNoDelay(true);
        return socket;
    }

    private Head exchange(Socket socket, String method, String path, Optional<String> key, byte[] body)
            throws IOException {
        String head = method + " /" + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                + key.map(secret -> "Authorization: Bearer " + secret + "\r\n").orElse("")
                + "Connection: close\r\nContent-Length: " + body.length + "\r\n\r\n";
        ByteArrayOutputStream request = new ByteArrayOutputStream();
        request.writeBytes(head.getBytes(StandardCharsets.ISO_8859_1));
        request.writeBytes(body);
        socket.getOutputStream().write(request.toByteArray());
        InputStream in = new BufferedInputStream(socket.getInputStream());
        int status = Integer.parseInt(line(in).substring(9, 12));
        String id = "";
        boolean events = false;
        boolean chunked = false;
        long length = Long.MAX_VALUE;
        for (String line = line(in); !line.isEmpty(); line = line(in)) {
            int colon = line.indexOf(':');
            String value = line.substring(colon + 1).strip();
            switch (line.substring(0, colon).toLowerCase(Locale.ROOT)) {
                case "x-request-id" -> id = value;
                case "content-type" -> events = value.startsWith("text/event-stream");
                case "transfer-encoding" -> chunked = value.equals("chunked");
                case "content-length" -> length = Long.parseLong(value);
                default -> {}
            }
        }
        return new Head(status, id, events, chunked, length, in);
    }

    private static byte[] body(Head head) throws IOException {
        if (!head.chunked()) {
            return head.in().readNBytes((int) Math.min(Integer.MAX_VALUE - 8, head.length()));
        }
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        for (byte[] chunk = chunk(head.in()); chunk.length > 0; chunk = chunk(head.in())) {
            body.writeBytes(chunk);
        }
        return body.toByteArray();
    }

    /// Empty at the end.
    private static byte[] chunk(InputStream in) throws IOException {
        int length = Integer.parseInt(line(in), 16);
        byte[] chunk = in.readNBytes(length);
        if (chunk.length < length || !line(in).isEmpty()) {
            throw new IOException("a chunk that ended early");
        }
        return chunk;
    }

    /// Without the line break.
    private static String line(InputStream in) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int next = in.read(); next != '\n'; next = in.read()) {
            if (next < 0) {
                throw new IOException("the connection ended within a line: " + line);
            }
            if (next != '\r') {
                line.append((char) next);
            }
        }
        return line.toString();
    }

    /// The service sends each event as a chunk.
    private Answer stream(Head head, long start, int pieces, boolean texts) throws IOException {
        StringBuilder text = new StringBuilder();
        Optional<Usage> usage = Optional.empty();
        long first = 0;
        int seen = 0;
        for (byte[] chunk = chunk(head.in()); chunk.length > 0; chunk = chunk(head.in())) {
            for (String event : new String(chunk, StandardCharsets.UTF_8).split("\n\n")) {
                if (event.equals(END)) {
                    return new Answer(head.status(), head.id(), text.toString(), usage, first);
                }
                if (!texts && !event.contains("\"usage\":{")) {
                    first = first == 0 ? System.nanoTime() - start : first;
                    continue;
                }
                JsonNode json = event(event);
                String piece = text(json);
                if (!piece.isEmpty()) {
                    first = first == 0 ? System.nanoTime() - start : first;
                    text.append(piece);
                    if (++seen >= pieces) {
                        return new Answer(head.status(), head.id(), text.toString(), Optional.empty(), first);
                    }
                }
                usage = usage.or(() -> usage(json));
            }
        }
        throw new IOException("a stream that ended early: " + head.id());
    }

    private JsonNode event(String event) throws IOException {
        JsonNode json = mapper.readTree(event.substring(EVENT.length()));
        if (json.has("error")) {
            throw new IOException("an error in a stream: " + event);
        }
        return json;
    }

    /// Of the first choice.
    private static String text(JsonNode answer) {
        JsonNode choice = answer.path("choices").path(0);
        if (choice.path("index").asInt() != 0) {
            return "";
        }
        return choice.path("text").asString("")
                + choice.path("message").path("content").asString("")
                + choice.path("delta").path("content").asString("");
    }

    private static Optional<Usage> usage(JsonNode answer) {
        JsonNode usage = answer.path("usage");
        return usage.isObject()
                ? Optional.of(new Usage(
                        usage.path("prompt_tokens").asLong(),
                        usage.path("prompt_tokens_details")
                                .path("cached_tokens")
                                .asLong(),
                        usage.path("completion_tokens").asLong()))
                : Optional.empty();
    }

    /// Sends bytes as they are and says that there are no more.
    ///
    /// @return the status; 0 when the connection was closed without one
    int raw(byte[] request) throws IOException {
        try (Socket socket = connect()) {
            OutputStream out = socket.getOutputStream();
            out.write(request);
            socket.shutdownOutput();
            String answer = new String(socket.getInputStream().readNBytes(12), StandardCharsets.US_ASCII);
            return answer.startsWith("HTTP/1.1 ") ? Integer.parseInt(answer.substring(9)) : 0;
        } catch (SocketException e) {
            return 0; // closed while it was still being sent to
        }
    }
}
