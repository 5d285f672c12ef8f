package ai.epitome.serve.http;

import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.Filter;
import io.helidon.webserver.http.FilterChain;
import io.helidon.webserver.http.RoutingRequest;
import io.helidon.webserver.http.RoutingResponse;
import java.util.Locale;
import java.util.Set;

/// Refuses requests that were not meant for this machine, when the service listens on the loopback address and asks for
/// no key.
///
/// Nobody else can connect then, but the user's own browser can, on behalf of any page it shows. Browsers keep pages
/// from reading other sites' answers by comparing host names, and a hostile site can point its own name at 127.0.0.1
/// once its page is loaded (DNS rebinding): to the browser that server and this one are then the same site. The name
/// still stands in the Host header.
///
/// @param configured the host that the service was told to listen on
public record HostCheck(String configured) implements Filter {
    private static final Set<String> LOCAL = Set.of("localhost", "127.0.0.1", "[::1]");

    @Override
    public void filter(FilterChain chain, RoutingRequest request, RoutingResponse response) {
        String host = hostName(request.headers().first(HeaderNames.HOST).orElse(""));
        if (!LOCAL.contains(host) && !host.equals(configured.toLowerCase(Locale.ROOT))) {
            Http.send(
                    response,
                    ApiException.badRequest(
                            403,
                            "host_not_allowed",
                            "This server listens on the loopback address and answers only to localhost and 127.0.0.1."));
            return;
        }
        chain.proceed();
    }

    /// The name without the port.
    public static String hostName(String header) {
        int colon = header.lastIndexOf(':');
        boolean port = colon > header.lastIndexOf(']');
        return (port ? header.substring(0, colon) : header).toLowerCase(Locale.ROOT);
    }
}
