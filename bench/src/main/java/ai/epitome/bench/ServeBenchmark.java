package ai.epitome.bench;

import ai.epitome.bench.ApiClient.Answer;
import ai.epitome.model.LoadedModel;
import ai.epitome.model.generation.GenerationRequest;
import ai.epitome.model.generation.Sampling;
import ai.epitome.model.generation.TextGenerator;
import ai.epitome.serve.EpitomeServer;
import ai.epitome.serve.ServerConfig;
import ai.epitome.serve.account.Accounts;
import ai.epitome.serve.account.Database;
import ai.epitome.serve.registry.ModelRegistry;
import ai.epitome.tensor.backend.Backend;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;

/// Streams over HTTP beside the same generations asked of the engine itself, by turns: tokens a second of all together,
/// what HTTP, JSON and accounts add, and the time to the first piece of text. Clients run in the same process, on the
/// same processors, each on a thread of the system: so the processor time of a token is told apart ([CpuTime]) into
/// the engine's, the service's and the clients'. Every request has a prompt of its own, so nothing is found in the
/// cache.
///
/// With `--clients N` the clients are a process of their own on processor N ([StreamClients]). Started with `taskset -c
/// 0` and `-t 1`, the service then has one processor, and what HTTP adds is told by the clock as well.
///
/// `--warm SMALL` serves a small model first, until the Java compiler has seen some 100,000 events: a service runs for
/// days, a benchmark for two minutes.
///
/// `./epitome bench serve MODEL [-p N] [-n N] [-r N] [-t N] [--streams 1,4,16,32] [--clients N] [--warm SMALL]
/// [--kernels ...] [--precision ...]`
final class ServeBenchmark {
    private static final long WARM_EVENTS = 100_000;
    private static final int WARM_STREAMS = 16;

    private final TextGenerator model;
    private final Clients clients;
    private final int promptTokens;
    private final int maxTokens;
    private final SplittableRandom random = new SplittableRandom(1);

    private ServeBenchmark(TextGenerator model, Clients clients, int promptTokens, int maxTokens) {
        this.model = model;
        this.clients = clients;
        this.promptTokens = promptTokens;
        this.maxTokens = maxTokens;
    }

    static void run(Path source, Arguments arguments) throws IOException {
        Backend backend = Backend.of(
                arguments.choice("--kernels", Backend.Kernels.AUTO),
                arguments.choice("--precision", Backend.Precision.AUTO),
                arguments.number("-t", Runtime.getRuntime().availableProcessors()));
        System.out.println(backend.describe());
        String database = Files.createTempDirectory("epitome-bench")
                .resolve("accounts.db")
                .toString();
        try (LoadedModel loaded = LoadedModel.open(source);
                LoadedModel small = LoadedModel.open(Path.of(arguments.text("--warm", source.toString())));
                Accounts accounts = new Accounts(Database.open(database))) {
            TextGenerator model = loaded.generator(backend);
            TextGenerator warming = small.generator(backend);
            ModelRegistry models = new ModelRegistry().put(warming).put(model);
            try (EpitomeServer server = EpitomeServer.start(ServerConfig.local(0), models, Optional.empty(), accounts);
                    StreamClients apart = arguments.text("--clients", "").isEmpty()
                            ? null
                            : StreamClients.start(server.uri(), arguments.number("--clients", 0))) {
                Clients clients = new Clients(new ApiClient(server.uri()), Optional.ofNullable(apart));
                int prompt = arguments.number("-p", 32);
                int tokens = arguments.number("-n", 64);
                if (warming.id().equals(model.id())) {
                    System.out.println("the service's code is new to the compiler: see --warm");
                } else {
                    new ServeBenchmark(warming, clients, prompt, tokens).warmService();
                }
                int[] streams = Arrays.stream(
                                arguments.text("--streams", "1,4,16,32").split(","))
                        .mapToInt(Integer::parseInt)
                        .toArray();
                new ServeBenchmark(model, clients, prompt, tokens).measure(streams, arguments.number("-r", 6));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException e) {
            throw new IOException(e.getCause());
        } finally {
            backend.workers().close();
        }
    }

    /// Who asks over HTTP.
    ///
    /// @param apart clients in a process of their own, instead
    private record Clients(ApiClient here, Optional<StreamClients> apart) {}

    private void warmService() throws IOException, InterruptedException, ExecutionException {
        for (long events = 0; events < WARM_EVENTS; ) {
            events += overHttp(WARM_STREAMS, new ArrayList<>()).tokens();
        }
    }

    /// @param tokens of all streams
    private record Round(long tokens, long nanos, CpuTime cpu) {
        double rate() {
            return tokens * 1e9 / nanos;
        }

        /// Of a token.
        double micros(ToLongFunction<CpuTime> part) {
            return part.applyAsLong(cpu) / 1e3 / tokens;
        }
    }

    private void measure(int[] streams, int rounds) throws IOException, InterruptedException, ExecutionException {
        System.out.printf(
                "%s, prompts of %d tokens, %d tokens each, medians of %d rounds; tokens/s of all streams, milliseconds%n",
                model.id(), promptTokens, maxTokens, rounds);
        System.out.println(
                "| streams | engine t/s | HTTP t/s | beside one | HTTP adds | engine's CPU us/token | over HTTP | service's "
                        + "| beside engine's | clients' | first p50 | first p99 |");
        System.out.println("|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
        double single = 0;
        for (int count : streams) {
            List<Double> firsts = new ArrayList<>();
            warm(count);
            List<Round> engine = new ArrayList<>();
            List<Round> http = new ArrayList<>();
            for (int i = 0; i < rounds; i++) {
                engine.add(round(count, this::direct));
                http.add(overHttp(count, firsts));
            }
            double rate = median(http, Round::rate);
            single = single == 0 ? rate : single;
            double[] added = new double[rounds];
            Arrays.setAll(added, i -> engine.get(i).rate() / http.get(i).rate() - 1);
            double own = median(engine, round -> round.micros(CpuTime::engine));
            double service = median(http, round -> round.micros(CpuTime::service));
            System.out.printf(
                    Locale.ROOT,
                    "| %d | %.0f | %.0f | %.2f | %.1f %% | %.0f | %.0f | %.0f | %.1f %% | %.0f | %.0f | %.0f | %.0f |%n",
                    count,
                    median(engine, Round::rate),
                    rate,
                    rate / single,
                    100 * median(added),
                    own,
                    median(http, round -> round.micros(CpuTime::engine)),
                    service,
                    100 * service / own,
                    median(http, round -> round.micros(CpuTime::clients)),
                    median(http, round -> round.micros(CpuTime::machine)),
                    quantile(firsts, 0.5),
                    quantile(firsts, 0.99));
        }
    }

    private void warm(int count) throws IOException, InterruptedException, ExecutionException {
        round(count, this::direct);
        overHttp(count, new ArrayList<>());
    }

    /// @param firsts takes the milliseconds to the first piece of text of each stream
    private Round overHttp(int count, List<Double> firsts)
            throws IOException, InterruptedException, ExecutionException {
        if (clients.apart.isEmpty()) {
            return round(count, () -> overHttp(firsts));
        }
        List<String> bodies = Stream.generate(this::body).limit(count).toList();
        long start = System.nanoTime();
        CpuTime before = CpuTime.now(0);
        StreamClients.Told told = clients.apart.get().ask(bodies);
        long nanos = System.nanoTime() - start;
        firsts.addAll(told.firsts());
        return new Round(told.tokens(), nanos, CpuTime.now(0).since(before));
    }

    private Round round(int count, Callable<Long> stream) throws InterruptedException, ExecutionException {
        long start = System.nanoTime();
        long tokens = 0;
        AtomicLong asking = new AtomicLong();
        CpuTime before = CpuTime.now(0);
        try (var threads =
                Executors.newThreadPerTaskExecutor(Thread.ofPlatform().factory())) {
            List<Future<Long>> running = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                running.add(threads.submit(() -> {
                    long told = stream.call();
                    asking.addAndGet(CpuTime.ofThisThread());
                    return told;
                }));
            }
            for (Future<Long> each : running) {
                tokens += each.get();
            }
        }
        long nanos = System.nanoTime() - start;
        return new Round(tokens, nanos, CpuTime.now(asking.get()).since(before));
    }

    private synchronized int[] prompt() {
        return random.ints(promptTokens, 0, model.vocabularySize()).toArray();
    }

    private long direct() {
        var request = new GenerationRequest(prompt(), maxTokens, Sampling.ofTemperature(1, 1));
        return model.generate(request, _ -> {}, () -> false).completionTokens();
    }

    private String body() {
        return "{\"model\": \"%s\", \"prompt\": %s, \"max_tokens\": %d, \"seed\": 1, \"stream\": true, "
                        .formatted(model.id(), Arrays.toString(prompt()), maxTokens)
                + "\"stream_options\": {\"include_usage\": true}}";
    }

    /// @param firsts takes the milliseconds to the first piece of text
    private long overHttp(List<Double> firsts) throws IOException {
        Answer answer = clients.here.drain("v1/completions", body());
        if (answer.status() != 200) {
            throw new IOException("status " + answer.status());
        }
        synchronized (firsts) {
            firsts.add(answer.firstNanos() / 1e6);
        }
        return answer.usage().orElseThrow().completion();
    }

    private static double median(List<Round> rounds, ToDoubleFunction<Round> value) {
        return median(rounds.stream().mapToDouble(value).toArray());
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }

    private static double quantile(List<Double> values, double share) {
        List<Double> sorted = values.stream().sorted().toList();
        return sorted.get((int) Math.min(sorted.size() - 1, Math.floor(share * sorted.size())));
    }
}
