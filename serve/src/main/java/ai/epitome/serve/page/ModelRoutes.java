package ai.epitome.serve.page;

import ai.epitome.serve.account.PriceStore;
import ai.epitome.serve.generation.Answering;
import ai.epitome.serve.http.Http;
import ai.epitome.serve.metering.RequestMeter;
import ai.epitome.serve.registry.ModelRegistry;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// `GET /api/models`: what the page has to know of the models, beyond what OpenAI's list tells.
public final class ModelRoutes implements HttpService {
    private final Answering answering;
    private final PriceStore prices;
    private final int maxTokens;

    /// @param maxTokens most tokens of an answer that may be asked for
    public ModelRoutes(Answering answering, PriceStore prices, int maxTokens) {
        this.answering = answering;
        this.prices = prices;
        this.maxTokens = maxTokens;
    }

    @Override
    public void routing(HttpRules rules) {
        rules.get("/models", this::list)
                .any("/models", (request, response) -> Http.methodNotAllowed(request, response, "GET"));
    }

    private void list(ServerRequest request, ServerResponse response) {
        ObjectNode root = JsonNodeFactory.instance.objectNode().put("max_tokens", maxTokens);
        ArrayNode data = root.putArray("data");
        for (ModelRegistry.Entry entry : answering.models().all()) {
            data.add(json(entry.model().id(), entry, entry.talks()));
        }
        String owner = RequestMeter.owner(request);
        answering
                .tuned()
                .ifPresent(tuned -> tuned.all(owner)
                        .forEach(known -> data.add(json(known.model().id(), known.base(), known.talks()))));
        Http.send(response, 200, root);
    }

    private ObjectNode json(String id, ModelRegistry.Entry entry, boolean talks) {
        return JsonNodeFactory.instance
                .objectNode()
                .put("id", id)
                .put("chat", talks)
                .put("context", entry.model().contextLength())
                .put("priced", prices.find(id).isPresent());
    }
}
