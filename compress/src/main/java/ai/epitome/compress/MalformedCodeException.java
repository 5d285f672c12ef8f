package ai.epitome.compress;

/// Coded bytes that no encoder writes.
public final class MalformedCodeException extends RuntimeException {
    public MalformedCodeException(String message) {
        super(message);
    }
}
