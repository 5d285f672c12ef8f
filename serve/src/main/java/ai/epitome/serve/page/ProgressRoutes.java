package ai.epitome.serve.page;

import ai.epitome.serve.http.ApiException;
import ai.epitome.serve.http.EventStream;
import ai.epitome.serve.http.Http;
import io.helidon.http.Status;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// `GET /api/progress`: the training run as server-sent events. First `history`, which is everything so far, then
/// `description`, `baselines`, `status`, `point` and `sample` as they come. Who reconnects gets a new history.
///
/// Without a training run the answer is 204, which tells browsers not to ask again.
public final class ProgressRoutes implements HttpService {
    private static final int MAX_LISTENERS = 64;
    private static final long POLL_MILLISECONDS = 250;
    /// Without a word for so long, a comment is sent: it shows both sides that the other is there.
    private static final long SILENCE_MILLISECONDS = 10_000;

    private final Optional<TrainingProgress> progress;
    private final BooleanSupplier draining;

    public ProgressRoutes(Optional<TrainingProgress> progress, BooleanSupplier draining) {
        this.progress = progress;
        this.draining = draining;
    }

    @Override
    public void routing(HttpRules rules) {
        rules.get("/progress", this::listen)
                .any("/progress", (request, response) -> Http.methodNotAllowed(request, response, "GET"));
    }

    private void listen(ServerRequest request, ServerResponse response) throws InterruptedException {
        if (progress.isEmpty()) {
            response.status(Status.NO_CONTENT_204).send();
            return;
        }
        if (progress.get().listeners() >= MAX_LISTENERS) {
            throw ApiException.notReady("Too many pages are open: " + MAX_LISTENERS + " listen to the training run.");
        }
        try (TrainingProgress.Subscription subscription = progress.get().subscribe();
                EventStream events = EventStream.open(response)) {
            tell(subscription, events);
        }
    }

    private void tell(TrainingProgress.Subscription subscription, EventStream events) throws InterruptedException {
        events.event("history", json(subscription.history()).toString());
        long silence = 0;
        while (!draining.getAsBoolean() && !subscription.overrun()) {
            Optional<ProgressEvent> event = subscription.next(POLL_MILLISECONDS);
            if (event.isPresent()) {
                events.event(name(event.get()), json(event.get()).toString());
                silence = 0;
            } else if ((silence += POLL_MILLISECONDS) >= SILENCE_MILLISECONDS) {
                events.comment("still here");
                silence = 0;
            }
        }
    }

    private static String name(ProgressEvent event) {
        return switch (event) {
            case ProgressEvent.Description description -> "description";
            case ProgressEvent.Baselines baselines -> "baselines";
            case ProgressEvent.Point point -> "point";
            case ProgressEvent.Sample sample -> "sample";
            case ProgressEvent.StatusChanged status -> "status";
        };
    }

    private static ObjectNode json(ProgressEvent event) {
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        switch (event) {
            case ProgressEvent.Description value -> {
                root.put("title", value.title()).put("kernels", value.kernels());
                number(root, "bytes_per_token", value.bytesPerToken());
            }
            case ProgressEvent.Baselines value -> value.bitsPerByte().forEach((name, bits) -> number(root, name, bits));
            case ProgressEvent.Point value -> {
                root.put("step", value.step()).put("tokens", value.tokens());
                number(root, "seconds", value.seconds());
                number(root, "tokens_per_second", value.tokensPerSecond());
                number(root, "training_loss", value.trainingLoss());
                number(root, "held_out_bits_per_byte", value.heldOutBitsPerByte());
                number(root, "eta_seconds", value.etaSeconds());
            }
            case ProgressEvent.Sample value ->
                root.put("step", value.step()).put("prompt", value.prompt()).put("text", value.text());
            case ProgressEvent.StatusChanged value ->
                root.put("phase", value.phase().name().toLowerCase(Locale.ROOT)).put("message", value.message());
        }
        return root;
    }

    /// JSON has no NaN: what is not known is null.
    private static void number(ObjectNode node, String name, double value) {
        if (Double.isFinite(value)) {
            node.put(name, value);
        } else {
            node.putNull(name);
        }
    }

    private static ObjectNode json(TrainingProgress.History history) {
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        root.set("description", json(history.description()));
        root.set("baselines", json(history.baselines()));
        root.set("status", json(history.status()));
        root.set("latest", history.latest().map(ProgressRoutes::json).orElse(null));
        root.set("training", array(history.training()));
        root.set("held_out", array(history.heldOut()));
        root.set("samples", array(history.samples()));
        return root;
    }

    private static ArrayNode array(List<? extends ProgressEvent> events) {
        ArrayNode array = JsonNodeFactory.instance.arrayNode();
        events.forEach(event -> array.add(json(event)));
        return array;
    }
}
