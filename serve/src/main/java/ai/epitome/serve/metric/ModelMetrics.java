package ai.epitome.serve.metric;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.DoubleStream;

/// What requests to one model use. Each is told twice: by a name of ours, and by
/// [vLLM's](https://docs.vllm.ai/en/latest/usage/metrics/), which routers and dashboards know.
public final class ModelMetrics {
    private static final double[] FIRST_TOKEN = {
        .001, .005, .01, .02, .04, .06, .08, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10, 20, 40, 80
    };
    private static final double[] BETWEEN_TOKENS = {.001, .0025, .005, .01, .025, .05, .075, .1, .15, .2, .3, .5, 1, 2.5
    };
    private static final double[] WHOLE = {.1, .3, .5, .8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480
    };
    private static final double[] TOKENS = {
        1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000
    };

    private final MeterRegistry registry;
    private final String model;
    private final AtomicInteger running = new AtomicInteger();
    private final AtomicInteger waiting = new AtomicInteger();
    private final LongAdder generated = new LongAdder();
    private final Counter[] prompt;
    private final Counter[] cached;
    private final Counter[] completion;
    private final Counter looked;
    private final Timer firstToken;
    private final Timer betweenTokens;
    private final Timer queue;
    private final Timer whole;
    private final DistributionSummary promptLength;
    private final DistributionSummary completionLength;

    ModelMetrics(MeterRegistry registry, String model) {
        this.registry = registry;
        this.model = model;
        gauge("epitome.requests.running", running, "Requests that compute");
        gauge("epitome.requests.waiting", waiting, "Requests that wait for their turn");
        gauge("vllm:num_requests_running", running, "Requests that compute");
        gauge("vllm:num_requests_waiting", waiting, "Requests that wait for their turn");
        prompt = counters("prompt", "vllm:prompt_tokens");
        cached = counters("cached", "vllm:prefix_cache_hits");
        completion = counters("completion", "vllm:generation_tokens");
        looked = counter("vllm:prefix_cache_queries");
        firstToken = timer("vllm:time_to_first_token", FIRST_TOKEN);
        betweenTokens = timer("vllm:inter_token_latency", BETWEEN_TOKENS);
        queue = timer("vllm:request_queue_time", WHOLE);
        whole = timer("vllm:e2e_request_latency", WHOLE);
        promptLength = summary("vllm:request_prompt_tokens");
        completionLength = summary("vllm:request_generation_tokens");
    }

    private void gauge(String name, AtomicInteger value, String description) {
        Gauge.builder(name, value, AtomicInteger::get)
                .description(description)
                .tag("model_name", model)
                .register(registry);
    }

    /// One by our name and one by vLLM's.
    private Counter[] counters(String kind, String alias) {
        Counter ours = Counter.builder("epitome.tokens")
                .description("Tokens of prompts (cached: known before), and those generated")
                .tag("model_name", model)
                .tag("kind", kind)
                .register(registry);
        return new Counter[] {ours, counter(alias)};
    }

    private Counter counter(String name) {
        return Counter.builder(name).tag("model_name", model).register(registry);
    }

    private Timer timer(String name, double[] seconds) {
        Duration[] bounds = DoubleStream.of(seconds)
                .mapToObj(bound -> Duration.ofNanos(Math.round(bound * 1e9)))
                .toArray(Duration[]::new);
        return Timer.builder(name)
                .tag("model_name", model)
                .serviceLevelObjectives(bounds)
                .register(registry);
    }

    private DistributionSummary summary(String name) {
        return DistributionSummary.builder(name)
                .tag("model_name", model)
                .serviceLevelObjectives(TOKENS)
                .register(registry);
    }

    public AtomicInteger running() {
        return running;
    }

    public AtomicInteger waiting() {
        return waiting;
    }

    /// Tokens come, of requests under way.
    public void generate(long tokens) {
        generated.add(tokens);
    }

    /// Tokens that were generated so far, those of requests under way included.
    public long generated() {
        return generated.sum();
    }

    /// A request has ended and its usage is durable.
    ///
    /// @param finished why it ended: `stop`, `length`, `abort` when the client went away, `error`
    public void used(long promptTokens, long cachedTokens, long completionTokens, String finished) {
        add(prompt, promptTokens);
        add(cached, cachedTokens);
        add(completion, completionTokens);
        looked.increment(promptTokens);
        promptLength.record(promptTokens);
        completionLength.record(completionTokens);
        Counter.builder("vllm:request_success")
                .tag("model_name", model)
                .tag("finished_reason", finished)
                .register(registry)
                .increment();
    }

    private static void add(Counter[] counters, long tokens) {
        Arrays.stream(counters).forEach(counter -> counter.increment(tokens));
    }

    /// Times of a request that generated something.
    ///
    /// @param waited from its beginning until it computed
    /// @param first from its beginning to its first token
    /// @param perToken between the tokens after
    public void timed(Duration waited, Duration first, Duration perToken, Duration all) {
        queue.record(waited);
        firstToken.record(first);
        betweenTokens.record(perToken);
        whole.record(all);
    }
}
