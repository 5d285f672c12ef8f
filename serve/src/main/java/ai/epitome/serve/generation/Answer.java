package ai.epitome.serve.generation;

import ai.epitome.serve.http.ApiException;
import ai.epitome.serve.http.EventStream;
import java.util.function.Consumer;
import tools.jackson.databind.node.ObjectNode;

/// What a request for something computed is answered with. Worked off on the calling thread, once, in one of two ways.
public interface Answer {
    /// The whole answer.
    ///
    /// @throws CancelledException when cancelled
    ObjectNode answer();

    /// Generations that it has going at the same time: the places that it takes in the [GenerationQueue].
    default int together() {
        return 1;
    }

    /// The answer as a stream of chunks; each goes to `chunk` as soon as its text is certain.
    ///
    /// @throws CancelledException when cancelled
    void stream(Consumer<ObjectNode> chunk);

    /// Sends one chunk.
    default void write(ObjectNode chunk, EventStream events) {
        events.data(chunk.toString());
    }

    /// Sends what comes behind the last chunk.
    default void end(EventStream events) {
        events.data("[DONE]");
    }

    /// Sends what comes in place of the rest.
    default void failed(ApiException error, EventStream events) {
        events.data(error.body().toString());
    }
}
