package ai.epitome.bench;

import ai.epitome.bench.ApiClient.Answer;
import ai.epitome.model.LoadedModel;
import ai.epitome.model.engine.EngineLimits;
import ai.epitome.model.generation.TextGenerator;
import ai.epitome.serve.EpitomeServer;
import ai.epitome.serve.ServerConfig;
import ai.epitome.serve.account.Accounts;
import ai.epitome.serve.account.Database;
import ai.epitome.serve.account.KeyLimits;
import ai.epitome.serve.account.Price;
import ai.epitome.serve.account.Scope;
import ai.epitome.serve.registry.ModelRegistry;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.text.chat.ChatFormat;
import ai.epitome.text.jinja.JinjaException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// Clients that want much, leave early and send garbage, at the same time, for a given time; then the accounts are
/// checked to the token.
///
/// Requests are drawn from a fixed list, each with a seed of its own. First each is answered alone; under load its text
/// must be the same (`--kernels exact`, the default here, promises it). The cache of keys and values is small (64 MB),
/// so that it fills up, and what grows then is a leak.
///
/// `./epitome bench load MODEL [--seconds N] [--streams N] [--cache MB] [--database URL] [--kernels ...] [--precision
/// ...]`
final class LoadBenchmark {
    private static final int REQUESTS = 60;
    private static final int KEYS = 4;
    private static final int SAMPLES = 12;
    /// Of a hundred requests.
    private static final int LEAVING = 10;
    private static final int GARBAGE = 5;
    private static final Price PRICE = new Price(150_000, 75_000, 600_000);

    private final String model;
    private final Accounts accounts;
    private final ApiClient client;
    private final List<LoadPlan.Request> requests;
    private final List<Answer> alone = new ArrayList<>();
    private final List<String> keys = new ArrayList<>();
    private final LoadPlan plan;
    private final LoadTally tally = new LoadTally();

    private LoadBenchmark(String model, boolean chat, Accounts accounts, ApiClient client) {
        this.model = model;
        this.accounts = accounts;
        this.client = client;
        this.plan = new LoadPlan(model, chat);
        this.requests = plan.requests(REQUESTS);
    }

    static void run(Path source, Arguments arguments) throws IOException {
        String url = arguments.text(
                "--database",
                Files.createTempDirectory("epitome-bench")
                        .resolve("accounts.db")
                        .toString());
        Backend backend = Backend.of(
                arguments.choice("--kernels", Backend.Kernels.EXACT),
                arguments.choice("--precision", Backend.Precision.AUTO),
                arguments.number("-t", Runtime.getRuntime().availableProcessors()));
        int streams = arguments.number("--streams", 32);
        int seconds = arguments.number("--seconds", 60);
        try (LoadedModel loaded = LoadedModel.open(source);
                Accounts accounts = new Accounts(Database.open(url))) {
            Optional<ChatFormat> chat = chat(loaded);
            EngineLimits limits = EngineLimits.DEFAULT.withCacheBytes((long) arguments.number("--cache", 64) << 20);
            TextGenerator generator = loaded.generator(backend, limits);
            ModelRegistry models = new ModelRegistry().put(generator, Instant.now(), chat);
            try (EpitomeServer server =
                    EpitomeServer.start(ServerConfig.local(0), models, Optional.empty(), accounts)) {
                ApiClient client = new ApiClient(server.uri());
                System.out.println(backend.describe());
                System.out.printf(
                        "%s, %d streams for %d s, %s%n", loaded.id(), streams, seconds, accounts.description());
                new LoadBenchmark(loaded.id(), chat.isPresent(), accounts, client).run(streams, seconds);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException e) {
            throw new IOException(e.getCause());
        } finally {
            backend.workers().close();
        }
    }

    private static Optional<ChatFormat> chat(LoadedModel model) throws IOException {
        try {
            return Optional.of(model.chat());
        } catch (JinjaException e) {
            return Optional.empty();
        }
    }

    private void run(int streams, int seconds) throws IOException, InterruptedException, ExecutionException {
        Instant began = Instant.now().truncatedTo(ChronoUnit.MILLIS); // as rows have it
        accounts.prices().set(model, PRICE);
        for (int i = 0; i < KEYS; i++) {
            keys.add(accounts.keys()
                    .create(
                            "load-" + System.nanoTime(),
                            EnumSet.of(Scope.INFERENCE),
                            KeyLimits.NONE,
                            Instant.now(),
                            Optional.empty())
                    .secret());
        }
        for (LoadPlan.Request request : requests) {
            Answer answer = client.post(request.path(), request.body(), key(0), Integer.MAX_VALUE);
            tally.good(answer);
            alone.add(answer);
        }
        load(streams, seconds);
        tally.print();
        new LoadAudit(accounts, tally, began).print(metricsOfAll(), model);
    }

    /// The metrics, when the service has noticed that the last client left.
    private String metricsOfAll() throws IOException, InterruptedException {
        String idle = "vllm:num_requests_running{model_name=\"" + model + "\"} 0.0";
        String metrics = client.get("metrics");
        for (int i = 0; i < 500 && !metrics.contains(idle); i++) {
            Thread.sleep(20);
            metrics = client.get("metrics");
        }
        return metrics;
    }

    private Optional<String> key(int number) {
        return Optional.of(keys.get(Math.floorMod(number, KEYS)));
    }

    private void load(int streams, int seconds) throws InterruptedException, ExecutionException {
        long deadline = System.nanoTime() + seconds * 1_000_000_000L;
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> clients = new ArrayList<>();
            for (int i = 0; i < streams; i++) {
                Random random = new Random(i);
                clients.add(threads.submit(() -> {
                    while (System.nanoTime() < deadline) {
                        one(random);
                    }
                }));
            }
            System.out.printf(
                    "%8s %10s %10s %10s %12s %8s%n",
                    "second", "answers", "tokens/s", "heap MB", "resident MB", "threads");
            for (int i = 1; i <= SAMPLES; i++) {
                Thread.sleep(seconds * 1_000L / SAMPLES);
                tally.sample(seconds * (double) i / SAMPLES);
            }
            for (Future<?> each : clients) {
                each.get();
            }
        }
    }

    private void one(Random random) {
        int kind = random.nextInt(100);
        try {
            if (kind < GARBAGE) {
                tally.garbage(client.raw(plan.garbage(random)));
            } else if (kind < GARBAGE + LEAVING) {
                LoadPlan.Request request = plan.longStream(random.nextInt(1_000));
                tally.left(client.post(request.path(), request.body(), key(kind), 1 + random.nextInt(30)));
            } else {
                int number = random.nextInt(REQUESTS);
                LoadPlan.Request request = requests.get(number);
                Answer answer = client.post(request.path(), request.body(), key(kind), Integer.MAX_VALUE);
                tally.good(answer);
                tally.compare(answer, alone.get(number), request.body());
            }
        } catch (IOException e) {
            tally.failed(e);
        }
    }
}
