package ai.epitome.serve;

/// The service could not begin to listen. The message says where, why, and what to do.
public final class ServerStartException extends RuntimeException {
    ServerStartException(String message, Throwable cause) {
        super(message, cause);
    }
}
