package ai.epitome.serve;

import ai.epitome.serve.account.Accounts;
import ai.epitome.serve.account.Database;
import ai.epitome.serve.page.TrainingProgress;
import ai.epitome.serve.registry.ModelRegistry;
import ai.epitome.serve.tuning.TuningSetup;
import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/// A service on a free port with a fake model, and ways to talk to it.
final class TestServer implements AutoCloseable {
    static final String MODEL = "fake";
    static final Instant CREATED = Instant.ofEpochSecond(1_700_000_000);

    final FakeModel model;
    final ModelRegistry models = new ModelRegistry();
    final EpitomeServer server;
    private final HttpClient http = HttpClient.newHttpClient();

    private final String key;
    /// What its clients are watched by, when they are.
    private final Optional<Watch> watch;

    private TestServer(
            ServerConfig config,
            FakeModel model,
            Optional<TrainingProgress> progress,
            Accounts accounts,
            Optional<TuningSetup> tuning,
            Optional<ApiSuite> suite) {
        this.model = model;
        this.models.put(model, CREATED);
        this.server = EpitomeServer.start(config, models, progress, accounts, tuning);
        this.key = "none";
        this.watch = suite.map(this::watch);
    }

    private TestServer(TestServer other, String key) {
        this.model = other.model;
        this.server = other.server;
        this.key = key;
        this.watch = other.watch;
    }

    /// The same server, asked with another key.
    TestServer withKey(String other) {
        return new TestServer(this, other);
    }

    static TestServer start() {
        return start(0);
    }

    /// One that takes down what its clients are told, and checks it at its end.
    static TestServer start(ApiSuite suite) {
        return start(suite, Optional.empty());
    }

    /// One that fine-tunes, too.
    static TestServer start(ApiSuite suite, TuningSetup tuning) {
        return start(suite, Optional.of(tuning));
    }

    private static TestServer start(ApiSuite suite, Optional<TuningSetup> tuning) {
        return new TestServer(
                ServerConfig.local(0),
                new FakeModel(MODEL, 0),
                Optional.empty(),
                new Accounts(Database.inMemory()),
                tuning,
                Optional.of(suite));
    }

    private record Watch(ApiSuite suite, Tap tap) {}

    private Watch watch(ApiSuite suite) {
        try {
            return new Watch(suite, new Tap(port()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static TestServer start(long millisecondsPerToken) {
        return start(ServerConfig.local(0), millisecondsPerToken, Optional.empty());
    }

    static TestServer start(ServerConfig config, long millisecondsPerToken, Optional<TrainingProgress> progress) {
        return new TestServer(
                config,
                new FakeModel(MODEL, millisecondsPerToken),
                progress,
                new Accounts(Database.inMemory()),
                Optional.empty(),
                Optional.empty());
    }

    static TestServer start(ServerConfig config, Accounts accounts) {
        return new TestServer(
                config, new FakeModel(MODEL, 0), Optional.empty(), accounts, Optional.empty(), Optional.empty());
    }

    static ServerConfig config(int maxBodyBytes, Duration patience, int queueLength) {
        return ServerConfig.local(0).with(c -> {
            c.maxBodyBytes = maxBodyBytes;
            c.patience = patience;
            c.concurrentGenerations = 1;
            c.queueLength = queueLength;
            c.drain = Duration.ofSeconds(2);
        });
    }

    int port() {
        return server.address().getPort();
    }

    OpenAIClient openai() {
        return OpenAIOkHttpClient.builder()
                .baseUrl(uri().resolve("v1").toString())
                .apiKey(key)
                .maxRetries(0)
                .build();
    }

    /// Where clients find it.
    URI uri() {
        int at = watch.map(watching -> watching.tap.port()).orElse(port());
        return URI.create("http://" + ServerConfig.LOOPBACK + ":" + at + "/");
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(uri().resolve(path)).header("Authorization", "Bearer " + key);
    }

    HttpResponse<String> get(String path) throws IOException, InterruptedException {
        return http.send(request(path).build(), HttpResponse.BodyHandlers.ofString());
    }

    HttpResponse<String> post(String body) throws IOException, InterruptedException {
        return post(body, "application/json");
    }

    HttpResponse<String> post(String body, String type) throws IOException, InterruptedException {
        return post("v1/completions", body, type);
    }

    HttpResponse<String> post(String path, String body, String type) throws IOException, InterruptedException {
        return http.send(
                request(path)
                        .header("Content-Type", type)
                        .POST(HttpRequest.BodyPublishers.ofString(body))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    HttpResponse<String> send(String method, String path, String body) throws IOException, InterruptedException {
        return http.send(
                request(path)
                        .header("Content-Type", "application/json")
                        .method(method, HttpRequest.BodyPublishers.ofString(body))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    /// Sends bytes as they are and reads until the server closes the connection.
    String raw(String request) throws IOException {
        try (Socket socket = connect()) {
            socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
            socket.getOutputStream().flush();
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /// A connection on which nothing may be silent for more than 20 s.
    Socket connect() throws IOException {
        var socket = new Socket(ServerConfig.LOOPBACK, port());
        socket.setSoTimeout(20_000);
        return socket;
    }

    @Override
    public void close() {
        server.close();
        http.close();
        watch.ifPresent(watching -> watching.suite.check(watching.tap.end()));
    }
}
