package ai.epitome.serve;

import ai.epitome.serve.account.Accounts;
import ai.epitome.serve.account.Database;
import ai.epitome.serve.account.DatabaseException;
import ai.epitome.serve.account.LimitException;
import ai.epitome.serve.admin.AdminRoutes;
import ai.epitome.serve.admin.OperationRoutes;
import ai.epitome.serve.batch.FileRoutes;
import ai.epitome.serve.body.JsonBody;
import ai.epitome.serve.conversation.ConversationAnswers;
import ai.epitome.serve.conversation.ConversationRoutes;
import ai.epitome.serve.conversation.ConversationStore;
import ai.epitome.serve.conversation.PresetRoutes;
import ai.epitome.serve.conversation.PresetStore;
import ai.epitome.serve.generation.Answering;
import ai.epitome.serve.generation.GenerationQueue;
import ai.epitome.serve.http.ApiException;
import ai.epitome.serve.http.ClientConnection;
import ai.epitome.serve.http.HostCheck;
import ai.epitome.serve.http.Http;
import ai.epitome.serve.http.LastAnswer;
import ai.epitome.serve.metering.Metering;
import ai.epitome.serve.metric.ServiceMetrics;
import ai.epitome.serve.moderation.Moderator;
import ai.epitome.serve.page.ModelRoutes;
import ai.epitome.serve.page.PageRoutes;
import ai.epitome.serve.page.ProgressRoutes;
import ai.epitome.serve.page.TrainingProgress;
import ai.epitome.serve.registry.ModelRegistry;
import ai.epitome.serve.registry.PromotedModels;
import ai.epitome.serve.store.PromotionStore;
import ai.epitome.serve.store.TuningStore;
import ai.epitome.serve.tuning.TunedModels;
import ai.epitome.serve.tuning.TuningSetup;
import io.helidon.http.HttpException;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger.Level;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.UnresolvedAddressException;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.logging.Logger;

/// The running service.
///
/// ```java
/// var models = new ModelRegistry();
/// var progress = new TrainingProgress();
/// try (var server = EpitomeServer.start(ServerConfig.local(8080), models, Optional.of(progress))) {
///     System.out.println(server.uri());
///     models.put(train(progress)); // the page shows it learn, then completions are served
///     server.awaitClose();
/// }
/// ```
///
/// A request runs on the virtual thread of its connection.
public final class EpitomeServer implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(EpitomeServer.class.getName());
    /// Held here because the logging system forgets the level of loggers that nobody holds.
    private static final Logger HELIDON_LOG = Logger.getLogger("io.helidon");

    private static final int MAX_CONNECTIONS = 256;
    private static final Duration STOP_GRACE = Duration.ofMillis(500);

    private final ServerConfig config;
    private final ModelRegistry models;
    private final Accounts accounts;
    private final ServiceMetrics metrics = new ServiceMetrics();
    private final Metering metering;
    private final GenerationQueue queue;
    private final AtomicBoolean draining = new AtomicBoolean();
    private final CountDownLatch stopped = new CountDownLatch(1);
    private final Answering answering;
    private final OpenAiRoutes api;
    private final PromotedModels promoted;
    private final WebServer server;

    private EpitomeServer(
            ServerConfig config,
            ModelRegistry models,
            Optional<TrainingProgress> progress,
            Accounts accounts,
            Optional<TuningSetup> tuning) {
        this.config = config;
        this.models = models;
        this.accounts = accounts;
        this.metering = new Metering(accounts, metrics, Moderator.bundled(), config.moderation());
        this.queue = new GenerationQueue(config.concurrentGenerations(), config.queueLength());
        this.answering = new Answering(
                models,
                tuning.map(setup -> new TunedModels(models, new TuningStore(accounts.database()), setup)),
                new JsonBody(config.maxBodyBytes(), config.patience()),
                queue,
                draining::get,
                this::isStopped);
        this.api = new OpenAiRoutes(config, answering, accounts, metering, tuning);
        this.promoted = new PromotedModels(models, new PromotionStore(accounts.database()));
        this.server = WebServer.builder()
                .host(config.host())
                .port(config.port())
                .shutdownHook(false)
                .shutdownGracePeriod(STOP_GRACE)
                .connectionOptions(options -> options.tcpNoDelay(true))
                .maxTcpConnections(MAX_CONNECTIONS)
                .maxPayloadSize(2L * Math.max(config.maxBodyBytes(), FileRoutes.MAX_BYTES))
                .directHandlers(Http.directHandlers())
                .protocolsDiscoverServices(false)
                .addConnectionSelector(ClientConnection.http1(config.patience()))
                .routing(routing -> route(routing, progress))
                .build();
    }

    /// Starts listening, with accounts that end with the process.
    ///
    /// @param progress the training run that the page shows; empty when there is none
    /// @throws ServerStartException when the address cannot be listened on; its message says what to do
    public static EpitomeServer start(ServerConfig config, ModelRegistry models, Optional<TrainingProgress> progress) {
        return start(config, models, progress, new Accounts(Database.inMemory()));
    }

    /// Starts listening. Models may be put into `models` at any time after.
    ///
    /// @param progress the training run that the page shows; empty when there is none
    /// @param accounts who may ask; whoever opened it closes it, after the service
    /// @throws ServerStartException when the address cannot be listened on; its message says what to do
    public static EpitomeServer start(
            ServerConfig config, ModelRegistry models, Optional<TrainingProgress> progress, Accounts accounts) {
        return start(config, models, progress, accounts, Optional.empty());
    }

    /// Starts listening. Models may be put into `models` at any time after.
    ///
    /// @param progress the training run that the page shows; empty when there is none
    /// @param accounts who may ask; whoever opened it closes it, after the service
    /// @param tuning how models are fine-tuned; empty where they are not
    /// @throws ServerStartException when the address cannot be listened on; its message says what to do
    public static EpitomeServer start(
            ServerConfig config,
            ModelRegistry models,
            Optional<TrainingProgress> progress,
            Accounts accounts,
            Optional<TuningSetup> tuning) {
        HELIDON_LOG.setLevel(java.util.logging.Level.WARNING);
        try {
            requireFree(config);
            var server = new EpitomeServer(config, models, progress, accounts, tuning);
            server.promoted.start();
            server.server.start();
            if (!server.server.isRunning()) {
                throw new IllegalStateException("the web server on " + config.host() + " did not start");
            }
            server.api.start();
            return server;
        } catch (RuntimeException e) {
            throw startFailure(config, e);
        }
    }

    /// Helidon logs a stack trace when an address is taken, and does not throw; so the address is tried beforehand.
    private static void requireFree(ServerConfig config) {
        try (ServerSocketChannel trial = ServerSocketChannel.open()) {
            trial.bind(new InetSocketAddress(config.host(), config.port()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static RuntimeException startFailure(ServerConfig config, RuntimeException e) {
        String address = config.host() + ":" + config.port();
        if (causedBy(e, BindException.class)) {
            return new ServerStartException(
                    "Cannot listen on " + address + ": the port is in use by another program, or not allowed to this "
                            + "user. Choose another one, for example --port " + (config.port() % 65_535 + 1)
                            + ", or --port 0 for any that is free.",
                    e);
        }
        if (causedBy(e, UnresolvedAddressException.class) || causedBy(e, UnknownHostException.class)) {
            return new ServerStartException(
                    "Cannot listen on " + address + ": there is no host of this name. Leave it out for "
                            + ServerConfig.LOOPBACK + ".",
                    e);
        }
        return e;
    }

    private static boolean causedBy(Throwable thrown, Class<? extends Throwable> type) {
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            if (type.isInstance(cause)) {
                return true;
            }
        }
        return false;
    }

    private void route(HttpRouting.Builder routing, Optional<TrainingProgress> progress) {
        routing.addFilter(new LastAnswer()).addFilter(metering).addFilter((chain, request, response) -> {
            Http.secure(response.headers());
            chain.proceed();
        });
        if (!config.needsKey()) {
            routing.addFilter(new HostCheck(config.host()));
        }
        routing.addFilter(new Authentication(accounts.keys(), config.needsKey(), metrics))
                .addFilter(metering::admit);
        routes(routing, progress);
        routing.error(ApiException.class, (request, response, error) -> Http.send(response, error))
                .error(LimitException.class, (request, response, error) -> Http.send(response, metering.refusal(error)))
                .error(Throwable.class, EpitomeServer::failed);
    }

    /// Apart from the filters, so that a test can list them.
    void routes(HttpRules rules, Optional<TrainingProgress> progress) {
        api.register(rules);
        rules.register("/api", new ProgressRoutes(progress, draining::get))
                .register("/api", new ModelRoutes(answering, accounts.prices(), config.maxTokens()))
                .register("/api/conversations", conversations())
                .register(
                        "/api/presets",
                        new PresetRoutes(
                                answering.bodies(),
                                config.maxTokens(),
                                new PresetStore(accounts.database()),
                                Clock.systemUTC()))
                .register(
                        "/api/admin", new AdminRoutes(answering.bodies(), models, accounts, metrics, Clock.systemUTC()))
                .register("/", new OperationRoutes(metrics, () -> !draining.get() && !models.isEmpty()))
                .register("/", new PageRoutes())
                .any(Http::unknown);
    }

    private ConversationRoutes conversations() {
        Clock clock = Clock.systemUTC();
        ConversationStore store = new ConversationStore(accounts.database());
        return new ConversationRoutes(
                answering.bodies(), config.maxTokens(), store, new ConversationAnswers(store, answering, clock), clock);
    }

    private static void failed(ServerRequest request, ServerResponse response, Throwable error) {
        switch (error) {
            case HttpException http
            when http.status().code() < 500 ->
                Http.send(
                        response,
                        ApiException.badRequest(
                                http.status().code(),
                                "bad_request",
                                http.status().reasonPhrase()));
            case DatabaseException database -> {
                LOG.log(Level.ERROR, "The database failed", database);
                Http.send(response, ApiException.databaseFailed());
            }
            default -> {
                LOG.log(Level.ERROR, "A request failed", error);
                Http.send(response, ApiException.internal());
            }
        }
    }

    /// The address and port that it listens on.
    public InetSocketAddress address() {
        return InetSocketAddress.createUnresolved(config.host(), server.port());
    }

    /// Where the page is.
    public URI uri() {
        String host = config.host().contains(":") ? "[" + config.host() + "]" : config.host();
        return URI.create("http://" + host + ":" + server.port() + "/");
    }

    /// Waits until another thread closes the service.
    public void awaitClose() throws InterruptedException {
        stopped.await();
    }

    private boolean isStopped() {
        return stopped.getCount() == 0;
    }

    /// Stops: it is not ready from now on and takes no new generation, those under way have the configured time to end,
    /// and what is left is cut short. Closing twice does nothing.
    @Override
    public void close() {
        if (!draining.compareAndSet(false, true)) {
            return;
        }
        try {
            waitForRequests(config.drain());
            stopped.countDown();
            waitForRequests(STOP_GRACE);
            promoted.stop();
            api.awaitEnd();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            stopped.countDown();
            server.stop();
        }
    }

    private void waitForRequests(Duration most) throws InterruptedException {
        long deadline = System.nanoTime() + most.toNanos();
        while ((queue.size() > 0 || metering.underWay() > 0) && System.nanoTime() < deadline) {
            Thread.sleep(20);
        }
    }
}
