package ai.epitome.serve;

import io.helidon.http.Method;
import io.helidon.http.PathMatcher;
import io.helidon.webserver.http.Handler;
import io.helidon.webserver.http.HttpRoute;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;

/// Takes down the routes that a server registers, instead of serving them.
final class RouteList implements HttpRules {
    static final List<Method> METHODS = List.of(Method.GET, Method.POST, Method.PUT, Method.DELETE, Method.PATCH);

    private final String prefix;
    private final List<Route> routes;
    private final List<Route> answered;

    RouteList() {
        this("", new ArrayList<>(), new ArrayList<>());
    }

    private RouteList(String prefix, List<Route> routes, List<Route> answered) {
        this.prefix = prefix;
        this.routes = routes;
        this.answered = answered;
    }

    /// @param path with `x` in place of what a pattern leaves open
    record Route(Method method, String path) {}

    List<Route> routes() {
        return routes;
    }

    /// Those that name their method: the others say that theirs is not allowed.
    List<Route> answered() {
        return answered;
    }

    private Route route(Method method, String pattern) {
        String path = (prefix + pattern).replaceAll("//+", "/").replaceAll("\\{[^}]*}", "x");
        return new Route(method, path);
    }

    @Override
    public HttpRules register(HttpService... services) {
        return register("", services);
    }

    @Override
    public HttpRules register(String path, HttpService... services) {
        for (HttpService service : services) {
            service.routing(new RouteList(prefix + path, routes, answered));
        }
        return this;
    }

    @Override
    public HttpRules route(Method method, String path, Handler handler) {
        routes.add(route(method, path));
        answered.add(route(method, path));
        return this;
    }

    @Override
    public HttpRules any(String path, Handler... handlers) {
        METHODS.forEach(method -> routes.add(route(method, path)));
        return this;
    }

    @Override
    public HttpRules any(Handler... handlers) {
        return any("/no/such/route", handlers);
    }

    @Override
    public HttpRules get(String path, Handler... handlers) {
        return route(Method.GET, path, handlers[0]);
    }

    @Override
    public HttpRules post(String path, Handler... handlers) {
        return route(Method.POST, path, handlers[0]);
    }

    @Override
    public HttpRules put(String path, Handler... handlers) {
        return route(Method.PUT, path, handlers[0]);
    }

    @Override
    public HttpRules delete(String path, Handler... handlers) {
        return route(Method.DELETE, path, handlers[0]);
    }

    @Override
    public HttpRules patch(String path, Handler... handlers) {
        return route(Method.PATCH, path, handlers[0]);
    }

    @Override
    public HttpRules head(String path, Handler... handlers) {
        return route(Method.HEAD, path, handlers[0]);
    }

    @Override
    public HttpRules route(HttpRoute route) {
        throw new UnsupportedOperationException("a route whose path cannot be told");
    }

    @Override
    public HttpRules route(Method method, PathMatcher matcher, Handler handler) {
        throw new UnsupportedOperationException("a route whose path cannot be told: " + matcher);
    }

    @Override
    public HttpRules route(Predicate<Method> methods, PathMatcher matcher, Handler handler) {
        throw new UnsupportedOperationException("a route whose path cannot be told: " + matcher);
    }

    Stream<Route> privateRoutes() {
        return routes.stream().distinct().filter(route -> !Authentication.PUBLIC.contains(route.path()));
    }
}
