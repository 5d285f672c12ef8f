package ai.epitome.serve.http;

import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/// Server-sent events ([the HTML standard, section
/// 9.2](https://html.spec.whatwg.org/multipage/server-sent-events.html)) on a response. Each event leaves
/// at once; a client that does not take it in time is disconnected. When it has gone, methods throw
/// [CloseConnectionException].
///
/// Written here rather than through Helidon's sink, which serves only clients that send `Accept: text/event-stream`;
/// OpenAI's clients do not.
public final class EventStream implements AutoCloseable {
    private final OutputStream out;
    private final ClientConnection client = ClientConnection.current();

    private EventStream(OutputStream out) {
        this.out = out;
    }

    /// Begins the response.
    public static EventStream open(ServerResponse response) {
        response.header(HeaderNames.CONTENT_TYPE, "text/event-stream; charset=utf-8");
        response.header(HeaderNames.CACHE_CONTROL, "no-cache");
        response.header(HeaderNames.create("X-Accel-Buffering"), "no");
        response.header(HeaderValues.CONNECTION_CLOSE);
        return new EventStream(response.outputStream());
    }

    /// @param data one line
    public void data(String data) {
        write("data: " + data + "\n\n");
    }

    /// @param name type of the event
    /// @param data one line
    public void event(String name, String data) {
        write("event: " + name + "\ndata: " + data + "\n\n");
    }

    /// Something that clients ignore: it keeps the connection open and tells whether the client is there.
    public void comment(String text) {
        write(": " + text + "\n\n");
    }

    private void write(String text) {
        try (var _ = client.limit()) {
            out.write(text.getBytes(StandardCharsets.UTF_8));
            out.flush();
        } catch (IOException | RuntimeException e) {
            throw new CloseConnectionException("The client went away", e);
        }
    }

    @Override
    public void close() {
        try {
            out.close();
        } catch (IOException e) {
            throw new CloseConnectionException("The client went away", e);
        }
    }
}
