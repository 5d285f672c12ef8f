package ai.epitome.bench;

import ai.epitome.model.generation.CompletionModel;
import ai.epitome.model.generation.FinishReason;
import ai.epitome.model.generation.GenerationPiece;
import ai.epitome.model.generation.GenerationRequest;
import ai.epitome.model.generation.GenerationResult;
import ai.epitome.model.generation.ScoredToken;
import ai.epitome.serve.EpitomeServer;
import ai.epitome.serve.ServerConfig;
import ai.epitome.serve.account.Accounts;
import ai.epitome.serve.account.Database;
import ai.epitome.serve.account.KeyLimits;
import ai.epitome.serve.account.KeyStore;
import ai.epitome.serve.account.Limiter;
import ai.epitome.serve.account.Scope;
import ai.epitome.serve.account.UsageRow;
import ai.epitome.serve.registry.ModelRegistry;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/// What keys, limits and usage rows cost a request, in microseconds: by themselves, and over HTTP with a model that
/// takes no time.
final class AccountsBenchmark {
    private static final int TOGETHER = 16;
    private static final int DEFAULT_REQUESTS = 2_000;
    private static final String BODY = "{\"model\": \"instant\", \"prompt\": \"x\", \"max_tokens\": 1}";

    private final int requests;
    private final HttpClient http = HttpClient.newHttpClient();

    private AccountsBenchmark(int requests) {
        this.requests = requests;
    }

    static void run(Arguments arguments) throws IOException {
        String url = arguments.text(
                "--database",
                Files.createTempDirectory("epitome-bench")
                        .resolve("accounts.db")
                        .toString());
        int requests = arguments.number("--requests", DEFAULT_REQUESTS);
        try (Accounts accounts = new Accounts(Database.open(url));
                Accounts memory = new Accounts(Database.inMemory())) {
            System.out.println(accounts.description());
            System.out.printf(Locale.ROOT, "%-52s %10s %10s%n", "microseconds", "median", "p99");
            new AccountsBenchmark(requests).run(accounts, memory);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException e) {
            throw new IOException(e.getCause());
        }
    }

    private void run(Accounts accounts, Accounts memory) throws IOException, InterruptedException, ExecutionException {
        KeyStore.Created key = key(accounts);
        Limiter limiter = new Limiter(accounts);
        row("key found by its hash", () -> accounts.keys().find(key.secret()).orElseThrow());
        row("request counted, tokens and budget reserved", () -> {
            limiter.countRequest(key.key());
            limiter.reserve(key.key(), 10, 10, Instant.now()).settle(5);
            return null;
        });
        row("usage row written, durable", () -> {
            accounts.record(usage(key));
            return null;
        });
        together(accounts, key);
        http(memory, "GET /v1/models, no key", "v1/models", Optional.empty());
        http(accounts, "GET /v1/models, key", "v1/models", Optional.of(key.secret()));
        http(memory, "POST /v1/completions, no key, rows in memory", "v1/completions", Optional.empty());
        http(accounts, "POST /v1/completions, key, durable rows", "v1/completions", Optional.of(key.secret()));
    }

    private static KeyStore.Created key(Accounts accounts) {
        OptionalLong much = OptionalLong.of(1_000_000_000_000L);
        return accounts.keys()
                .create(
                        "bench-" + System.nanoTime(),
                        EnumSet.of(Scope.INFERENCE),
                        new KeyLimits(much, much, much),
                        Instant.now(),
                        Optional.empty());
    }

    private static UsageRow usage(KeyStore.Created key) {
        return new UsageRow(
                "bench_" + System.nanoTime() + "_" + Thread.currentThread().threadId(),
                Instant.now(),
                Optional.of(key.key().id()),
                Optional.of("instant"),
                "/v1/completions",
                10,
                0,
                5,
                200,
                1_000,
                1_000);
    }

    /// Rows of requests that end together share commits: the time of all by their number.
    private void together(Accounts accounts, KeyStore.Created key) throws InterruptedException, ExecutionException {
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            long start = System.nanoTime();
            List<Future<?>> writers = new ArrayList<>();
            for (int i = 0; i < TOGETHER; i++) {
                writers.add(threads.submit(() -> {
                    for (int row = 0; row < requests / TOGETHER; row++) {
                        accounts.record(usage(key));
                    }
                }));
            }
            for (Future<?> writer : writers) {
                writer.get();
            }
            double micros = (System.nanoTime() - start) / 1e3 / (requests / TOGETHER * TOGETHER);
            System.out.printf(
                    Locale.ROOT, "%-52s %10.1f%n", "the same, " + TOGETHER + " requests at a time, each", micros);
        }
    }

    private void http(Accounts accounts, String name, String path, Optional<String> secret) throws IOException {
        ModelRegistry models = new ModelRegistry().put(new InstantModel());
        try (EpitomeServer server = EpitomeServer.start(ServerConfig.local(0), models, Optional.empty(), accounts)) {
            URI uri = server.uri().resolve(path);
            HttpRequest.Builder request = HttpRequest.newBuilder(uri).header("Content-Type", "application/json");
            secret.ifPresent(key -> request.header("Authorization", "Bearer " + key));
            if (path.endsWith("completions")) {
                request.POST(HttpRequest.BodyPublishers.ofString(BODY));
            }
            HttpRequest built = request.build();
            row(name, () -> {
                HttpResponse<String> response = http.send(built, HttpResponse.BodyHandlers.ofString());
                if (response.statusCode() != 200) {
                    throw new IOException(response.body());
                }
                return null;
            });
        }
    }

    private void row(String name, Callable<?> work) throws IOException {
        double[] micros = new double[requests];
        try {
            for (int i = -requests / 2; i < requests; i++) { // warms up first
                long start = System.nanoTime();
                work.call();
                if (i >= 0) {
                    micros[i] = (System.nanoTime() - start) / 1e3;
                }
            }
        } catch (Exception e) {
            throw new IOException(name + ": " + e.getMessage(), e);
        }
        Arrays.sort(micros);
        System.out.printf(
                Locale.ROOT, "%-52s %10.1f %10.1f%n", name, micros[requests / 2], micros[requests * 99 / 100]);
    }

    /// Answers every prompt with one letter at once.
    private static final class InstantModel implements CompletionModel {
        private static final int LETTER = 'a';

        @Override
        public String id() {
            return "instant";
        }

        @Override
        public int contextLength() {
            return 1_024;
        }

        @Override
        public int vocabularySize() {
            return 256;
        }

        @Override
        public int[] encode(String text) {
            return text.chars().map(letter -> letter & 0xFF).toArray();
        }

        @Override
        public byte[] bytes(int id) {
            return new byte[] {(byte) id};
        }

        @Override
        public GenerationResult generate(
                GenerationRequest request, Consumer<GenerationPiece> listener, BooleanSupplier cancelled) {
            String text = new String(bytes(LETTER), StandardCharsets.US_ASCII);
            listener.accept(new GenerationPiece(text, List.of(new ScoredToken(LETTER, bytes(LETTER), 0, List.of()))));
            return new GenerationResult(text, FinishReason.LENGTH, request.prompt().length, 1);
        }

        @Override
        public List<ScoredToken> score(int[] ids, int top) {
            throw new UnsupportedOperationException("nothing is scored here");
        }

        @Override
        public float[] embed(int[] ids) {
            throw new UnsupportedOperationException("nothing is embedded here");
        }
    }
}
