package ai.epitome.serve.response;

import ai.epitome.serve.generation.Answer;
import ai.epitome.serve.generation.Answering;
import ai.epitome.serve.generation.CancelledException;
import ai.epitome.serve.http.ApiException;
import ai.epitome.serve.metering.Metering;
import ai.epitome.serve.metering.RequestMeter;
import ai.epitome.serve.store.LeaseRenewal;
import ai.epitome.serve.store.ResponseStore;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Function;
import tools.jackson.databind.node.ObjectNode;

/// Responses that are made while nobody waits for them, each on a virtual thread.
///
/// A second thread renews the response's lease, and learns from the database when it has been cancelled, by whatever
/// process. What a process that was killed has left is told to have failed when its lease has run out.
final class BackgroundResponses {
    static final long LEASE_MILLIS = 15_000;

    private static final System.Logger LOG = System.getLogger(BackgroundResponses.class.getName());
    private static final int MOST = 64;
    private static final Duration RENEWED = Duration.ofSeconds(1);
    private static final Duration PAUSE = Duration.ofMillis(200);

    private final Map<String, AtomicBoolean> running = new ConcurrentHashMap<>();
    private final Answering answering;
    private final ResponseStore store;

    BackgroundResponses(Answering answering, ResponseStore store) {
        this.answering = answering;
        this.store = store;
    }

    /// @throws ApiException with status 429 when too many are under way
    void requireRoom() {
        if (running.size() >= MOST) {
            throw ApiException.queueFull(running.size());
        }
    }

    /// Begins to make a response that is kept as queued.
    ///
    /// @param maker makes the answer, which keeps itself, of something that tells when to stop
    void start(ResponseShapes shapes, RequestMeter meter, Function<BooleanSupplier, Answer> maker) {
        AtomicBoolean over = new AtomicBoolean();
        running.put(shapes.id(), over);
        BooleanSupplier cancelled = () -> over.get() || answering.stopped().getAsBoolean();
        Answer answer;
        try {
            answer = maker.apply(cancelled);
        } catch (RuntimeException e) {
            running.remove(shapes.id());
            throw e;
        }
        Thread.ofVirtual().name(shapes.id()).start(() -> {
            try (var _ = new LeaseRenewal(shapes.id(), RENEWED, () -> renew(shapes.id(), over))) {
                run(shapes, meter, answer, cancelled);
            } finally {
                over.set(true);
                running.remove(shapes.id());
            }
        });
    }

    private void run(ResponseShapes shapes, RequestMeter meter, Answer answer, BooleanSupplier cancelled) {
        try {
            waitForTurn(shapes, meter, answer, cancelled);
        } catch (CancelledException e) {
            meter.settle(Metering.CLIENT_WENT_AWAY);
            store.advance(
                    shapes.id(),
                    "failed",
                    shapes.failed(Answering.stopping()).toString()); // unless it is cancelled already
        } catch (ApiException e) {
            meter.settle(e.status());
            store.advance(shapes.id(), "failed", shapes.failed(e).toString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException e) {
            LOG.log(Level.ERROR, "A response in the background failed", e);
            meter.settle(500);
            store.advance(
                    shapes.id(),
                    "failed",
                    shapes.failed(ApiException.internal()).toString());
        }
    }

    /// Those in front go first; nobody is sent away for it.
    private void waitForTurn(ResponseShapes shapes, RequestMeter meter, Answer answer, BooleanSupplier cancelled)
            throws InterruptedException {
        while (true) {
            try (var _ = answering.queue().enter(cancelled)) {
                meter.work();
                store.advance(
                        shapes.id(),
                        "in_progress",
                        shapes.response("in_progress").toString());
                answer.answer();
                return;
            } catch (ApiException e) {
                if (e.status() != 429) {
                    throw e;
                }
                Thread.sleep(PAUSE);
            }
        }
    }

    private void renew(String id, AtomicBoolean over) {
        if (!over.get() && !store.renew(id, System.currentTimeMillis() + LEASE_MILLIS)) {
            over.set(true);
        }
    }

    /// Ends one that this process makes; others end when they renew their lease.
    void cancel(String id) {
        Optional.ofNullable(running.get(id)).ifPresent(over -> over.set(true));
    }

    /// The answer to a request for such a response.
    record Begun(ObjectNode body) implements Answer {
        @Override
        public ObjectNode answer() {
            return body;
        }

        @Override
        public void stream(Consumer<ObjectNode> chunk) {
            throw new IllegalStateException("what is made in the background is not streamed");
        }
    }
}
