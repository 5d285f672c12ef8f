package ai.epitome.serve.http;

/// Notices that a client went away while its request is being worked on.
///
/// HTTP/1.1 tells nothing of it until something is read or written, and a request that waits or gathers its answer does
/// neither. So a second virtual thread reads on: the end of the stream means that the client has gone. What it might
/// read would be the next request, so the response must say `Connection: close`, and the connection is never read
/// again by anyone else.
public final class ClientWatch {
    private volatile boolean gone;

    private ClientWatch() {}

    /// Watches the client of the request that the calling thread serves. Its body must have been read.
    public static ClientWatch start() {
        var watch = new ClientWatch();
        ClientConnection connection = ClientConnection.current();
        Thread.ofVirtual().name("client watch").start(() -> watch.readOn(connection));
        return watch;
    }

    public boolean gone() {
        return gone;
    }

    private void readOn(ClientConnection connection) {
        try {
            connection.awaitData(); // If it sends more, it is there; whether it stays can no longer be told.
        } catch (RuntimeException e) {
            gone = true;
        }
    }
}
