package ai.epitome.serve;

import ai.epitome.serve.account.ApiKey;
import ai.epitome.serve.account.DatabaseException;
import ai.epitome.serve.account.KeySecret;
import ai.epitome.serve.account.KeyStore;
import ai.epitome.serve.account.Scope;
import ai.epitome.serve.http.ApiException;
import ai.epitome.serve.http.Http;
import ai.epitome.serve.metering.RequestMeter;
import ai.epitome.serve.metric.ServiceMetrics;
import ai.epitome.serve.page.PageRoutes;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.Filter;
import io.helidon.webserver.http.FilterChain;
import io.helidon.webserver.http.RoutingRequest;
import io.helidon.webserver.http.RoutingResponse;
import java.lang.System.Logger.Level;
import java.time.Instant;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Lets in who has a key for what is asked. Everything needs one but [#PUBLIC], routes that come later included.
///
/// On the loopback address no key is needed, since nobody else can connect; a key of ours that is sent all the same is
/// checked, so that its usage is counted as its own. Clients that insist on a key may send any other word.
final class Authentication implements Filter {
    private static final System.Logger LOG = System.getLogger(Authentication.class.getName());

    /// Answered to anybody: the page's files, which tell nothing of anyone, and whether the service lives.
    static final Set<String> PUBLIC = Stream.concat(PageRoutes.paths().stream(), Stream.of("/health", "/health/ready"))
            .collect(Collectors.toUnmodifiableSet());

    /// What paths that begin so need; the others need [Scope#INFERENCE].
    private static final Map<String, Scope> SCOPES = Map.of(
            "/metrics", Scope.METRICS,
            "/v1/files", Scope.FILES,
            "/v1/batches", Scope.FILES,
            "/v1/uploads", Scope.FILES,
            "/v1/fine_tuning", Scope.FILES,
            "/v1/admin", Scope.ADMIN,
            "/api/admin", Scope.ADMIN,
            "/v1/organization", Scope.ADMIN);

    private final KeyStore keys;
    private final boolean required;
    private final ServiceMetrics metrics;

    /// @param required whether requests without a key are refused
    Authentication(KeyStore keys, boolean required, ServiceMetrics metrics) {
        this.metrics = metrics;
        this.keys = keys;
        this.required = required;
    }

    @Override
    public void filter(FilterChain chain, RoutingRequest request, RoutingResponse response) {
        String path = request.path().path();
        if (!PUBLIC.contains(path)) {
            try {
                authenticate(request).ifPresent(key -> {
                    require(key, scope(path));
                    RequestMeter.of(request).authenticated(key);
                });
            } catch (ApiException e) {
                if (e.status() == 401) {
                    metrics.keyRefused();
                    response.header(HeaderNames.WWW_AUTHENTICATE, "Bearer");
                }
                Http.send(response, e);
                return;
            } catch (DatabaseException e) {
                LOG.log(Level.ERROR, "A key could not be looked up", e);
                Http.send(response, ApiException.databaseFailed());
                return;
            }
        }
        chain.proceed();
    }

    static Scope scope(String path) {
        return SCOPES.entrySet().stream()
                .filter(entry -> path.equals(entry.getKey()) || path.startsWith(entry.getKey() + "/"))
                .map(Map.Entry::getValue)
                .findFirst()
                .orElse(Scope.INFERENCE);
    }

    private Optional<ApiKey> authenticate(RoutingRequest request) {
        Optional<String> secret =
                request.headers().first(HeaderNames.AUTHORIZATION).flatMap(Authentication::bearer);
        boolean ours =
                secret.filter(value -> value.startsWith(KeySecret.PREFIX)).isPresent();
        if (!required && !ours) {
            return Optional.empty();
        }
        return Optional.of(known(secret.orElseThrow(() ->
                ApiException.unauthorized("You did not provide an API key: send the header 'Authorization: Bearer "
                        + KeySecret.PREFIX + "...'. `epitome key create` makes one."))));
    }

    private static Optional<String> bearer(String header) {
        boolean bearer = header.length() > 7
                && header.substring(0, 7).toLowerCase(Locale.ROOT).equals("bearer ");
        return bearer ? Optional.of(header.substring(7).strip()) : Optional.empty();
    }

    /// The presented key is never repeated: answers end up in logs.
    private ApiKey known(String secret) {
        ApiKey key = keys.find(secret).orElseThrow(() -> ApiException.unauthorized("Incorrect API key provided."));
        return switch (key.state(Instant.now())) {
            case ACTIVE -> key;
            case EXPIRED -> throw ApiException.unauthorized("The API key " + key.hint() + " has expired.");
            case REVOKED -> throw ApiException.unauthorized("The API key " + key.hint() + " has been revoked.");
        };
    }

    private static void require(ApiKey key, Scope scope) {
        if (!key.allows(scope)) {
            throw ApiException.badRequest(
                    403,
                    "missing_scope",
                    "The API key " + key.hint() + " may not be used for this: it lacks the scope '" + scope.word()
                            + "'.");
        }
    }
}
