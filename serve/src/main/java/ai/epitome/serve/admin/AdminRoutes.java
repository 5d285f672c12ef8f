package ai.epitome.serve.admin;

import ai.epitome.serve.account.Accounts;
import ai.epitome.serve.account.ApiKey;
import ai.epitome.serve.account.KeyLimits;
import ai.epitome.serve.account.KeyStore;
import ai.epitome.serve.account.Price;
import ai.epitome.serve.account.Scope;
import ai.epitome.serve.account.UsageStore;
import ai.epitome.serve.body.CommonFields;
import ai.epitome.serve.body.Fields;
import ai.epitome.serve.body.JsonBody;
import ai.epitome.serve.http.ApiException;
import ai.epitome.serve.http.Http;
import ai.epitome.serve.metric.ModelMetrics;
import ai.epitome.serve.metric.ServiceMetrics;
import ai.epitome.serve.moderation.ModerationPolicy;
import ai.epitome.serve.registry.ModelRegistry;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.NullNode;
import tools.jackson.databind.node.ObjectNode;

/// `/api/admin`: what the page shows to those who run the service. Keys need the scope `admin`.
public final class AdminRoutes implements HttpService {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final int DAYS = 30;
    private static final int MOST_DAYS = 3_650;
    private static final int MOST_RATE = 1_000_000_000;

    private final ModelRegistry models;
    private final Accounts accounts;
    private final ServiceMetrics metrics;
    private final JsonBody bodies;
    private final Clock clock;

    public AdminRoutes(JsonBody bodies, ModelRegistry models, Accounts accounts, ServiceMetrics metrics, Clock clock) {
        this.models = models;
        this.accounts = accounts;
        this.metrics = metrics;
        this.bodies = bodies;
        this.clock = clock;
    }

    @Override
    public void routing(HttpRules rules) {
        rules.get("/live", this::live)
                .get("/usage", this::usage)
                .get("/keys", this::keys)
                .post("/keys", this::create)
                .post("/keys/{id}", this::moderate)
                .delete("/keys/{id}", this::revoke)
                .any("/live", (request, response) -> Http.methodNotAllowed(request, response, "GET"))
                .any("/usage", (request, response) -> Http.methodNotAllowed(request, response, "GET"))
                .any("/keys", (request, response) -> Http.methodNotAllowed(request, response, "GET, POST"))
                .any("/keys/{id}", (request, response) -> Http.methodNotAllowed(request, response, "POST, DELETE"));
    }

    /// What happens now: asked for every few seconds.
    private void live(ServerRequest request, ServerResponse response) {
        Map<String, Price> prices = accounts.prices().list();
        ObjectNode root = JSON.objectNode().put("at", clock.millis());
        ArrayNode data = root.putArray("models");
        for (ModelRegistry.Entry entry : models.all()) {
            String id = entry.model().id();
            ModelMetrics now = metrics.model(id);
            ObjectNode model = data.addObject()
                    .put("id", id)
                    .put("chat", entry.talks())
                    .put("context", entry.model().contextLength())
                    .put("created_at", entry.created().toEpochMilli())
                    .put("running", now.running().get())
                    .put("waiting", now.waiting().get())
                    .put("generated", now.generated());
            Price price = prices.get(id);
            if (price != null) {
                model.putObject("price")
                        .put("input_micros", price.inputMicros())
                        .put("cached_micros", price.cachedMicros())
                        .put("output_micros", price.outputMicros());
            }
        }
        Http.send(response, 200, root);
    }

    /// Sums of the last days, each day's by model.
    private void usage(ServerRequest request, ServerResponse response) {
        LocalDate today = LocalDate.ofInstant(clock.instant(), ZoneOffset.UTC);
        ObjectNode root = JSON.objectNode().put("today", today.toString()).put("days", DAYS);
        ArrayNode data = root.putArray("data");
        for (UsageStore.Day day : accounts.usage().days(today.minusDays(DAYS - 1))) {
            data.addObject()
                    .put("date", day.date().toString())
                    .put("model", day.model().orElse(null))
                    .put("requests", day.requests())
                    .put("prompt_tokens", day.promptTokens())
                    .put("completion_tokens", day.completionTokens())
                    .put("cost_pico", day.costPico());
        }
        Http.send(response, 200, root);
    }

    private void keys(ServerRequest request, ServerResponse response) {
        ObjectNode root = JSON.objectNode();
        ArrayNode data = root.putArray("data");
        accounts.keys().list().forEach(key -> data.add(json(key)));
        Http.send(response, 200, root);
    }

    private ObjectNode json(ApiKey key) {
        ObjectNode root = JSON.objectNode()
                .put("id", key.id())
                .put("name", key.name())
                .put("hint", key.hint())
                .put("state", key.state(clock.instant()).name().toLowerCase(Locale.ROOT))
                .put("created_at", key.created().toEpochMilli())
                .put("expires_at", key.expires().map(Instant::toEpochMilli).orElse(null))
                .put("spent_pico", accounts.usage().spentPico(key.id(), UsageStore.month(clock.instant())));
        ArrayNode scopes = root.putArray("scopes");
        key.scopes().stream().sorted().map(Scope::word).forEach(scopes::add);
        root.set("moderation", key.moderation().map(ModerationPolicy::json).orElse(NullNode.getInstance()));
        limit(root, "requests_per_minute", key.limits().requestsPerMinute());
        limit(root, "tokens_per_minute", key.limits().tokensPerMinute());
        limit(root, "budget_micros", key.limits().budgetMicros());
        return root;
    }

    private static void limit(ObjectNode root, String name, OptionalLong value) {
        if (value.isPresent()) {
            root.put(name, value.getAsLong());
        } else {
            root.putNull(name);
        }
    }

    /// Makes a key; this answer alone has its secret.
    private void create(ServerRequest request, ServerResponse response) throws InterruptedException {
        Fields fields = CommonFields.parse(
                bodies.read(request, response),
                Set.of("name", "scope", "expires_days", "requests_per_minute", "tokens_per_minute", "moderation"));
        Optional<ModerationPolicy> moderation = moderation(fields);
        KeyLimits limits = new KeyLimits(
                rate(fields, "requests_per_minute"), rate(fields, "tokens_per_minute"), OptionalLong.empty());
        Instant now = clock.instant();
        OptionalInt days = fields.optionalInteger("expires_days", 1, MOST_DAYS);
        try {
            KeyStore.Created made = accounts.keys()
                    .create(
                            fields.text("name", 100).strip(),
                            EnumSet.of(fields.has("scope") ? Scope.of(fields.text("scope", 32)) : Scope.INFERENCE),
                            limits,
                            moderation,
                            now,
                            days.isPresent()
                                    ? Optional.of(now.plus(Duration.ofDays(days.getAsInt())))
                                    : Optional.empty());
            Http.send(response, 201, json(made.key()).put("secret", made.secret()));
        } catch (IllegalArgumentException e) {
            throw ApiException.badParameter("name", e.getMessage() + ".");
        }
    }

    private static Optional<ModerationPolicy> moderation(Fields fields) {
        try {
            return fields.has("moderation")
                    ? Optional.of(ModerationPolicy.of(fields.get("moderation")))
                    : Optional.empty();
        } catch (IllegalArgumentException e) {
            throw ApiException.badParameter("moderation", e.getMessage() + ".");
        }
    }

    /// Changes what is done about a key's texts; null for what is done where nothing is said.
    private void moderate(ServerRequest request, ServerResponse response) throws InterruptedException {
        Fields fields = CommonFields.parse(bodies.read(request, response), Set.of("moderation"));
        String id = Http.id(request);
        Optional<ModerationPolicy> moderation = moderation(fields);
        try {
            Http.send(response, 200, json(accounts.keys().moderate(id, moderation)));
        } catch (IllegalArgumentException e) {
            throw ApiException.badRequest(404, "not_found", "There is no key '" + id + "'.");
        }
    }

    private static OptionalLong rate(Fields fields, String name) {
        OptionalInt rate = fields.optionalInteger(name, 1, MOST_RATE);
        return rate.isPresent() ? OptionalLong.of(rate.getAsInt()) : OptionalLong.empty();
    }

    private void revoke(ServerRequest request, ServerResponse response) {
        String id = Http.id(request);
        try {
            Http.send(response, 200, json(accounts.keys().revoke(id, clock.instant())));
        } catch (IllegalArgumentException e) {
            throw ApiException.badRequest(404, "not_found", "There is no key '" + id + "'.");
        }
    }
}
