package ai.epitome.serve.conversation;

import ai.epitome.serve.body.JsonBody;
import ai.epitome.serve.http.Http;
import ai.epitome.serve.metering.RequestMeter;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.time.Clock;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// `/api/presets`: beginnings of conversations that people keep.
public final class PresetRoutes implements HttpService {
    private final PresetStore store;
    private final ConversationFields fields;
    private final JsonBody bodies;
    private final Clock clock;

    public PresetRoutes(JsonBody bodies, int maxTokens, PresetStore store, Clock clock) {
        this.store = store;
        this.fields = new ConversationFields(maxTokens);
        this.bodies = bodies;
        this.clock = clock;
    }

    @Override
    public void routing(HttpRules rules) {
        rules.get("/", this::list)
                .post("/", ConversationRoutes.refused(this::create))
                .patch("/{id}", ConversationRoutes.refused(this::update))
                .delete("/{id}", ConversationRoutes.refused(this::delete))
                .any("/", (request, response) -> Http.methodNotAllowed(request, response, "GET, POST"))
                .any("/{id}", (request, response) -> Http.methodNotAllowed(request, response, "PATCH, DELETE"));
    }

    private void list(ServerRequest request, ServerResponse response) {
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        ArrayNode data = root.putArray("data");
        store.list(RequestMeter.owner(request)).forEach(preset -> data.add(json(preset)));
        Http.send(response, 200, root);
    }

    private static ObjectNode json(Preset preset) {
        return JsonNodeFactory.instance
                .objectNode()
                .put("id", preset.id())
                .put("name", preset.name())
                .put("mode", preset.settings().mode().word())
                .put("system", preset.settings().system())
                .put("temperature", preset.settings().temperature())
                .put("top_p", preset.settings().topP())
                .put("max_tokens", preset.settings().maxTokens())
                .put("created_at", preset.created());
    }

    private void create(ServerRequest request, ServerResponse response) throws InterruptedException {
        Preset wanted = fields.preset(bodies.read(request, response), Preset.DEFAULT);
        Http.send(response, 201, json(store.create(RequestMeter.owner(request), wanted, clock.millis())));
    }

    private void update(ServerRequest request, ServerResponse response) throws InterruptedException {
        byte[] body = bodies.read(request, response);
        Preset changed = store.update(RequestMeter.owner(request), Http.id(request), old -> fields.preset(body, old));
        Http.send(response, 200, json(changed));
    }

    private void delete(ServerRequest request, ServerResponse response) {
        store.delete(RequestMeter.owner(request), Http.id(request));
        Http.send(response, 200, JsonNodeFactory.instance.objectNode().put("deleted", true));
    }
}
