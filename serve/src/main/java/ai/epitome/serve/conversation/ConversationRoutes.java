package ai.epitome.serve.conversation;

import ai.epitome.serve.body.CommonFields;
import ai.epitome.serve.body.Fields;
import ai.epitome.serve.body.JsonBody;
import ai.epitome.serve.http.ApiException;
import ai.epitome.serve.http.ClientConnection;
import ai.epitome.serve.http.Http;
import ai.epitome.serve.metering.RequestMeter;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// `/api/conversations`: what the chat page keeps on the server. `docs/chat-page.md` lists the routes.
///
/// A conversation belongs to the API key that began it, or, on the loopback address and without a key, to whoever sits
/// at this machine.
public final class ConversationRoutes implements HttpService {
    private static final int MOST_LISTED = 200;
    private static final int MOST_SEARCH = 200;
    private static final int MOST_OFFSET = 1_000_000;

    private final ConversationStore store;
    private final ConversationFields fields;
    private final ConversationAnswers answers;
    private final JsonBody bodies;
    private final Clock clock;

    public ConversationRoutes(
            JsonBody bodies, int maxTokens, ConversationStore store, ConversationAnswers answers, Clock clock) {
        this.store = store;
        this.fields = new ConversationFields(maxTokens);
        this.answers = answers;
        this.bodies = bodies;
        this.clock = clock;
    }

    /// Of requests that the store may refuse.
    interface Handler {
        void handle(ServerRequest request, ServerResponse response) throws InterruptedException;
    }

    @Override
    public void routing(HttpRules rules) {
        rules.get("/", refused(this::list))
                .post("/", refused(this::create))
                .post("/import", refused(this::importFile))
                .get("/{id}", refused(this::get))
                .patch("/{id}", refused(this::update))
                .delete("/{id}", refused(this::delete))
                .post("/{id}/import", refused(this::importMore))
                .get("/{id}/export", refused(this::export))
                .post("/{id}/messages", refused(this::say))
                .post("/{id}/answers", refused(this::answer))
                .patch("/{id}/messages/{number}", refused(this::rate))
                .post("/{id}/preferences", refused(this::prefer))
                .any("/", notAllowed("GET, POST"))
                .any("/import", notAllowed("POST"))
                .any("/{id}", notAllowed("GET, PATCH, DELETE"))
                .any("/{id}/import", notAllowed("POST"))
                .any("/{id}/export", notAllowed("GET"))
                .any("/{id}/messages", notAllowed("POST"))
                .any("/{id}/answers", notAllowed("POST"))
                .any("/{id}/messages/{number}", notAllowed("PATCH"))
                .any("/{id}/preferences", notAllowed("POST"));
    }

    private static io.helidon.webserver.http.Handler notAllowed(String allowed) {
        return (request, response) -> Http.methodNotAllowed(request, response, allowed);
    }

    /// What the store refuses, as an answer.
    static io.helidon.webserver.http.Handler refused(Handler handler) {
        return (request, response) -> {
            try {
                handler.handle(request, response);
            } catch (ConversationStore.RefusedException e) {
                throw ApiException.badRequest(
                        e.missing() ? 404 : 409, e.missing() ? "not_found" : "refused", e.getMessage());
            }
        };
    }

    private void list(ServerRequest request, ServerResponse response) {
        String search = query(request, "search", MOST_SEARCH).orElse("");
        int limit = number(query(request, "limit", 10).orElse("100"), "limit", 1, MOST_LISTED);
        int offset = number(query(request, "offset", 10).orElse("0"), "offset", 0, MOST_OFFSET);
        var query = new ConversationStore.Query(search.strip(), query(request, "folder", 100), limit, offset);
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        ArrayNode data = root.putArray("data");
        List<StoredConversation> found = store.list(RequestMeter.owner(request), query);
        found.forEach(conversation -> data.add(ConversationJson.conversation(conversation)));
        ArrayNode folders = root.putArray("folders");
        store.folders(RequestMeter.owner(request)).forEach(folders::add);
        Http.send(response, 200, root.put("more", found.size() == limit));
    }

    private static Optional<String> query(ServerRequest request, String name, int most) {
        Optional<String> value = request.query().first(name).asOptional();
        if (value.isPresent() && value.get().length() > most) {
            throw ApiException.badParameter(name, "'" + name + "' must have at most " + most + " characters.");
        }
        return value;
    }

    private static int number(String text, String name, int from, int to) {
        int value = text.matches("\\d{1,9}") ? Integer.parseInt(text) : -1;
        if (value < from || value > to) {
            throw ApiException.badParameter(name, "'" + name + "' must be between " + from + " and " + to + ".");
        }
        return value;
    }

    private void create(ServerRequest request, ServerResponse response) throws InterruptedException {
        StoredConversation wanted = fields.change(
                bodies.read(request, response), new StoredConversation("", "", "", Settings.DEFAULT, 0, 0, 0));
        StoredConversation made = store.create(
                RequestMeter.owner(request),
                wanted.title(),
                wanted.folder(),
                wanted.settings(),
                List.of(),
                0,
                clock.millis());
        Http.send(response, 201, ConversationJson.conversation(made));
    }

    private void get(ServerRequest request, ServerResponse response) {
        Http.send(response, 200, whole(RequestMeter.owner(request), Http.id(request)));
    }

    private ObjectNode whole(String owner, String id) {
        ObjectNode root = ConversationJson.conversation(store.find(owner, id));
        return root.set(
                "messages", ConversationJson.messages(store.messages(owner, id).messages()));
    }

    private void update(ServerRequest request, ServerResponse response) throws InterruptedException {
        byte[] body = bodies.read(request, response);
        StoredConversation changed =
                store.update(RequestMeter.owner(request), Http.id(request), old -> fields.change(body, old));
        Http.send(response, 200, ConversationJson.conversation(changed));
    }

    private void delete(ServerRequest request, ServerResponse response) {
        store.delete(RequestMeter.owner(request), Http.id(request));
        Http.send(response, 200, JsonNodeFactory.instance.objectNode().put("deleted", true));
    }

    private void say(ServerRequest request, ServerResponse response) throws InterruptedException {
        answers.say(place(request), fields.said(bodies.read(request, response)), response);
    }

    private void answer(ServerRequest request, ServerResponse response) throws InterruptedException {
        answers.answer(place(request), fields.answered(bodies.read(request, response)), response);
    }

    private static ConversationAnswers.Place place(ServerRequest request) {
        return new ConversationAnswers.Place(RequestMeter.owner(request), Http.id(request), RequestMeter.of(request));
    }

    private void rate(ServerRequest request, ServerResponse response) throws InterruptedException {
        ConversationFields.Rating rating = fields.rating(bodies.read(request, response));
        int number = number(request.path().pathParameters().get("number"), "number", 1, Integer.MAX_VALUE);
        Message rated =
                store.rate(RequestMeter.owner(request), Http.id(request), number, rating.rating(), rating.note());
        Http.send(response, 200, ConversationJson.message(rated));
    }

    private void prefer(ServerRequest request, ServerResponse response) throws InterruptedException {
        Preferences.Choice choice = fields.choice(bodies.read(request, response));
        store.prefer(RequestMeter.owner(request), Http.id(request), choice, clock.millis());
        Http.send(response, 201, JsonNodeFactory.instance.objectNode().put("stored", true));
    }

    private void export(ServerRequest request, ServerResponse response) {
        String format = query(request, "format", 16).orElse("json");
        StoredConversation conversation = store.find(RequestMeter.owner(request), Http.id(request));
        MessageTree tree = store.messages(RequestMeter.owner(request), conversation.id());
        byte[] file = switch (format) {
            case "json" ->
                ConversationJson.file(conversation, tree.messages())
                        .toPrettyString()
                        .getBytes(StandardCharsets.UTF_8);
            case "markdown" ->
                ConversationMarkdown.write(new ConversationMarkdown.Branch(
                                conversation.title(), conversation.settings().system(), tree.path(conversation.leaf())))
                        .getBytes(StandardCharsets.UTF_8);
            default -> throw ApiException.badParameter("format", "'format' must be json or markdown.");
        };
        boolean json = format.equals("json");
        response.header(HeaderNames.CONTENT_TYPE, json ? "application/json" : "text/markdown; charset=utf-8");
        response.header(HeaderNames.CACHE_CONTROL, "no-store");
        response.header(
                HeaderNames.CONTENT_DISPOSITION,
                "attachment; filename=\"" + conversation.id() + (json ? ".json" : ".md") + '"');
        try (var _ = ClientConnection.current().limit()) {
            response.send(file);
        }
    }

    /// `{"conversation", "messages"}` of a file of ours, or `{"markdown"}`. Files larger than a body come in parts:
    /// further messages go to `/{id}/import`.
    private void importFile(ServerRequest request, ServerResponse response) throws InterruptedException {
        Fields body = CommonFields.parse(
                bodies.read(request, response), Set.of("format", "version", "conversation", "messages", "markdown"));
        StoredConversation made = body.has("markdown")
                ? importMarkdown(RequestMeter.owner(request), body.text("markdown", Integer.MAX_VALUE))
                : importJson(RequestMeter.owner(request), fields.file(body.get("conversation"), body.get("messages")));
        Http.send(response, 201, ConversationJson.conversation(made));
    }

    private StoredConversation importJson(String owner, ConversationFields.File file) {
        StoredConversation given = file.conversation();
        int last = file.messages().size();
        int leaf = given.leaf() > 0 && given.leaf() <= last ? given.leaf() : last;
        return store.create(
                owner, given.title(), given.folder(), given.settings(), file.messages(), leaf, clock.millis());
    }

    private StoredConversation importMarkdown(String owner, String markdown) {
        ConversationMarkdown.Branch branch = ConversationMarkdown.parse(markdown);
        Settings plain = Settings.DEFAULT;
        var settings = new Settings(
                plain.mode(), plain.model(), branch.system(), plain.temperature(), plain.topP(), plain.maxTokens());
        String title = branch.title().length() > 200 ? branch.title().substring(0, 200) : branch.title();
        int last = branch.messages().size();
        return store.create(owner, title, "", settings, branch.messages(), last, clock.millis());
    }

    private void importMore(ServerRequest request, ServerResponse response) throws InterruptedException {
        Fields body = CommonFields.parse(bodies.read(request, response), Set.of("messages"));
        int first = body.get("messages").path(0).path("number").asInt(0);
        store.extend(
                RequestMeter.owner(request),
                Http.id(request),
                fields.messages(body.get("messages"), first),
                clock.millis());
        Http.send(
                response,
                200,
                ConversationJson.conversation(store.find(RequestMeter.owner(request), Http.id(request))));
    }
}
