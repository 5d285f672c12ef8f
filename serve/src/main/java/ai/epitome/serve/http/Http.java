package ai.epitome.serve.http;

import io.helidon.http.DirectHandler;
import io.helidon.http.HeaderNames;
import io.helidon.http.ServerResponseHeaders;
import io.helidon.http.Status;
import io.helidon.http.WritableHeaders;
import io.helidon.webserver.http.DirectHandlers;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.nio.charset.StandardCharsets;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;

/// What all answers have in common: JSON, errors in OpenAI's shape, and headers that tell browsers to trust nothing but
/// this server.
public final class Http {
    private static final String JSON = "application/json";
    /// Scripts, styles, images and connections from here only, and no frame around the page.
    private static final String CONTENT_SECURITY_POLICY =
            "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'";

    private Http() {}

    /// Sends a whole answer, within the client's time limit.
    public static void send(ServerResponse response, int status, JsonNode body) {
        response.status(Status.create(status));
        response.header(HeaderNames.CONTENT_TYPE, JSON);
        response.header(HeaderNames.CACHE_CONTROL, "no-store");
        byte[] bytes = body.toString().getBytes(StandardCharsets.UTF_8);
        try (var _ = ClientConnection.current().limit()) {
            response.send(bytes);
        }
    }

    public static void send(ServerResponse response, ApiException error) {
        error.retryAfter().ifPresent(seconds -> response.header(HeaderNames.RETRY_AFTER, seconds.toString()));
        send(response, error.status(), error.body());
    }

    /// What OpenAI answers when something has been deleted.
    ///
    /// @param object what it was
    public static void sendDeleted(ServerResponse response, String id, String object) {
        send(
                response,
                200,
                JsonNodeFactory.instance
                        .objectNode()
                        .put("id", id)
                        .put("object", object)
                        .put("deleted", true));
    }

    /// What the route's `{id}` stands for.
    public static String id(ServerRequest request) {
        return request.path().pathParameters().get("id");
    }

    /// Status 405.
    ///
    /// @param allowed methods of this URL, as the header `Allow` lists them
    public static void methodNotAllowed(ServerRequest request, ServerResponse response, String allowed) {
        response.header(HeaderNames.ALLOW, allowed);
        throw ApiException.badRequest(
                405,
                "method_not_allowed",
                "Not allowed to " + request.prologue().method().text() + " here: use " + allowed + ".");
    }

    /// Status 404, for a URL that no route has.
    public static void unknown(ServerRequest request, ServerResponse response) {
        throw ApiException.badRequest(
                404,
                "unknown_url",
                "Unknown request URL: " + request.prologue().method().text() + " "
                        + request.path().path() + ".");
    }

    /// Sets the headers that tell browsers to trust nothing but this server.
    public static void secure(WritableHeaders<?> headers) {
        headers.set(HeaderNames.create("Content-Security-Policy"), CONTENT_SECURITY_POLICY);
        headers.set(HeaderNames.create("X-Content-Type-Options"), "nosniff");
        headers.set(HeaderNames.create("X-Frame-Options"), "DENY");
        headers.set(HeaderNames.create("Referrer-Policy"), "no-referrer");
        headers.set(HeaderNames.create("Cross-Origin-Resource-Policy"), "same-origin");
        headers.set(HeaderNames.create("Cross-Origin-Opener-Policy"), "same-origin");
    }

    /// Answers to requests that never reach a route, because they are not proper HTTP or too large.
    public static DirectHandlers directHandlers() {
        var handlers = DirectHandlers.builder();
        for (DirectHandler.EventType type : DirectHandler.EventType.values()) {
            handlers.addHandler(type, Http::answerDirectly);
        }
        return handlers.build();
    }

    private static DirectHandler.TransportResponse answerDirectly(
            DirectHandler.TransportRequest request,
            DirectHandler.EventType type,
            Status status,
            ServerResponseHeaders headers,
            String message) {
        // Helidon throws various exceptions over bytes that belong in no request, and calls each an internal error.
        boolean malformed = request == DirectHandler.TransportRequest.empty() && status.code() >= 500;
        // Another version is the client's mistake, and nothing of the server's that anybody should be called for.
        boolean otherVersion = type == DirectHandler.EventType.HTTP_VERSION_NOT_SUPPORTED;
        Status answered = malformed || otherVersion ? Status.BAD_REQUEST_400 : status;
        ApiException error = answered.code() >= 500
                ? ApiException.internal()
                : ApiException.badRequest(
                        answered.code(),
                        "bad_request",
                        otherVersion ? "This server speaks HTTP/1.1." : reason(answered));
        secure(headers);
        headers.set(RequestId.HEADER, RequestId.next());
        headers.set(HeaderNames.CONTENT_TYPE, JSON);
        return DirectHandler.TransportResponse.builder()
                .status(answered)
                .headers(headers)
                .keepAlive(false)
                .entity(error.body().toString().getBytes(StandardCharsets.UTF_8))
                .build();
    }

    private static String reason(Status status) {
        return status.code() == 413
                ? "The body is too large."
                : "The request is not one that this server understands: " + status.reasonPhrase() + ".";
    }
}
