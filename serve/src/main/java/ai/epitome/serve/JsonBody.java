package ai.epitome.serve;

import io.helidon.http.HeaderValues;
import io.helidon.http.HttpMediaType;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;

/// Takes a JSON body off a request, within bounds of size and time.
///
/// The content type must be `application/json`. That is more than tidiness: a page of another site can make a browser
/// send a plain-text body anywhere, but JSON only where the server allows it (CORS), and this one never does.
///
/// @param maxBytes largest body; twice as much is read and thrown away before the answer, since a client that is still
/// sending would not see it
/// @param timeout most time for the whole body
record JsonBody(int maxBytes, Duration timeout) {

    /// @throws ApiException with status 408, 413 or 415
    byte[] read(ServerRequest request, ServerResponse response) {
        requireJson(request);
        if (!request.content().hasEntity()) {
            throw ApiException.badRequest(400, "invalid_json", "The body is empty; a JSON object is needed.");
        }
        long deadline = System.nanoTime() + timeout.toNanos();
        var body = new ByteArrayOutputStream();
        byte[] buffer = new byte[16 * 1024];
        long total = 0;
        try (InputStream in = request.content().inputStream()) {
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                total += read;
                if (total <= maxBytes) {
                    body.write(buffer, 0, read);
                }
                if (System.nanoTime() > deadline) {
                    throw tooSlow(response);
                }
            }
        } catch (IOException e) {
            throw ApiException.badRequest(400, "incomplete_body", "The body ended early.");
        } catch (RuntimeException e) {
            if (ClientWatch.causedBy(e, SocketTimeoutException.class)) {
                throw tooSlow(response);
            }
            throw e;
        }
        if (total > maxBytes) {
            throw ApiException.badRequest(
                    413, "body_too_large", "The body has " + total + " bytes; at most " + maxBytes + " are taken.");
        }
        return body.toByteArray();
    }

    private ApiException tooSlow(ServerResponse response) {
        response.header(HeaderValues.CONNECTION_CLOSE);
        return ApiException.badRequest(
                408, "body_too_slow", "The body did not arrive within " + timeout.toSeconds() + " seconds.");
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
