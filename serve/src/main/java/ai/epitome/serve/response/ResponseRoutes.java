package ai.epitome.serve.response;

import ai.epitome.serve.account.ApiKey;
import ai.epitome.serve.body.ListPage;
import ai.epitome.serve.completion.ChatTurn;
import ai.epitome.serve.completion.ConstraintFields;
import ai.epitome.serve.generation.Answering;
import ai.epitome.serve.generation.Asked;
import ai.epitome.serve.http.ApiException;
import ai.epitome.serve.http.Http;
import ai.epitome.serve.http.ObjectId;
import ai.epitome.serve.metering.RequestMeter;
import ai.epitome.serve.registry.ModelRegistry;
import ai.epitome.serve.store.ItemStore;
import ai.epitome.serve.store.ResponseStore;
import ai.epitome.serve.store.StoredResponse;
import ai.epitome.text.chat.ChatFormat;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.BooleanSupplier;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// `/v1/responses`: create, retrieve, delete, cancel, and the items of the input.
public final class ResponseRoutes implements HttpService {
    private static final JsonMapper JSON = JsonMapper.shared();
    private static final String ID = "/responses/{id}";

    private final Answering answering;
    private final ResponseRequestParser parser;
    private final ResponseStore store;
    private final ItemStore items;
    private final ResponseContext context;
    private final BackgroundResponses background;
    private final BiFunction<Optional<ApiKey>, String, RequestMeter> meters;

    /// @param meters makes meters of work that no request waits for
    public ResponseRoutes(
            int maxTokens,
            Answering answering,
            ConstraintFields constraints,
            ResponseStore store,
            ItemStore items,
            BiFunction<Optional<ApiKey>, String, RequestMeter> meters) {
        this.answering = answering;
        this.parser = new ResponseRequestParser(maxTokens, constraints);
        this.store = store;
        this.items = items;
        this.context = new ResponseContext(store, items);
        this.background = new BackgroundResponses(answering, store);
        this.meters = meters;
    }

    @Override
    public void routing(HttpRules rules) {
        rules.post("/responses", (request, response) -> answering.respond(request, response, this::create))
                .get(ID, this::retrieve)
                .delete(ID, this::delete)
                .post(ID + "/cancel", this::cancel)
                .get(ID + "/input_items", this::inputItems)
                .any("/responses", (request, response) -> Http.methodNotAllowed(request, response, "POST"))
                .any(ID, (request, response) -> Http.methodNotAllowed(request, response, "GET, DELETE"))
                .any(ID + "/cancel", (request, response) -> Http.methodNotAllowed(request, response, "POST"))
                .any(ID + "/input_items", (request, response) -> Http.methodNotAllowed(request, response, "GET"));
    }

    public Asked create(byte[] body, RequestMeter meter) {
        ResponseRequest wanted = parser.parse(body);
        ModelRegistry.Entry entry = answering.entry(wanted.chat().model(), meter);
        ChatFormat format = entry.requireChat();
        List<ObjectNode> messages = context.messages(wanted, meter.owner());
        var shapes = new ResponseShapes(
                ObjectId.next("resp_"),
                Instant.now().getEpochSecond(),
                entry.model().id(),
                wanted.echoed());
        boolean logprobs = wanted.chat().logprobs().isPresent();
        if (!wanted.background()) {
            return new Asked(
                    wanted.chat().stream(),
                    cancelled -> new Responses(
                            shapes,
                            turn(wanted, messages, entry, format, meter, cancelled),
                            logprobs,
                            made -> keep(wanted, shapes, made, meter.owner())));
        }
        return new Asked(false, _ -> {
            background.requireRoom();
            RequestMeter own = meters.apply(meter.key(), meter.route());
            ObjectNode queued = shapes.response("queued");
            background.start(shapes, own, cancelled -> {
                ChatTurn turn = turn(wanted, messages, entry, format, own, cancelled);
                store.add(stored(wanted, shapes, queued, meter.owner()));
                return new Responses(shapes, turn, logprobs, made -> finish(wanted, shapes, made, meter.owner()));
            });
            return new BackgroundResponses.Begun(queued);
        });
    }

    /// Where it may, it leaves out the oldest messages of a conversation that is too long.
    private static ChatTurn turn(
            ResponseRequest wanted,
            List<ObjectNode> messages,
            ModelRegistry.Entry entry,
            ChatFormat format,
            RequestMeter meter,
            BooleanSupplier cancelled) {
        List<ObjectNode> kept = new ArrayList<>(messages);
        int first = wanted.instructions().isPresent() ? 1 : 0;
        while (true) {
            try {
                return new ChatTurn(wanted.chat().of(kept), entry.model(), format, meter, cancelled);
            } catch (ApiException e) {
                int old = kept.size() - first - 1;
                if (!wanted.shortens() || !e.isContextExceeded() || old < 1) {
                    throw e;
                }
                kept.subList(first, first + Math.max(1, old / 4)).clear();
            }
        }
    }

    private void keep(ResponseRequest wanted, ResponseShapes shapes, ObjectNode made, String owner) {
        if (wanted.store()) {
            store.add(stored(wanted, shapes, made, owner));
        }
        append(wanted, made, owner);
    }

    private void finish(ResponseRequest wanted, ResponseShapes shapes, ObjectNode made, String owner) {
        if (store.advance(shapes.id(), made.path("status").stringValue(), made.toString())) {
            append(wanted, made, owner);
        }
    }

    private void append(ResponseRequest wanted, ObjectNode made, String owner) {
        wanted.conversation().ifPresent(id -> {
            List<ObjectNode> added = new ArrayList<>(wanted.input());
            made.path("output").values().forEach(item -> added.add((ObjectNode) item));
            items.append(owner, id, ResponseContext.stored(added));
        });
    }

    private static StoredResponse stored(ResponseRequest wanted, ResponseShapes shapes, ObjectNode made, String owner) {
        return new StoredResponse(
                shapes.id(),
                owner,
                shapes.created(),
                made.path("status").stringValue(),
                wanted.previous(),
                JsonNodeFactory.instance.arrayNode().addAll(wanted.input()).toString(),
                made.toString(),
                System.currentTimeMillis() + BackgroundResponses.LEASE_MILLIS);
    }

    private StoredResponse find(ServerRequest request) {
        String owner = RequestMeter.owner(request);
        String id = Http.id(request);
        StoredResponse found = store.find(owner, id).orElseThrow(() -> ApiException.notFound("response", id));
        if (!found.inProgress() || found.leaseUntil() >= System.currentTimeMillis()) {
            return found;
        }
        ObjectNode lost = ResponseShapes.failed(
                (ObjectNode) JSON.readTree(found.body()), "The server that made this response was stopped.");
        store.advance(id, "failed", lost.toString());
        return store.find(owner, id).orElseThrow(() -> ApiException.notFound("response", id));
    }

    private void retrieve(ServerRequest request, ServerResponse response) {
        if (ListPage.query(request, "stream").filter("true"::equals).isPresent()) {
            throw ApiException.badParameter("stream", "'stream' is not supported for responses that were made before.");
        }
        Http.send(response, 200, JSON.readTree(find(request).body()));
    }

    private void delete(ServerRequest request, ServerResponse response) {
        String id = find(request).id();
        store.advance(id, "cancelled", "{}");
        background.cancel(id);
        store.delete(RequestMeter.owner(request), id);
        Http.sendDeleted(response, id, "response");
    }

    private void cancel(ServerRequest request, ServerResponse response) {
        StoredResponse found = find(request);
        ObjectNode body = (ObjectNode) JSON.readTree(found.body());
        if (!body.path("background").asBoolean(false)) {
            throw ApiException.badParameter("id", "Only responses that are made in the background can be cancelled.");
        }
        if (found.inProgress()) {
            body.put("status", "cancelled");
            store.advance(found.id(), "cancelled", body.toString());
            background.cancel(found.id());
        }
        Http.send(response, 200, JSON.readTree(find(request).body()));
    }

    private void inputItems(ServerRequest request, ServerResponse response) {
        ListPage page = ListPage.of(request);
        List<ObjectNode> all = new ArrayList<>();
        JSON.readTree(find(request).input()).values().forEach(item -> all.add((ObjectNode) item));
        List<ObjectNode> ordered = page.newestFirst() ? all.reversed() : all;
        int begin = 0;
        for (int i = 0; i < ordered.size() && page.after().isPresent(); i++) {
            if (ordered.get(i).path("id").asString("").equals(page.after().get())) {
                begin = i + 1;
            }
        }
        Http.send(response, 200, page.list(ordered.subList(begin, ordered.size())));
    }
}
