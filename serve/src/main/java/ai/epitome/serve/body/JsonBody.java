package ai.epitome.serve.body;

import ai.epitome.serve.http.ApiException;
import ai.epitome.serve.http.Http;
import io.helidon.common.buffers.DataReader.IncorrectNewLineException;
import io.helidon.common.buffers.DataReader.InsufficientDataAvailableException;
import io.helidon.http.HeaderValues;
import io.helidon.http.HttpMediaType;
import io.helidon.http.RequestException;
import io.helidon.http.Status;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// Takes a JSON body off a request, within bounds of size and time.
///
/// The content type must be `application/json`. That is more than tidiness: a page of another site can make a browser
/// send a plain-text body anywhere, but JSON only where the server allows it (CORS), and this one never does.
///
/// @param maxBytes largest body; twice as much is read and thrown away before the answer, since a client that is still
/// sending would not see it
/// @param timeout most time for the whole body
public record JsonBody(int maxBytes, Duration timeout) {

    /// @throws ApiException with status 400, 413 or 415
    /// @throws CloseConnectionException after an answer with status 408
    public byte[] read(ServerRequest request, ServerResponse response) throws InterruptedException {
        requireJson(request);
        return bytes(request, response);
    }

    /// The same of any type.
    public byte[] bytes(ServerRequest request, ServerResponse response) throws InterruptedException {
        if (!request.content().hasEntity()) {
            throw ApiException.badRequest(400, "invalid_json", "The body is empty.");
        }
        // A thread of its own reads, so that this one can answer when time is up.
        InputStream in = request.content().inputStream();
        var reading = new FutureTask<>(() -> take(in));
        Thread.ofVirtual().name("request body").start(reading);
        try {
            return reading.get(timeout.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            response.header(HeaderValues.CONNECTION_CLOSE);
            Http.send(response, tooSlow());
            throw new CloseConnectionException("The body did not arrive in time", e); // ends the reading thread, too
        } catch (ExecutionException e) {
            throw refusal(e.getCause());
        }
    }

    private byte[] take(InputStream in) throws IOException {
        var body = new ByteArrayOutputStream();
        byte[] buffer = new byte[16 * 1024];
        long total = 0;
        for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
            total += read;
            if (total <= maxBytes) {
                body.write(buffer, 0, read);
            } else if (total > 2L * maxBytes) {
                break;
            }
        }
        if (total > maxBytes) {
            throw ApiException.badRequest(
                    413, "body_too_large", "The body has more than " + maxBytes + " bytes, which is what is taken.");
        }
        return body.toByteArray();
    }

    private ApiException tooSlow() {
        return ApiException.badRequest(
                408, "body_too_slow", "The body did not arrive within " + timeout.toSeconds() + " seconds.");
    }

    /// What it means that the body could not be read; Helidon tells it in many ways.
    private static RuntimeException refusal(Throwable failure) {
        return switch (failure) {
            case InsufficientDataAvailableException _, IOException _ ->
                ApiException.badRequest(400, "incomplete_body", "The body ended early.");
            case RequestException e
            when e.status() == Status.REQUEST_ENTITY_TOO_LARGE_413 ->
                ApiException.badRequest(413, "body_too_large", "The body is too large.");
            case RequestException _, NumberFormatException _, IncorrectNewLineException _ ->
                ApiException.badRequest(400, "malformed_chunks", "The body is not made of proper chunks.");
            case RuntimeException e -> e;
            default -> new IllegalStateException(failure);
        };
    }

    private static void requireJson(ServerRequest request) {
        Optional<HttpMediaType> type;
        try {
            type = request.headers().contentType();
        } catch (IllegalArgumentException e) {
            type = Optional.empty();
        }
        boolean json = type.map(value -> value.mediaType().text().toLowerCase(Locale.ROOT))
                .filter("application/json"::equals)
                .isPresent();
        boolean utf8 = type.flatMap(HttpMediaType::charset)
                .map("utf-8"::equalsIgnoreCase)
                .orElse(true);
        if (!json || !utf8) {
            throw ApiException.badRequest(
                    415, "unsupported_content_type", "The body must be JSON: send Content-Type: application/json.");
        }
    }
}
