package ai.epitome.serve.metering;

import ai.epitome.serve.account.ApiKey;
import ai.epitome.serve.http.TraceParent;
import java.util.Optional;
import java.util.Set;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// One line for each request: what was asked of which route, by whom, and what came of it. Never what the texts said,
/// never a key.
public final class RequestLog {
    /// Held here because the logging system forgets the level of loggers that nobody holds.
    public static final Logger LOG = Logger.getLogger("ai.epitome.serve.requests");

    private static final Set<String> METHODS = Set.of("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS");

    private RequestLog() {}

    /// A method that clients may have made up, as one of few.
    static String known(String method) {
        return METHODS.contains(method) ? method : "other";
    }

    static void answered(RequestMeter meter, String method, int status, Optional<TraceParent> trace) {
        if (!LOG.isLoggable(Level.FINE)) {
            return;
        }
        ObjectNode fields = JsonNodeFactory.instance
                .objectNode()
                .put("request_id", meter.id())
                .put("method", known(method))
                .put("route", meter.route())
                .put("status", status)
                .put("duration_ms", meter.elapsed().toNanos() / 1_000 / 1e3);
        trace.ifPresent(caller -> fields.put("trace_id", caller.traceId()).put("parent_span_id", caller.spanId()));
        meter.key().map(ApiKey::id).ifPresent(key -> fields.put("key_id", key));
        meter.model().ifPresent(model -> {
            Usage used = meter.usage();
            fields.put("model", model)
                    .put("prompt_tokens", used.promptTokens())
                    .put("cached_tokens", used.cachedTokens())
                    .put("completion_tokens", used.completionTokens());
        });
        if (!meter.findings().isEmpty()) {
            ArrayNode moderation = fields.putArray("moderation");
            meter.findings().forEach(found -> moderation.add(found.word()));
        }
        LogRecord line = new LogRecord(Level.FINE, "answered");
        line.setLoggerName(LOG.getName());
        line.setParameters(new Object[] {fields});
        LOG.log(line);
    }
}
