package ai.epitome.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Talks to a service as clients of OpenAI's API do, and with `raw` as none should.
final class ApiClient implements AutoCloseable {
    private static final String EVENT = "data: ";
    private static final String END = "[DONE]";
    private static final int RAW_TIMEOUT_MILLIS = 60_000;

    private final JsonMapper mapper = new JsonMapper();
    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final URI uri;

    /// @param uri of the service, with a slash at its end
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

    /// Sends a request and reads its answer.
    ///
    /// @param pieces of a stream after which the client goes away
    Answer post(String path, String body, Optional<String> key, int pieces) throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(uri.resolve(path))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body));
        key.ifPresent(secret -> request.header("Authorization", "Bearer " + secret));
        long start = System.nanoTime();
        HttpResponse<InputStream> response = http.send(request.build(), HttpResponse.BodyHandlers.ofInputStream());
        String id = response.headers().firstValue("x-request-id").orElse("");
        String type = response.headers().firstValue("Content-Type").orElse("");
        try (var lines = new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8))) {
            if (type.startsWith("text/event-stream")) {
                return stream(lines, response.statusCode(), id, start, pieces);
            }
            JsonNode whole = mapper.readTree(lines);
            return new Answer(response.statusCode(), id, text(whole), usage(whole), 0);
        }
    }

    private Answer stream(BufferedReader lines, int status, String id, long start, int pieces) throws IOException {
        StringBuilder text = new StringBuilder();
        Optional<Usage> usage = Optional.empty();
        long first = 0;
        int seen = 0;
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            if (!line.startsWith(EVENT)) {
                continue;
            }
            if (line.endsWith(END)) {
                return new Answer(status, id, text.toString(), usage, first);
            }
            JsonNode chunk = mapper.readTree(line.substring(EVENT.length()));
            if (chunk.has("error")) {
                throw new IOException("an error in a stream: " + line);
            }
            String piece = text(chunk);
            if (!piece.isEmpty()) {
                first = first == 0 ? System.nanoTime() - start : first;
                text.append(piece);
                if (++seen >= pieces) {
                    return new Answer(status, id, text.toString(), Optional.empty(), first);
                }
            }
            usage = usage.or(() -> usage(chunk));
        }
        throw new IOException("a stream that ended early: " + id);
    }

    /// Of the first choice.
    private static String text(JsonNode answer) {
        JsonNode choice = answer.path("choices").path(0);
        if (choice.path("index").asInt() != 0) {
            return "";
        }
        String chat = choice.path("message").path("content").asString("");
        return choice.path("text").asString("")
                + chat
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
        try (Socket socket = new Socket(uri.getHost(), uri.getPort())) {
            socket.setSoTimeout(RAW_TIMEOUT_MILLIS);
            OutputStream out = socket.getOutputStream();
            out.write(request);
            socket.shutdownOutput();
            String answer = new String(socket.getInputStream().readNBytes(12), StandardCharsets.US_ASCII);
            return answer.startsWith("HTTP/1.1 ") ? Integer.parseInt(answer.substring(9)) : 0;
        } catch (SocketException e) {
            return 0; // closed while it was still being sent to
        }
    }

    String get(String path) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(uri.resolve(path)).build();
        return http.send(request, HttpResponse.BodyHandlers.ofString()).body();
    }

    @Override
    public void close() {
        http.close();
    }
}
