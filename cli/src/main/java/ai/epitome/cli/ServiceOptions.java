package ai.epitome.cli;

import ai.epitome.serve.ServerConfig;
import picocli.CommandLine.Option;

/// Where the service listens.
final class ServiceOptions {
    @Option(
            names = "--port",
            paramLabel = "PORT",
            description = "TCP port; 0 takes any free one (default: ${DEFAULT-VALUE}).")
    private int port = ServerConfig.DEFAULT_PORT;

    @Option(
            names = "--host",
            paramLabel = "ADDRESS",
            description = "Address to listen on (default: ${DEFAULT-VALUE}, reachable from this machine only).")
    private String host = ServerConfig.LOOPBACK;

    ServerConfig config() {
        return ServerConfig.local(port).withHost(host);
    }
}
