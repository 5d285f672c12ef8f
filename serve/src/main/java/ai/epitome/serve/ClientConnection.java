package ai.epitome.serve;

import io.helidon.http.Headers;
import io.helidon.http.HttpPrologue;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.http1.Http1ConnectionListener;
import java.io.UncheckedIOException;
import java.time.Duration;

/// The connection of the request that the calling thread serves, and a bound on how long its client may keep the server
/// waiting.
///
/// Helidon 4.5 takes a `readTimeout` but applies it nowhere, and has none for writing. So whoever reads or writes sets
/// a limit; when time is up the connection is closed, which ends the read or write with an exception.
final class ClientConnection {
    private static final ThreadLocal<ClientConnection> CURRENT = new ThreadLocal<>();

    private final ConnectionContext context;
    private final Duration patience;
    private final Limit head;

    private ClientConnection(ConnectionContext context, Duration patience) {
        this.context = context;
        this.patience = patience;
        this.head = limit(patience);
    }

    /// Bounds the time for the head of each request, and remembers the connection for its thread: Helidon serves all
    /// requests of a connection on one virtual thread.
    ///
    /// @param patience how long a client may take to send a head, or to take a part of an answer
    static Http1ConnectionListener listener(Duration patience) {
        return new Http1ConnectionListener() {
            @Override
            public void prologue(ConnectionContext context, HttpPrologue prologue) {
                CURRENT.set(new ClientConnection(context, patience));
            }

            @Override
            public void headers(ConnectionContext context, Headers headers) {
                current().head.close();
            }
        };
    }

    static ClientConnection current() {
        return CURRENT.get();
    }

    /// Waits for the client to send something or to end the connection.
    ///
    /// @throws RuntimeException at the end of the connection
    void awaitData() {
        context.dataReader().ensureAvailable();
    }

    /// Closes the connection unless the limit is closed in time, which a client has for taking a part of an answer.
    Limit limit() {
        return limit(patience);
    }

    Limit limit(Duration time) {
        Thread timer = Thread.ofVirtual().name("client limit").start(() -> {
            try {
                Thread.sleep(time);
                context.serverSocket().close();
            } catch (InterruptedException | UncheckedIOException e) {
                // Done in time, or closed already.
            }
        });
        return timer::interrupt;
    }

    interface Limit extends AutoCloseable {
        @Override
        void close();
    }
}
