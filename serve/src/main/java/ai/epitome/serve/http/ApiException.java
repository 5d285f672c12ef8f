package ai.epitome.serve.http;

import ai.epitome.serve.account.LimitException;
import java.util.Locale;
import java.util.Optional;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// A request that cannot be served, as OpenAI's error object tells it:
/// `{"error": {"message", "type", "param", "code"}}`.
public final class ApiException extends RuntimeException {
    private final int status;
    private final String type;
    private final String param;
    private final String code;
    /// Seconds; 0 where it would make no sense to try again.
    private final int retryAfter;

    private ApiException(int status, String type, String param, String code, String message) {
        this(status, type, param, code, message, status == 429 ? 1 : status == 503 ? 5 : 0);
    }

    private ApiException(int status, String type, String param, String code, String message, int retryAfter) {
        super(message, null, false, false);
        this.retryAfter = retryAfter;
        this.status = status;
        this.type = type;
        this.param = param;
        this.code = code;
    }

    /// Status 400: a parameter that is missing, of the wrong type, out of bounds or not supported.
    public static ApiException badParameter(String param, String message) {
        return new ApiException(400, "invalid_request_error", param, null, message);
    }

    /// The request itself is wrong, whatever its parameters.
    public static ApiException badRequest(int status, String code, String message) {
        return new ApiException(status, "invalid_request_error", null, code, message);
    }

    /// The same, of one parameter.
    public static ApiException badRequest(int status, String code, String param, String message) {
        return new ApiException(status, "invalid_request_error", param, code, message);
    }

    /// Status 404: nothing of this id, or nothing that belongs to this key.
    ///
    /// @param what response, conversation, file...
    public static ApiException notFound(String what, String id) {
        String shown = id.length() <= 64 ? id : id.substring(0, 64) + "…";
        return badRequest(404, "not_found", "No " + what + " with the id '" + shown + "' was found.");
    }

    /// Status 400: what is asked is refused by the key's moderation policy.
    public static ApiException contentFiltered(String message) {
        return badRequest(400, "content_filter", message);
    }

    /// Status 401: no key, or none that is good.
    public static ApiException unauthorized(String message) {
        return badRequest(401, "invalid_api_key", message);
    }

    /// A conversation that leaves no room for an answer.
    public static ApiException contextExceeded(int context, int tokens) {
        return new ApiException(
                400,
                "invalid_request_error",
                "messages",
                "context_length_exceeded",
                "This model's context has " + context + " tokens, and the messages have " + tokens + ": shorten them.");
    }

    /// Status 404: no model of this name is served.
    public static ApiException modelNotFound(String id) {
        return new ApiException(
                404,
                "invalid_request_error",
                "model",
                "model_not_found",
                "The model '" + id + "' does not exist. GET /v1/models lists those that do.");
    }

    /// Status 503: this cannot be answered now, and `message` says why.
    public static ApiException notReady(String message) {
        return new ApiException(503, "server_error", null, "model_not_ready", message);
    }

    /// Status 429: a key has used what it may.
    public static ApiException limited(LimitException e) {
        boolean budget = e.limit() == LimitException.Limit.BUDGET;
        int seconds = Math.toIntExact(Math.ceilDiv(Math.max(1, e.waitTime().toMillis()), 1_000));
        return new ApiException(
                429,
                budget ? "insufficient_quota" : e.limit().name().toLowerCase(Locale.ROOT),
                null,
                budget ? "insufficient_quota" : "rate_limit_exceeded",
                e.getMessage(),
                seconds);
    }

    /// Status 503.
    public static ApiException databaseFailed() {
        return new ApiException(
                503, "server_error", null, "database_failed", "The server's database failed; its log says why.");
    }

    /// Status 429: as many wait as may.
    ///
    /// @param waiting requests that do
    public static ApiException queueFull(int waiting) {
        return new ApiException(
                429,
                "rate_limit_error",
                null,
                "queue_full",
                "The server is busy and " + waiting + " requests are waiting already. Try again in a few seconds.");
    }

    /// Status 500, for what is this server's fault. It says nothing of the cause, which the log has.
    public static ApiException internal() {
        return new ApiException(500, "server_error", null, "internal_error", "The server failed; its log says why.");
    }

    public boolean isContextExceeded() {
        return "context_length_exceeded".equals(code);
    }

    /// The HTTP status.
    public int status() {
        return status;
    }

    /// Seconds after which another try makes sense.
    Optional<Integer> retryAfter() {
        return retryAfter == 0 ? Optional.empty() : Optional.of(retryAfter);
    }

    /// The error in OpenAI's shape: `{"error": {"message", "type", "param", "code"}}`.
    public ObjectNode body() {
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        root.putObject("error")
                .put("message", getMessage())
                .put("type", type)
                .put("param", param)
                .put("code", code);
        return root;
    }
}
