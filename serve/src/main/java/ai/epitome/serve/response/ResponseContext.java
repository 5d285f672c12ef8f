package ai.epitome.serve.response;

import ai.epitome.serve.http.ApiException;
import ai.epitome.serve.store.ItemStore;
import ai.epitome.serve.store.ResponseStore;
import ai.epitome.serve.store.StoredResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// What a response goes on from: the responses before it, or the conversation that it belongs to.
record ResponseContext(ResponseStore responses, ItemStore items) {
    private static final int MAX_RESPONSES = 1024;
    static final int MAX_ITEMS = 4096;
    private static final JsonMapper JSON = JsonMapper.shared();

    /// The messages that the model reads.
    ///
    /// @throws ApiException when what it is to go on from is not there
    List<ObjectNode> messages(ResponseRequest request, String owner) {
        List<ObjectNode> all = new ArrayList<>();
        request.previous().ifPresent(id -> all.addAll(before(owner, id)));
        request.conversation().ifPresent(id -> all.addAll(conversation(owner, id)));
        all.addAll(request.input());
        List<ObjectNode> messages = new ArrayList<>();
        request.instructions()
                .ifPresent(text -> messages.add(JsonNodeFactory.instance
                        .objectNode()
                        .put("role", "system")
                        .put("content", text)));
        messages.addAll(ItemFields.messages(all));
        return messages;
    }

    private List<ObjectNode> before(String owner, String id) {
        List<StoredResponse> chain = responses.chain(owner, id, MAX_RESPONSES);
        if (chain.isEmpty()) {
            throw gone(id);
        }
        chain.getFirst().previous().ifPresent(deleted -> {
            throw gone(deleted);
        });
        List<ObjectNode> all = new ArrayList<>();
        for (StoredResponse response : chain) {
            if (response.inProgress()) {
                throw ApiException.badParameter(
                        "previous_response_id", "The response '" + response.id() + "' is still in progress.");
            }
            all.addAll(objects(JSON.readTree(response.input())));
            all.addAll(objects(JSON.readTree(response.body()).path("output")));
        }
        return all;
    }

    private static ApiException gone(String id) {
        return ApiException.badRequest(
                400,
                "previous_response_not_found",
                "previous_response_id",
                "The response '" + id + "' that this one goes on from does not exist (any more).");
    }

    private List<ObjectNode> conversation(String owner, String id) {
        items.find(owner, id).orElseThrow(() -> ApiException.notFound("conversation", id));
        List<ItemStore.Item> last = items.items(owner, id, true, Optional.empty(), MAX_ITEMS);
        return last.reversed().stream()
                .map(item -> (ObjectNode) JSON.readTree(item.json()))
                .toList();
    }

    private static List<ObjectNode> objects(JsonNode array) {
        return array.values().stream().map(ObjectNode.class::cast).toList();
    }

    /// Items as they are kept.
    static List<ItemStore.Item> stored(List<ObjectNode> items) {
        return items.stream()
                .map(item -> new ItemStore.Item(item.path("id").stringValue(), item.toString()))
                .toList();
    }
}
