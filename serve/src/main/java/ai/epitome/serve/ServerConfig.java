package ai.epitome.serve;

import ai.epitome.serve.moderation.ModerationPolicy;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.function.Consumer;

/// Where the service listens and how much of anything it takes at once.
///
/// @param host address to bind to; `127.0.0.1` is reachable from this machine only
/// @param port TCP port; 0 lets the system choose one
/// @param maxBodyBytes largest request body; larger ones get status 413
/// @param patience how long a client may take to send the head of a request (from the beginning of the connection, or
/// from the answer before), its body (then it gets status 408), or to take a part of the answer
/// @param maxTokens largest `max_tokens` of a request
/// @param concurrentGenerations texts that are generated at the same time
/// @param queueLength requests that may wait for their turn; further ones get status 429
/// @param requireKey whether a key is needed even where only this machine can connect: a proxy may stand before it
/// @param drain how long [EpitomeServer#close()] waits for generations under way
/// @param moderation what is done about texts of those whose key says nothing of it
public record ServerConfig(
        String host,
        int port,
        int maxBodyBytes,
        Duration patience,
        int maxTokens,
        int concurrentGenerations,
        int queueLength,
        boolean requireKey,
        Duration drain,
        ModerationPolicy moderation) {
    public static final String LOOPBACK = "127.0.0.1";
    public static final int DEFAULT_PORT = 8080;

    public ServerConfig {
        if (host.isBlank()) {
            throw new IllegalArgumentException("the host to listen on is empty: give an address such as " + LOOPBACK);
        }
        if (port < 0 || port > 65_535) {
            throw new IllegalArgumentException("the port must be between 0 (any free one) and 65535, not " + port);
        }
        if (maxBodyBytes < 1 || maxTokens < 1 || concurrentGenerations < 1 || queueLength < 0) {
            throw new IllegalArgumentException("the limits of the service must be positive");
        }
    }

    /// The defaults, on this machine only: bodies up to 1 MB; 30 s of patience; up to 4096 tokens; 32 generations at a
    /// time and 32 that wait.
    public static ServerConfig local(int port) {
        return new ServerConfig(
                LOOPBACK,
                port,
                1 << 20,
                Duration.ofSeconds(30),
                4096,
                32,
                32,
                false,
                Duration.ofSeconds(5),
                ModerationPolicy.LOG);
    }

    /// Whether whoever asks must have a key: always, unless only this machine can connect.
    public boolean needsKey() {
        return requireKey || !isLoopback();
    }

    private boolean isLoopback() {
        try {
            return InetAddress.getByName(host).isLoopbackAddress();
        } catch (UnknownHostException e) {
            return false;
        }
    }

    /// This configuration with some fields changed: `ServerConfig.local(8080).with(c -> c.host = "0.0.0.0")`.
    public ServerConfig with(Consumer<Changes> change) {
        Changes changes = new Changes(this);
        change.accept(changes);
        return changes.build();
    }

    /// The fields of a configuration, to be changed.
    public static final class Changes {
        public String host;
        public int port;
        public int maxBodyBytes;
        public Duration patience;
        public int maxTokens;
        public int concurrentGenerations;
        public int queueLength;
        public boolean requireKey;
        public Duration drain;
        public ModerationPolicy moderation;

        private Changes(ServerConfig c) {
            host = c.host;
            port = c.port;
            maxBodyBytes = c.maxBodyBytes;
            patience = c.patience;
            maxTokens = c.maxTokens;
            concurrentGenerations = c.concurrentGenerations;
            queueLength = c.queueLength;
            requireKey = c.requireKey;
            drain = c.drain;
            moderation = c.moderation;
        }

        private ServerConfig build() {
            return new ServerConfig(
                    host,
                    port,
                    maxBodyBytes,
                    patience,
                    maxTokens,
                    concurrentGenerations,
                    queueLength,
                    requireKey,
                    drain,
                    moderation);
        }
    }
}
