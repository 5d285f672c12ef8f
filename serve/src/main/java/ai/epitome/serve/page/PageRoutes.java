package ai.epitome.serve.page;

import ai.epitome.serve.http.Http;
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
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/// The page: a fixed list of files, its own and those of libraries, held in memory.
public final class PageRoutes implements HttpService {
    private static final List<String> OWN = List.of(
            "page.css",
            "page.js",
            "theme.js",
            "views.js",
            "models.js",
            "chart.js",
            "progress.js",
            "sse.js",
            "playground.js",
            "key.js",
            "icon.svg",
            "chat/admin.js",
            "chat/api.js",
            "chat/app.js",
            "chat/chats.js",
            "chat/composer.js",
            "chat/dialog.js",
            "chat/feedback.js",
            "chat/files.js",
            "chat/markdown.js",
            "chat/message.js",
            "chat/parts.js",
            "chat/plots.js",
            "chat/presets.js",
            "chat/settings.js",
            "chat/sidebar.js",
            "chat/thread.js",
            "chat/tree.js");
    /// Of libraries, from their web jars, under `/lib/`.
    private static final Map<String, String> LIBRARIES = Map.of(
            "preact.js", "preact/10.26.4/dist/preact.module.js",
            "marked.js", "marked/15.0.7/lib/marked.esm.js",
            "purify.js", "dompurify/3.2.4/dist/purify.es.mjs",
            "highlight.js", "highlightjs/11.11.1/highlight.min.js",
            "katex.js", "katex/0.18.11/dist/katex.min.js",
            "katex.css", "katex/0.18.11/dist/katex.min.css");
    private static final List<String> FONTS = List.of(
            "AMS-Regular",
            "Caligraphic-Bold",
            "Caligraphic-Regular",
            "Fraktur-Bold",
            "Fraktur-Regular",
            "Main-Bold",
            "Main-BoldItalic",
            "Main-Italic",
            "Main-Regular",
            "Math-BoldItalic",
            "Math-Italic",
            "SansSerif-Bold",
            "SansSerif-Italic",
            "SansSerif-Regular",
            "Script-Regular",
            "Size1-Regular",
            "Size2-Regular",
            "Size3-Regular",
            "Size4-Regular",
            "Typewriter-Regular");
    /// Resources by path.
    private static final Map<String, String> FILES = files();

    private static Map<String, String> files() {
        String own = "ai/epitome/serve/page/";
        String jars = "META-INF/resources/webjars/";
        Map<String, String> files = new TreeMap<>();
        files.put("/", own + "index.html");
        OWN.forEach(name -> files.put("/" + name, own + name));
        LIBRARIES.forEach((name, place) -> files.put("/lib/" + name, jars + place));
        for (String font : FONTS) {
            String name = "fonts/KaTeX_" + font + ".woff2";
            files.put("/lib/" + name, jars + "katex/0.18.11/dist/" + name);
        }
        return Collections.unmodifiableMap(files);
    }

    /// Where they are found.
    public static Set<String> paths() {
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
        try (InputStream in = PageRoutes.class.getClassLoader().getResourceAsStream(name)) {
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
            case "js", "mjs" -> "text/javascript; charset=utf-8";
            case "svg" -> "image/svg+xml";
            case "woff2" -> "font/woff2";
            default -> throw new IllegalStateException("no media type for " + name);
        };
    }
}
