package ai.epitome.serve.response;

import ai.epitome.serve.body.CommonFields;
import ai.epitome.serve.body.Fields;
import ai.epitome.serve.body.JsonBody;
import ai.epitome.serve.body.ListPage;
import ai.epitome.serve.body.MetadataFields;
import ai.epitome.serve.http.ApiException;
import ai.epitome.serve.http.Http;
import ai.epitome.serve.http.ObjectId;
import ai.epitome.serve.metering.RequestMeter;
import ai.epitome.serve.store.ItemStore;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// `/v1/conversations` ([OpenAI's reference](https://platform.openai.com/docs/api-reference/conversations)): lists of
/// items, to which responses add theirs.
public final class OpenAiConversationRoutes implements HttpService {
    private static final JsonMapper JSON = JsonMapper.shared();
    private static final String ID = "/conversations/{id}";
    private static final String ITEMS = ID + "/items";
    private static final String ITEM = ITEMS + "/{item}";
    /// As OpenAI bounds what is added at once.
    private static final int MAX_ADDED = 20;

    private final JsonBody bodies;
    private final ItemStore store;

    public OpenAiConversationRoutes(JsonBody bodies, ItemStore store) {
        this.bodies = bodies;
        this.store = store;
    }

    @Override
    public void routing(HttpRules rules) {
        rules.post("/conversations", this::create)
                .get(ID, this::retrieve)
                .post(ID, this::update)
                .delete(ID, this::delete)
                .get(ITEMS, this::items)
                .post(ITEMS, this::add)
                .get(ITEM, this::item)
                .delete(ITEM, this::deleteItem)
                .any("/conversations", (request, response) -> Http.methodNotAllowed(request, response, "POST"))
                .any(ID, (request, response) -> Http.methodNotAllowed(request, response, "GET, POST, DELETE"))
                .any(ITEMS, (request, response) -> Http.methodNotAllowed(request, response, "GET, POST"))
                .any(ITEM, (request, response) -> Http.methodNotAllowed(request, response, "GET, DELETE"));
    }

    private void create(ServerRequest request, ServerResponse response) throws InterruptedException {
        Fields fields = CommonFields.parse(bodies.read(request, response), Set.of("metadata", "items"));
        List<ObjectNode> items = added(fields, false);
        var made = new ItemStore.Conversation(
                ObjectId.next("conv_"),
                Instant.now().getEpochSecond(),
                MetadataFields.parse(fields).toString());
        store.create(RequestMeter.owner(request), made, ResponseContext.stored(items));
        Http.send(response, 200, json(made));
    }

    private static List<ObjectNode> added(Fields fields, boolean required) {
        if (!fields.has("items") && !required) {
            return List.of();
        }
        if (fields.get("items").isString() || fields.get("items").size() > MAX_ADDED) {
            throw ApiException.badParameter("items", "'items' must be an array of at most " + MAX_ADDED + " items.");
        }
        return ItemFields.parse(fields.get("items"), "items");
    }

    private static ObjectNode json(ItemStore.Conversation conversation) {
        ObjectNode json = JsonNodeFactory.instance
                .objectNode()
                .put("id", conversation.id())
                .put("object", "conversation")
                .put("created_at", conversation.createdAt());
        json.set("metadata", JSON.readTree(conversation.metadata()));
        return json;
    }

    private ItemStore.Conversation find(ServerRequest request) {
        String id = Http.id(request);
        return store.find(RequestMeter.owner(request), id).orElseThrow(() -> ApiException.notFound("conversation", id));
    }

    private void retrieve(ServerRequest request, ServerResponse response) {
        Http.send(response, 200, json(find(request)));
    }

    private void update(ServerRequest request, ServerResponse response) throws InterruptedException {
        Fields fields = CommonFields.parse(bodies.read(request, response), Set.of("metadata"));
        store.setMetadata(
                RequestMeter.owner(request),
                Http.id(request),
                MetadataFields.parse(fields).toString());
        retrieve(request, response);
    }

    private void delete(ServerRequest request, ServerResponse response) {
        if (!store.delete(RequestMeter.owner(request), Http.id(request))) {
            throw ApiException.notFound("conversation", Http.id(request));
        }
        Http.sendDeleted(response, Http.id(request), "conversation.deleted");
    }

    private void items(ServerRequest request, ServerResponse response) {
        ListPage page = ListPage.of(request);
        find(request);
        Http.send(
                response,
                200,
                page.list(objects(store.items(
                        RequestMeter.owner(request),
                        Http.id(request),
                        page.newestFirst(),
                        page.after(),
                        page.limit() + 1))));
    }

    private static List<ObjectNode> objects(List<ItemStore.Item> items) {
        return items.stream()
                .map(item -> (ObjectNode) JSON.readTree(item.json()))
                .toList();
    }

    private void add(ServerRequest request, ServerResponse response) throws InterruptedException {
        Fields fields = CommonFields.parse(bodies.read(request, response), Set.of("items"));
        List<ObjectNode> items = added(fields, true);
        if (!store.append(RequestMeter.owner(request), Http.id(request), ResponseContext.stored(items))) {
            throw ApiException.notFound("conversation", Http.id(request));
        }
        Http.send(response, 200, new ListPage(MAX_ADDED, Optional.empty(), false).list(items));
    }

    private void item(ServerRequest request, ServerResponse response) {
        String item = request.path().pathParameters().get("item");
        ItemStore.Item found = store.item(RequestMeter.owner(request), Http.id(request), item)
                .orElseThrow(() -> ApiException.notFound("item", item));
        Http.send(response, 200, JSON.readTree(found.json()));
    }

    private void deleteItem(ServerRequest request, ServerResponse response) {
        String item = request.path().pathParameters().get("item");
        if (!store.deleteItem(RequestMeter.owner(request), Http.id(request), item)) {
            throw ApiException.notFound("item", item);
        }
        retrieve(request, response);
    }
}
