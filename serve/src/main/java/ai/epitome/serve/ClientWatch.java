package ai.epitome.serve;

import io.helidon.http.HttpPrologue;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.http1.Http1ConnectionListener;
import java.net.SocketTimeoutException;

/// Notices that a client went away while its request is being worked on.
///
/// HTTP/1.1 tells nothing of it until something is read or written, and a request that waits or gathers its answer does
/// neither. So a second virtual thread reads on: the end of the stream means that the client has gone. What it might
/// read would be the next request, so the response must say `Connection: close`, and the connection is never read
/// again by anyone else.
final class ClientWatch {
    private static final ThreadLocal<ConnectionContext> CONNECTION = new ThreadLocal<>();

    private volatile boolean gone;

    private ClientWatch() {}

    /// Remembers each connection for its thread: Helidon serves all requests of a connection on one virtual thread.
    static Http1ConnectionListener listener() {
        return new Http1ConnectionListener() {
            @Override
            public void prologue(ConnectionContext connection, HttpPrologue prologue) {
                CONNECTION.set(connection);
            }
        };
    }

    /// Watches the client of the request that the calling thread serves. Its body must have been read.
    static ClientWatch start() {
        var watch = new ClientWatch();
        ConnectionContext connection = CONNECTION.get();
        Thread.ofVirtual().name("client watch").start(() -> watch.readOn(connection));
        return watch;
    }

    boolean gone() {
        return gone;
    }

    private void readOn(ConnectionContext connection) {
        while (true) {
            try {
                connection.dataReader().ensureAvailable();
                return; // It sent more, so it is there; whether it stays can no longer be told.
            } catch (RuntimeException e) {
                if (!causedBy(e, SocketTimeoutException.class)) {
                    gone = true;
                    return;
                }
            }
        }
    }

    static boolean causedBy(Throwable thrown, Class<? extends Throwable> type) {
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            if (type.isInstance(cause)) {
                return true;
            }
        }
        return false;
    }
}
