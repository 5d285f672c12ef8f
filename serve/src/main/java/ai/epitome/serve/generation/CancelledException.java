package ai.epitome.serve.generation;

/// A request was given up before it was done: by its client, or because the service stops.
public final class CancelledException extends RuntimeException {
    public CancelledException() {
        super("the request was cancelled", null, false, false);
    }
}
