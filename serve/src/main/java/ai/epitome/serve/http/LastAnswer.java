package ai.epitome.serve.http;

import io.helidon.http.HeaderValues;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.Filter;
import io.helidon.webserver.http.FilterChain;
import io.helidon.webserver.http.RoutingRequest;
import io.helidon.webserver.http.RoutingResponse;
import java.time.Duration;

/// Closes a connection after its last answer, and bounds the time until the next request after any other. It
/// must be the outermost filter.
///
/// Helidon 4.5 writes `Connection: close`, where an answer says so or the request asks for it, and then waits for the
/// next request all the same. It also reads a body that no route wanted to its end, however long that takes; here the
/// answer to such a request is the connection's last.
public record LastAnswer() implements Filter {
    /// For the rest of an unwanted body. Closed at once, a client that is still sending might not see the answer.
    private static final Duration DRAIN = Duration.ofSeconds(1);

    @Override
    public void filter(FilterChain chain, RoutingRequest request, RoutingResponse response) {
        response.beforeSend(() -> {
            if (!request.content().consumed()) {
                response.header(HeaderValues.CONNECTION_CLOSE);
            }
        });
        chain.proceed();
        if (!request.content().consumed()) {
            drain(request);
        }
        if (response.headers().containsToken(HeaderValues.CONNECTION_CLOSE)) {
            throw new CloseConnectionException("The last answer has been sent");
        }
        ClientConnection.current().awaitHead();
    }

    private static void drain(RoutingRequest request) {
        try (var _ = ClientConnection.current().limit(DRAIN)) {
            request.content().consume();
        } catch (RuntimeException e) {
            // Too slow, too long or malformed: the connection is closed in any case.
        }
    }
}
