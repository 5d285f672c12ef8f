package ai.epitome.serve.completion;

import ai.epitome.model.generation.CompletionModel;
import ai.epitome.serve.generation.Answering;
import ai.epitome.serve.generation.Asked;
import ai.epitome.serve.http.ApiException;
import ai.epitome.serve.http.Http;
import ai.epitome.serve.http.ObjectId;
import ai.epitome.serve.metering.RequestMeter;
import ai.epitome.serve.registry.ModelRegistry;
import ai.epitome.serve.store.TuningStore;
import ai.epitome.text.chat.ChatFormat;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.time.Instant;
import java.util.Optional;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// `GET /v1/models`, `GET` and `DELETE /v1/models/{id}`, `POST /v1/completions` and `POST /v1/chat/completions`.
public final class CompletionRoutes implements HttpService {
    private final Answering answering;
    private final CompletionRequestParser parser;
    private final ChatRequestParser chatParser;

    public CompletionRoutes(int maxTokens, Answering answering, ConstraintFields constraints) {
        this.answering = answering;
        this.parser = new CompletionRequestParser(maxTokens, constraints);
        this.chatParser = new ChatRequestParser(maxTokens, constraints);
    }

    @Override
    public void routing(HttpRules rules) {
        rules.get("/models", this::list)
                .get("/models/{id:.+}", this::one)
                .post("/completions", (request, response) -> answering.respond(request, response, this::complete))
                .post("/chat/completions", (request, response) -> answering.respond(request, response, this::chat))
                .any("/models", (request, response) -> Http.methodNotAllowed(request, response, "GET"))
                .delete("/models/{id:.+}", this::delete)
                .any("/models/{id:.+}", (request, response) -> Http.methodNotAllowed(request, response, "GET, DELETE"))
                .any("/completions", (request, response) -> Http.methodNotAllowed(request, response, "POST"))
                .any("/chat/completions", (request, response) -> Http.methodNotAllowed(request, response, "POST"));
    }

    private void list(ServerRequest request, ServerResponse response) {
        ObjectNode root = JsonNodeFactory.instance.objectNode().put("object", "list");
        ArrayNode data = root.putArray("data");
        answering.models().all().forEach(entry -> data.add(json(entry.model().id(), entry.created(), "epitome")));
        String owner = RequestMeter.owner(request);
        answering.tuned().ifPresent(tuned -> tuned.all(owner).forEach(known -> data.add(json(known.model()))));
        Http.send(response, 200, root);
    }

    private void one(ServerRequest request, ServerResponse response) {
        String id = Http.id(request);
        Optional<ObjectNode> served = answering
                .models()
                .find(id)
                .map(entry -> json(id, entry.created(), "epitome"))
                .or(() -> answering
                        .tuned()
                        .flatMap(tuned -> tuned.known(RequestMeter.owner(request), id))
                        .map(CompletionRoutes::json));
        Http.send(response, 200, served.orElseThrow(() -> ApiException.modelNotFound(id)));
    }

    private void delete(ServerRequest request, ServerResponse response) {
        String id = Http.id(request);
        if (answering.models().find(id).isPresent()) {
            throw ApiException.badRequest(
                    403,
                    "not_deletable",
                    "'" + id + "' is served from its files: only fine-tuned models can be deleted.");
        }
        String owner = RequestMeter.owner(request);
        if (answering.tuned().filter(tuned -> tuned.delete(owner, id)).isEmpty()) {
            throw ApiException.modelNotFound(id);
        }
        Http.sendDeleted(response, id, "model");
    }

    private static ObjectNode json(TuningStore.Model tuned) {
        return json(tuned.id(), Instant.ofEpochSecond(tuned.createdAt()), "fine-tuning");
    }

    private static ObjectNode json(String id, Instant created, String owner) {
        return JsonNodeFactory.instance
                .objectNode()
                .put("id", id)
                .put("object", "model")
                .put("created", created.getEpochSecond())
                .put("owned_by", owner);
    }

    public Asked complete(byte[] body, RequestMeter meter) {
        CompletionRequest wanted = parser.parse(body);
        CompletionModel model = answering.entry(wanted.model(), meter).model();
        var shapes = new CompletionShapes(ObjectId.next("cmpl-"), Instant.now().getEpochSecond(), model.id());
        return new Asked(wanted.stream(), cancelled -> new Completions(wanted, model, shapes, meter, cancelled));
    }

    public Asked chat(byte[] body, RequestMeter meter) {
        ChatRequest wanted = chatParser.parse(body);
        ModelRegistry.Entry entry = answering.entry(wanted.model(), meter);
        ChatFormat format = entry.requireChat();
        var shapes = new ChatShapes(
                ObjectId.next("chatcmpl-"),
                Instant.now().getEpochSecond(),
                entry.model().id());
        return new Asked(
                wanted.stream(),
                cancelled -> new ChatCompletions(
                        wanted, shapes, new ChatTurn(wanted, entry.model(), format, meter, cancelled)));
    }
}
