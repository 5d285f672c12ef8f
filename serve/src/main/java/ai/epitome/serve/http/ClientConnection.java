package ai.epitome.serve.http;

import io.helidon.common.buffers.BufferData;
import io.helidon.http.Headers;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.http1.Http1Config;
import io.helidon.webserver.http1.Http1ConnectionListener;
import io.helidon.webserver.http1.Http1ConnectionSelector;
import io.helidon.webserver.spi.ServerConnection;
import io.helidon.webserver.spi.ServerConnectionSelector;
import java.time.Duration;
import java.util.Set;

/// The connection of the request that the calling thread serves, and a bound on how long its client may keep the server
/// waiting.
///
/// Helidon 4.5 takes a `readTimeout` but applies it nowhere, has none for writing, and does not close idle connections
/// whatever their timeout. So whoever reads or writes sets a limit; when time is up the connection is closed,
/// which ends the read or write with an exception.
public final class ClientConnection {
    private static final ThreadLocal<ClientConnection> CURRENT = new ThreadLocal<>();

    private final ConnectionContext context;
    private final Duration patience;
    private TimeLimit head;

    private ClientConnection(ConnectionContext context, Duration patience) {
        this.context = context;
        this.patience = patience;
        awaitHead();
    }

    /// HTTP/1.1 for every connection, each remembered for its thread: where there is one protocol alone, Helidon asks
    /// for it before anything is read, on the virtual thread that serves all requests of the connection.
    ///
    /// @param patience how long a client may take to send a head, or to take a part of an answer
    public static ServerConnectionSelector http1(Duration patience) {
        Http1ConnectionSelector http1 = Http1ConnectionSelector.builder()
                .config(Http1Config.builder().addReceiveListener(headArrives()).build())
                .build();
        return new ServerConnectionSelector() {
            @Override
            public int bytesToIdentifyConnection() {
                return http1.bytesToIdentifyConnection();
            }

            @Override
            public Support supports(BufferData begin) {
                return http1.supports(begin);
            }

            @Override
            public Set<String> supportedApplicationProtocols() {
                return http1.supportedApplicationProtocols();
            }

            @Override
            public ServerConnection connection(ConnectionContext context) {
                CURRENT.set(new ClientConnection(context, patience));
                return http1.connection(context);
            }
        };
    }

    private static Http1ConnectionListener headArrives() {
        return new Http1ConnectionListener() {
            @Override
            public void headers(ConnectionContext context, Headers headers) {
                current().head.close();
            }
        };
    }

    /// From now on the client has its time for the whole head of the next request.
    void awaitHead() {
        head = limit(patience);
    }

    public static ClientConnection current() {
        return CURRENT.get();
    }

    /// Waits for the client to send something or to end the connection.
    ///
    /// @throws RuntimeException at the end of the connection
    void awaitData() {
        context.dataReader().ensureAvailable();
    }

    /// Closes the connection unless the limit is closed in time, which a client has for taking a part of an answer.
    public TimeLimit limit() {
        return limit(patience);
    }

    TimeLimit limit(Duration time) {
        return TimeLimit.start(time, this::cut);
    }

    private void cut() {
        try {
            context.serverSocket().close();
        } catch (RuntimeException e) {
            // Closed already; whatever it is, the limits of other connections go on.
        }
    }
}
