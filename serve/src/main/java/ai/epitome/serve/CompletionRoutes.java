package ai.epitome.serve;

import ai.epitome.model.CompletionModel;
import ai.epitome.text.chat.ChatFormat;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.time.Instant;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// `GET /v1/models`, `GET /v1/models/{id}`, `POST /v1/completions` and `POST /v1/chat/completions`.
final class CompletionRoutes implements HttpService {
    private final Answering answering;
    private final CompletionRequestParser parser;
    private final ChatRequestParser chatParser;

    CompletionRoutes(ServerConfig config, Answering answering, ConstraintFields constraints) {
        this.answering = answering;
        this.parser = new CompletionRequestParser(config.maxTokens(), constraints);
        this.chatParser = new ChatRequestParser(config.maxTokens(), constraints);
    }

    @Override
    public void routing(HttpRules rules) {
        rules.get("/models", this::list)
                .get("/models/{id:.+}", this::one)
                .post("/completions", (request, response) -> answering.respond(request, response, this::complete))
                .post("/chat/completions", (request, response) -> answering.respond(request, response, this::chat))
                .any("/models", (request, response) -> Http.methodNotAllowed(request, response, "GET"))
                .any("/models/{id:.+}", (request, response) -> Http.methodNotAllowed(request, response, "GET"))
                .any("/completions", (request, response) -> Http.methodNotAllowed(request, response, "POST"))
                .any("/chat/completions", (request, response) -> Http.methodNotAllowed(request, response, "POST"));
    }

    private void list(ServerRequest request, ServerResponse response) {
        ObjectNode root = JsonNodeFactory.instance.objectNode().put("object", "list");
        ArrayNode data = root.putArray("data");
        answering.models().all().forEach(entry -> data.add(json(entry)));
        Http.send(response, 200, root);
    }

    private void one(ServerRequest request, ServerResponse response) {
        String id = request.path().pathParameters().get("id");
        Http.send(response, 200, json(answering.models().find(id).orElseThrow(() -> ApiException.modelNotFound(id))));
    }

    private static ObjectNode json(ModelRegistry.Entry entry) {
        return JsonNodeFactory.instance
                .objectNode()
                .put("id", entry.model().id())
                .put("object", "model")
                .put("created", entry.created().getEpochSecond())
                .put("owned_by", "epitome");
    }

    Asked complete(byte[] body, RequestMeter meter) {
        CompletionRequest wanted = parser.parse(body);
        CompletionModel model = answering.entry(wanted.model()).model();
        var shapes =
                new CompletionShapes(Answering.newId("cmpl-"), Instant.now().getEpochSecond(), model.id());
        return new Asked(wanted.stream(), cancelled -> new Completions(wanted, model, shapes, meter, cancelled));
    }

    Asked chat(byte[] body, RequestMeter meter) {
        ChatRequest wanted = chatParser.parse(body);
        ModelRegistry.Entry entry = answering.entry(wanted.model());
        ChatFormat format = entry.requireChat();
        var shapes = new ChatShapes(
                Answering.newId("chatcmpl-"),
                Instant.now().getEpochSecond(),
                entry.model().id());
        return new Asked(
                wanted.stream(),
                cancelled -> new ChatCompletions(
                        wanted, shapes, new ChatTurn(wanted, entry.model(), format, meter, cancelled)));
    }
}
