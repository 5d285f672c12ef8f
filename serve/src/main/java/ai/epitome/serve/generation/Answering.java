package ai.epitome.serve.generation;

import ai.epitome.serve.body.JsonBody;
import ai.epitome.serve.http.ApiException;
import ai.epitome.serve.http.ClientWatch;
import ai.epitome.serve.http.EventStream;
import ai.epitome.serve.http.Http;
import ai.epitome.serve.metering.ContentFilter;
import ai.epitome.serve.metering.Metering;
import ai.epitome.serve.metering.RequestMeter;
import ai.epitome.serve.moderation.ModerationPolicy;
import ai.epitome.serve.registry.ModelRegistry;
import ai.epitome.serve.tuning.TunedModels;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.lang.System.Logger.Level;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import tools.jackson.databind.node.ObjectNode;

/// How requests for something computed are answered, whatever the route: the model is found, the turn is waited
/// for, and the answer sent whole or as a stream.
///
/// @param tuned models that jobs have made; empty where none are served
/// @param draining whether new requests are refused
/// @param stopped whether requests under way are cut short
public record Answering(
        ModelRegistry models,
        Optional<TunedModels> tuned,
        JsonBody bodies,
        GenerationQueue queue,
        BooleanSupplier draining,
        BooleanSupplier stopped) {
    private static final System.Logger LOG = System.getLogger(Answering.class.getName());
    private static final HeaderName MODERATION = HeaderNames.create("x-epitome-moderation");

    /// @param meter of the request that asks for it
    /// @throws ApiException when there is no such model for this owner, or no new request is taken
    public ModelRegistry.Entry entry(String id, RequestMeter meter) {
        if (draining.getAsBoolean()) {
            throw stopping();
        }
        if (models.isEmpty()) {
            throw ApiException.notReady("No model is ready yet: the first one is still in training or loading.");
        }
        return models.find(id)
                .or(() -> tuned.flatMap(own -> own.find(meter.owner(), id)))
                .orElseThrow(() -> ApiException.modelNotFound(id));
    }

    public static ApiException stopping() {
        return ApiException.notReady("The server is stopping.");
    }

    public void respond(ServerRequest request, ServerResponse response, Asked.Reader reader)
            throws InterruptedException {
        RequestMeter meter = RequestMeter.of(request);
        Asked asked = reader.read(bodies.read(request, response), meter);
        response.header(HeaderValues.CONNECTION_CLOSE); // since the watch reads on
        ClientWatch client = ClientWatch.start();
        BooleanSupplier cancelled = () -> client.gone() || stopped.getAsBoolean();
        Answer answer = asked.answer().apply(cancelled);
        try {
            // Of a stream only what was asked is known before its head is sent.
            if (asked.stream()) {
                tellFlags(meter, response);
                try (var _ = queue.enter(answer.together(), cancelled)) {
                    meter.work();
                    stream(answer, meter, client, response);
                }
            } else {
                ObjectNode whole = whole(answer, meter, cancelled);
                tellFlags(meter, response);
                Http.send(response, 200, whole);
            }
        } catch (CancelledException e) {
            if (client.gone()) {
                throw new CloseConnectionException("The client went away", e);
            }
            throw stopping();
        }
    }

    /// What the moderation policy wants to be told of the texts: `input:hate=flag output:violence=refuse`.
    private static void tellFlags(RequestMeter meter, ServerResponse response) {
        String flags = meter.findings().stream()
                .filter(found -> found.action() != ModerationPolicy.Action.LOG)
                .map(ContentFilter.Finding::word)
                .collect(Collectors.joining(" "));
        if (!flags.isEmpty()) {
            response.header(MODERATION, flags);
        }
    }

    /// The turn ends before anything is sent: however slowly the client takes it, the next one can begin.
    public ObjectNode whole(Answer answer, RequestMeter meter, BooleanSupplier cancelled) throws InterruptedException {
        try (var _ = queue.enter(answer.together(), cancelled)) {
            meter.work();
            return answer.answer();
        }
    }

    /// Errors after the first byte can no longer change the status: they become the stream's last event.
    private static void stream(Answer answer, RequestMeter meter, ClientWatch client, ServerResponse response) {
        try (EventStream events = EventStream.open(response)) {
            try {
                answer.stream(chunk -> answer.write(chunk, events));
                meter.settle(200);
                answer.end(events);
            } catch (CancelledException e) {
                meter.settle(client.gone() ? Metering.CLIENT_WENT_AWAY : 503);
                answer.failed(stopping(), events);
            } catch (ApiException e) {
                meter.settle(e.status());
                answer.failed(e, events);
            } catch (CloseConnectionException e) {
                throw e;
            } catch (RuntimeException e) {
                LOG.log(Level.ERROR, "A generation failed", e);
                meter.settle(500);
                answer.failed(ApiException.internal(), events);
            }
        }
    }
}
