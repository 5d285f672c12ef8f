package ai.epitome.serve.metric;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// The service's metrics. Safe to use from any thread.
public final class ServiceMetrics {
    /// The content type of [#scrape()].
    public static final String CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final Map<String, ModelMetrics> models = new ConcurrentHashMap<>();
    private final Map<Answer, Timer> answers = new ConcurrentHashMap<>();
    private final Counter refusedKeys;

    public ServiceMetrics() {
        new JvmMemoryMetrics().bindTo(registry);
        new UptimeMetrics().bindTo(registry);
        refusedKeys = Counter.builder("epitome.keys.refused")
                .description("Requests without a key, or with one that is not good, where one is needed")
                .register(registry);
    }

    private record Answer(String route, String method, int status) {}

    /// The metrics of one model.
    public ModelMetrics model(String id) {
        return models.computeIfAbsent(id, name -> new ModelMetrics(registry, name));
    }

    /// A request has been answered.
    ///
    /// @param route the pattern that it matched, not its path: there must be few
    public void answered(String route, String method, int status, Duration time) {
        answers.computeIfAbsent(new Answer(route, method, status), this::timer).record(time);
    }

    private Timer timer(Answer answer) {
        return Timer.builder("epitome.http.requests")
                .description("Requests, from their head to the end of their answer")
                .tag("route", answer.route())
                .tag("method", answer.method())
                .tag("status", String.valueOf(answer.status()))
                .register(registry);
    }

    public void keyRefused() {
        refusedKeys.increment();
    }

    /// A request was refused by one of its key's limits.
    public void limited(String limit) {
        Counter.builder("epitome.limited")
                .description("Requests that a limit of their key refused")
                .tag("limit", limit.toLowerCase(Locale.ROOT))
                .register(registry)
                .increment();
    }

    /// Something was found in a request's texts: once for each category, with the gravest thing that was done.
    public void moderated(String side, String category, String action) {
        Counter.builder("epitome.moderated")
                .description("Requests with texts that the moderation policy has something to do about")
                .tag("side", side)
                .tag("category", category)
                .tag("action", action)
                .register(registry)
                .increment();
    }

    /// This process has trained a model on more tokens.
    public void trained(String model, long tokens) {
        Counter.builder("epitome.training.tokens")
                .description("Tokens that fine-tuning jobs were trained on by this process")
                .tag("model_name", model)
                .register(registry)
                .increment(tokens);
    }

    /// All metrics, in Prometheus's text form.
    public String scrape() {
        return registry.scrape();
    }
}
