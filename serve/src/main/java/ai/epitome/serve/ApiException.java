package ai.epitome.serve;

import java.util.Optional;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// A request that cannot be served, as OpenAI's error object tells it:
/// `{"error": {"message", "type", "param", "code"}}`.
final class ApiException extends RuntimeException {
    private final int status;
    private final String type;
    private final String param;
    private final String code;

    private ApiException(int status, String type, String param, String code, String message) {
        super(message, null, false, false);
        this.status = status;
        this.type = type;
        this.param = param;
        this.code = code;
    }

    /// Status 400: a parameter that is missing, of the wrong type, out of bounds or not supported.
    static ApiException badParameter(String param, String message) {
        return new ApiException(400, "invalid_request_error", param, null, message);
    }

    /// The request itself is wrong, whatever its parameters.
    static ApiException badRequest(int status, String code, String message) {
        return new ApiException(status, "invalid_request_error", null, code, message);
    }

    /// Status 401: no key, or none that is good.
    static ApiException unauthorized(String message) {
        return badRequest(401, "invalid_api_key", message);
    }

    /// A conversation that leaves no room for an answer.
    static ApiException contextExceeded(int context, int tokens) {
        return new ApiException(
                400,
                "invalid_request_error",
                "messages",
                "context_length_exceeded",
                "This model's context has " + context + " tokens, and the messages have " + tokens + ": shorten them.");
    }

    static ApiException modelNotFound(String id) {
        return new ApiException(
                404,
                "invalid_request_error",
                "model",
                "model_not_found",
                "The model '" + id + "' does not exist. GET /v1/models lists those that do.");
    }

    static ApiException notReady(String message) {
        return new ApiException(503, "server_error", null, "model_not_ready", message);
    }

    static ApiException databaseFailed() {
        return new ApiException(
                503, "server_error", null, "database_failed", "The server's database failed; its log says why.");
    }

    static ApiException queueFull(int waiting) {
        return new ApiException(
                429,
                "rate_limit_error",
                null,
                "queue_full",
                "The server is busy and " + waiting + " requests are waiting already. Try again in a few seconds.");
    }

    static ApiException internal() {
        return new ApiException(500, "server_error", null, "internal_error", "The server failed; its log says why.");
    }

    int status() {
        return status;
    }

    /// Seconds after which another try makes sense.
    Optional<Integer> retryAfter() {
        return switch (status) {
            case 429 -> Optional.of(1);
            case 503 -> Optional.of(5);
            default -> Optional.empty();
        };
    }

    ObjectNode body() {
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        root.putObject("error")
                .put("message", getMessage())
                .put("type", type)
                .put("param", param)
                .put("code", code);
        return root;
    }
}
