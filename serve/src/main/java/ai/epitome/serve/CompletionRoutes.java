package ai.epitome.serve;

import ai.epitome.model.CompletionModel;
import ai.epitome.text.chat.ChatFormat;
import io.helidon.http.HeaderValues;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.lang.System.Logger.Level;
import java.time.Instant;
import java.util.HexFormat;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// `GET /v1/models`, `GET /v1/models/{id}`, `POST /v1/completions` and `POST /v1/chat/completions`.
final class CompletionRoutes implements HttpService {
    private static final System.Logger LOG = System.getLogger(CompletionRoutes.class.getName());

    private final ModelRegistry models;
    private final CompletionRequestParser parser;
    private final ChatRequestParser chatParser;
    private final JsonBody bodies;
    private final GenerationQueue queue;
    private final BooleanSupplier draining;
    private final BooleanSupplier stopped;

    /// @param draining whether new requests are refused
    /// @param stopped whether requests under way are cut short
    CompletionRoutes(
            ServerConfig config,
            ModelRegistry models,
            GenerationQueue queue,
            BooleanSupplier draining,
            BooleanSupplier stopped) {
        this.models = models;
        ConstraintFields constraints = new ConstraintFields();
        this.parser = new CompletionRequestParser(config.maxTokens(), constraints);
        this.chatParser = new ChatRequestParser(config.maxTokens(), constraints);
        this.bodies = new JsonBody(config.maxBodyBytes(), config.patience());
        this.queue = queue;
        this.draining = draining;
        this.stopped = stopped;
    }

    @Override
    public void routing(HttpRules rules) {
        rules.get("/models", this::list)
                .get("/models/{id:.+}", this::one)
                .post("/completions", this::complete)
                .post("/chat/completions", this::chat)
                .any("/models", (request, response) -> Http.methodNotAllowed(request, response, "GET"))
                .any("/models/{id:.+}", (request, response) -> Http.methodNotAllowed(request, response, "GET"))
                .any("/completions", (request, response) -> Http.methodNotAllowed(request, response, "POST"))
                .any("/chat/completions", (request, response) -> Http.methodNotAllowed(request, response, "POST"));
    }

    private void list(ServerRequest request, ServerResponse response) {
        ObjectNode root = JsonNodeFactory.instance.objectNode().put("object", "list");
        ArrayNode data = root.putArray("data");
        models.all().forEach(entry -> data.add(json(entry)));
        Http.send(response, 200, root);
    }

    private void one(ServerRequest request, ServerResponse response) {
        String id = request.path().pathParameters().get("id");
        Http.send(response, 200, json(models.find(id).orElseThrow(() -> ApiException.modelNotFound(id))));
    }

    private static ObjectNode json(ModelRegistry.Entry entry) {
        return JsonNodeFactory.instance
                .objectNode()
                .put("id", entry.model().id())
                .put("object", "model")
                .put("created", entry.created().getEpochSecond())
                .put("owned_by", "epitome");
    }

    private void complete(ServerRequest request, ServerResponse response) throws InterruptedException {
        RequestMeter meter = RequestMeter.of(request);
        CompletionRequest wanted = parser.parse(bodies.read(request, response));
        CompletionModel model = entry(wanted.model()).model();
        var shapes = new CompletionShapes(newId("cmpl-"), Instant.now().getEpochSecond(), model.id());
        respond(
                response,
                meter,
                wanted.stream(),
                cancelled -> new Completions(wanted, model, shapes, meter, cancelled));
    }

    private void chat(ServerRequest request, ServerResponse response) throws InterruptedException {
        RequestMeter meter = RequestMeter.of(request);
        ChatRequest wanted = chatParser.parse(bodies.read(request, response));
        ModelRegistry.Entry entry = entry(wanted.model());
        ChatFormat format = entry.chat()
                .orElseThrow(() -> ApiException.badParameter(
                        "model",
                        "The model '" + wanted.model() + "' takes no conversations: POST /v1/completions goes on with a"
                                + " text."));
        var shapes = new ChatShapes(
                newId("chatcmpl-"),
                Instant.now().getEpochSecond(),
                entry.model().id());
        respond(
                response,
                meter,
                wanted.stream(),
                cancelled -> new ChatCompletions(wanted, entry.model(), format, shapes, meter, cancelled));
    }

    /// @param maker makes the answer of something that tells when to stop
    private void respond(
            ServerResponse response, RequestMeter meter, boolean stream, Function<BooleanSupplier, Answer> maker)
            throws InterruptedException {
        response.header(HeaderValues.CONNECTION_CLOSE); // since the watch reads on
        ClientWatch client = ClientWatch.start();
        BooleanSupplier cancelled = () -> client.gone() || stopped.getAsBoolean();
        Answer answer = maker.apply(cancelled);
        try {
            if (stream) {
                try (var _ = queue.enter(cancelled)) {
                    meter.work();
                    stream(answer, meter, client, response);
                }
            } else {
                Http.send(response, 200, whole(answer, meter, cancelled));
            }
        } catch (CancelledException e) {
            if (client.gone()) {
                throw new CloseConnectionException("The client went away", e);
            }
            throw stopping();
        }
    }

    private ModelRegistry.Entry entry(String id) {
        if (draining.getAsBoolean()) {
            throw stopping();
        }
        if (models.isEmpty()) {
            throw ApiException.notReady("No model is ready yet: the first one is still in training or loading.");
        }
        return models.find(id).orElseThrow(() -> ApiException.modelNotFound(id));
    }

    private static ApiException stopping() {
        return ApiException.notReady("The server is stopping.");
    }

    /// The turn ends before anything is sent: however slowly the client takes it, the next one can begin.
    private ObjectNode whole(Answer answer, RequestMeter meter, BooleanSupplier cancelled) throws InterruptedException {
        try (var _ = queue.enter(cancelled)) {
            meter.work();
            return answer.answer();
        }
    }

    /// Errors after the first byte can no longer change the status: they become the stream's last event.
    private static void stream(Answer answer, RequestMeter meter, ClientWatch client, ServerResponse response) {
        try (EventStream events = EventStream.open(response)) {
            try {
                answer.stream(chunk -> events.data(chunk.toString()));
                meter.settle(200);
                events.data("[DONE]");
            } catch (CancelledException e) {
                meter.settle(client.gone() ? Metering.CLIENT_WENT_AWAY : 503);
                events.data(stopping().body().toString());
            } catch (ApiException e) {
                meter.settle(e.status());
                events.data(e.body().toString());
            } catch (CloseConnectionException e) {
                throw e;
            } catch (RuntimeException e) {
                LOG.log(Level.ERROR, "A generation failed", e);
                meter.settle(500);
                events.data(ApiException.internal().body().toString());
            }
        }
    }

    private static String newId(String prefix) {
        byte[] random = new byte[12];
        ThreadLocalRandom.current().nextBytes(random);
        return prefix + HexFormat.of().formatHex(random);
    }
}
