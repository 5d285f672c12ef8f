package ai.epitome.serve.admin;

import ai.epitome.serve.http.ClientConnection;
import ai.epitome.serve.http.Http;
import ai.epitome.serve.metric.ServiceMetrics;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerResponse;
import java.nio.charset.StandardCharsets;
import java.util.function.BooleanSupplier;
import tools.jackson.databind.node.JsonNodeFactory;

/// What those ask who run the service: `GET /health` (does it live), `GET /health/ready` (should it get requests) and
/// `GET /metrics`.
///
/// @param ready whether there is a model, and the service is not being stopped
public record OperationRoutes(ServiceMetrics metrics, BooleanSupplier ready) implements HttpService {
    @Override
    public void routing(HttpRules rules) {
        rules.get("/health", (request, response) -> health(response, true))
                .get("/health/ready", (request, response) -> health(response, ready.getAsBoolean()))
                .get("/metrics", (request, response) -> scrape(response))
                .any("/health", (request, response) -> Http.methodNotAllowed(request, response, "GET"))
                .any("/health/ready", (request, response) -> Http.methodNotAllowed(request, response, "GET"))
                .any("/metrics", (request, response) -> Http.methodNotAllowed(request, response, "GET"));
    }

    private static void health(ServerResponse response, boolean healthy) {
        Http.send(
                response,
                healthy ? 200 : 503,
                JsonNodeFactory.instance.objectNode().put("status", healthy ? "ok" : "waiting"));
    }

    private void scrape(ServerResponse response) {
        response.header(HeaderNames.CONTENT_TYPE, ServiceMetrics.CONTENT_TYPE);
        response.header(HeaderNames.CACHE_CONTROL, "no-store");
        byte[] text = metrics.scrape().getBytes(StandardCharsets.UTF_8);
        try (var _ = ClientConnection.current().limit()) {
            response.send(text);
        }
    }
}
