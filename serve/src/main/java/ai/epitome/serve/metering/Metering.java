package ai.epitome.serve.metering;

import ai.epitome.serve.account.Accounts;
import ai.epitome.serve.account.Allowance;
import ai.epitome.serve.account.ApiKey;
import ai.epitome.serve.account.LimitException;
import ai.epitome.serve.account.Limiter;
import ai.epitome.serve.http.ApiException;
import ai.epitome.serve.http.Http;
import ai.epitome.serve.http.RequestId;
import ai.epitome.serve.http.TraceParent;
import ai.epitome.serve.metric.ServiceMetrics;
import ai.epitome.serve.moderation.ModerationPolicy;
import ai.epitome.serve.moderation.Moderator;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.http.Method;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.Filter;
import io.helidon.webserver.http.FilterChain;
import io.helidon.webserver.http.RoutingRequest;
import io.helidon.webserver.http.RoutingResponse;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/// Gives every request an id and a [RequestMeter], and at its end settles it, times it and logs it.
public final class Metering implements Filter {
    private static final System.Logger LOG = System.getLogger(Metering.class.getName());
    private static final HeaderName TRACE_PARENT = HeaderNames.create("traceparent");
    /// As web servers log a client that did not wait for its answer; never sent.
    public static final int CLIENT_WENT_AWAY = 499;

    private final Accounts accounts;
    private final Limiter limiter;
    private final ServiceMetrics metrics;
    private final Moderator moderator;
    private final ModerationPolicy policy;
    private final AtomicInteger billed = new AtomicInteger();

    /// @param policy of those whose key has none
    public Metering(Accounts accounts, ServiceMetrics metrics, Moderator moderator, ModerationPolicy policy) {
        this.policy = policy;
        this.moderator = moderator;
        this.accounts = accounts;
        this.limiter = new Limiter(accounts);
        this.metrics = metrics;
    }

    @Override
    public void filter(FilterChain chain, RoutingRequest request, RoutingResponse response) {
        RequestMeter meter = new RequestMeter(
                accounts,
                limiter,
                metrics,
                moderator,
                policy,
                () -> request.matchingPattern().orElse("other"));
        request.context().register(meter);
        response.header(RequestId.HEADER, meter.id());
        response.beforeSend(() -> {
            if (response.status().code() >= 400) { // the others are settled where their last tokens are known
                settle(meter, response.status().code());
            }
        });
        int status = 500;
        try {
            chain.proceed();
            status = response.status().code();
        } catch (CloseConnectionException e) {
            status = CLIENT_WENT_AWAY;
            throw e;
        } finally {
            end(meter, request, status);
        }
    }

    private void end(RequestMeter meter, RoutingRequest request, int status) {
        settle(meter, status);
        if (meter.isBilled()) {
            billed.decrementAndGet();
        }
        String method = request.prologue().method().text();
        metrics.answered(meter.route(), RequestLog.known(method), status, meter.elapsed());
        Optional<TraceParent> trace = request.headers().first(TRACE_PARENT).flatMap(TraceParent::parse);
        RequestLog.answered(meter, method, status, trace);
    }

    /// The meter of work that no request waits for.
    ///
    /// @param route which the usage row tells
    public RequestMeter detached(Optional<ApiKey> key, String route) {
        RequestMeter meter = new RequestMeter(accounts, limiter, metrics, moderator, policy, () -> route);
        key.ifPresent(meter::authenticated);
        meter.bill();
        return meter;
    }

    /// The meter of fine-tuning jobs.
    public TrainingMeter training() {
        return new TrainingMeter(accounts, limiter, metrics);
    }

    /// Where there is nobody left to tell that it failed.
    private static void settle(RequestMeter meter, int status) {
        try {
            meter.settle(status);
        } catch (RuntimeException e) {
            LOG.log(Level.ERROR, "The usage of " + meter.id() + " could not be written", e);
        }
    }

    /// Lets a request that computes begin, unless its key has had enough; stands after the authentication.
    public void admit(FilterChain chain, RoutingRequest request, RoutingResponse response) {
        if (computes(request)) {
            RequestMeter meter = RequestMeter.of(request);
            try {
                meter.key().ifPresent(key -> {
                    response.beforeSend(() -> tellRates(key, response));
                    limiter.countRequest(key);
                });
            } catch (LimitException e) {
                Http.send(response, refusal(e));
                return;
            }
            meter.bill();
            billed.incrementAndGet();
        }
        chain.proceed();
    }

    private static boolean computes(RoutingRequest request) {
        String path = request.path().path();
        return request.prologue().method() == Method.POST
                && (path.startsWith("/v1/")
                        || path.equals("/tokenize")
                        || path.equals("/detokenize")
                        || path.matches("/api/conversations/[^/]+/(messages|answers)"));
    }

    private void tellRates(ApiKey key, RoutingResponse response) {
        Limiter.Rates rates = limiter.rates(key);
        rates.requests().ifPresent(rate -> tell("requests", rate, response));
        rates.tokens().ifPresent(rate -> tell("tokens", rate, response));
    }

    private static void tell(String unit, Allowance rate, RoutingResponse response) {
        response.header("x-ratelimit-limit-" + unit, String.valueOf(rate.limit()));
        response.header("x-ratelimit-remaining-" + unit, String.valueOf(rate.remaining()));
        response.header("x-ratelimit-reset-" + unit, duration(rate.reset()));
    }

    /// `6m0s`, `1.5s`, `20ms`: as OpenAI writes them.
    public static String duration(Duration time) {
        long millis = Math.ceilDiv(time.toNanos(), 1_000_000);
        if (millis < 1_000) {
            return millis + "ms";
        }
        String seconds = String.format(Locale.ROOT, "%d.%03d", millis / 1_000 % 60, millis % 1_000)
                .replaceAll("\\.?0*$", "");
        return millis < 60_000 ? seconds + "s" : millis / 60_000 + "m" + seconds + "s";
    }

    /// The answer to a request that goes beyond a limit.
    public ApiException refusal(LimitException e) {
        metrics.limited(e.limit().name());
        return ApiException.limited(e);
    }

    /// Requests that compute, or wait for it, or whose answers are being sent.
    public int underWay() {
        return billed.get();
    }
}
