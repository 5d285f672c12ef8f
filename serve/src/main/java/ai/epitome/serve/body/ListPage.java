package ai.epitome.serve.body;

import ai.epitome.serve.http.ApiException;
import io.helidon.webserver.http.ServerRequest;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// Which part of a list is asked for, as OpenAI's lists are: `limit`, `after` and `order` of the query.
///
/// @param limit most objects
/// @param after id of the object behind which the part begins
/// @param newestFirst the order
public record ListPage(int limit, Optional<String> after, boolean newestFirst) {
    private static final int MAX_LIMIT = 100;
    private static final int DEFAULT_LIMIT = 20;
    private static final int MAX_ID = 256;

    /// @throws ApiException with status 400
    public static ListPage of(ServerRequest request) {
        String limit = query(request, "limit").orElse(String.valueOf(DEFAULT_LIMIT));
        if (!limit.matches("[0-9]{1,3}") || Integer.parseInt(limit) < 1 || Integer.parseInt(limit) > MAX_LIMIT) {
            throw ApiException.badParameter("limit", "'limit' must be between 1 and " + MAX_LIMIT + ".");
        }
        String order = query(request, "order").orElse("desc");
        if (!order.equals("desc") && !order.equals("asc")) {
            throw ApiException.badParameter("order", "'order' must be asc or desc.");
        }
        return new ListPage(Integer.parseInt(limit), query(request, "after"), order.equals("desc"));
    }

    public static Optional<String> query(ServerRequest request, String name) {
        Optional<String> value = request.query().first(name).asOptional();
        if (value.isPresent() && value.get().length() > MAX_ID) {
            throw ApiException.badParameter(name, "'" + name + "' has more than " + MAX_ID + " characters.");
        }
        return value;
    }

    /// The list's object.
    ///
    /// @param found one more than [#limit()] where there are more
    public ObjectNode list(List<ObjectNode> found) {
        List<ObjectNode> data = found.size() > limit ? found.subList(0, limit) : found;
        ObjectNode list = JsonNodeFactory.instance.objectNode().put("object", "list");
        list.putArray("data").addAll(data);
        return list.put(
                        "first_id",
                        data.isEmpty() ? null : data.getFirst().path("id").asString(""))
                .put(
                        "last_id",
                        data.isEmpty() ? null : data.getLast().path("id").asString(""))
                .put("has_more", found.size() > limit);
    }
}
