package ai.epitome.serve;

import io.helidon.http.HeaderNames;
import io.helidon.http.Method;
import io.helidon.http.Status;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.Set;

/// The page: a fixed list of files, held in memory.
final class PageRoutes implements HttpService {
    private static final Map<String, String> FILES = Map.of(
            "/", "index.html",
            "/page.css", "page.css",
            "/page.js", "page.js",
            "/chart.js", "chart.js",
            "/progress.js", "progress.js",
            "/sse.js", "sse.js",
            "/playground.js", "playground.js",
            "/key.js", "key.js",
            "/icon.svg", "icon.svg");

    /// Where they are found.
    static Set<String> paths() {
        return FILES.keySet();
    }

    private record Asset(byte[] bytes, String type, String etag) {}

    @Override
    public void routing(HttpRules rules) {
        FILES.forEach((path, name) -> {
            Asset asset = load(name);
            rules.get(path, (request, response) -> send(request, response, asset));
            rules.head(path, (request, response) -> send(request, response, asset));
            rules.any(path, (request, response) -> Http.methodNotAllowed(request, response, "GET, HEAD"));
        });
    }

    private static void send(ServerRequest request, ServerResponse response, Asset asset) {
        // Browsers ask each time and mostly hear "unchanged": a new version of the program shows at once.
        response.header(HeaderNames.CACHE_CONTROL, "no-cache");
        response.header(HeaderNames.ETAG, asset.etag());
        if (request.headers()
                .first(HeaderNames.IF_NONE_MATCH)
                .filter(asset.etag()::equals)
                .isPresent()) {
            response.status(Status.NOT_MODIFIED_304).send();
            return;
        }
        response.header(HeaderNames.CONTENT_TYPE, asset.type());
        if (request.prologue().method() == Method.HEAD) {
            response.header(HeaderNames.CONTENT_LENGTH, Integer.toString(asset.bytes().length));
            response.send();
        } else {
            response.send(asset.bytes());
        }
    }

    private static Asset load(String name) {
        try (InputStream in = PageRoutes.class.getResourceAsStream("page/" + name)) {
            if (in == null) {
                throw new IllegalStateException("the page's file " + name + " is missing from this build");
            }
            byte[] bytes = in.readAllBytes();
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(bytes);
            return new Asset(bytes, type(name), '"' + HexFormat.of().formatHex(hash, 0, 12) + '"');
        } catch (IOException e) {
            throw new UncheckedIOException("the page's file " + name + " could not be read", e);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    private static String type(String name) {
        return switch (name.substring(name.lastIndexOf('.') + 1)) {
            case "html" -> "text/html; charset=utf-8";
            case "css" -> "text/css; charset=utf-8";
            case "js" -> "text/javascript; charset=utf-8";
            case "svg" -> "image/svg+xml";
            default -> throw new IllegalStateException("no media type for " + name);
        };
    }
}
