package ai.epitome.serve;

/// A request was given up before it was done: by its client, or because the service stops.
final class CancelledException extends RuntimeException {
    CancelledException() {
        super("the request was cancelled", null, false, false);
    }
}
