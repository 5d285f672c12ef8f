package ai.epitome.serve.metering;

import ai.epitome.model.generation.CompletionModel;
import ai.epitome.model.generation.FinishReason;
import ai.epitome.serve.account.Accounts;
import ai.epitome.serve.account.ApiKey;
import ai.epitome.serve.account.LimitException;
import ai.epitome.serve.account.Limiter;
import ai.epitome.serve.account.Price;
import ai.epitome.serve.account.UsageRow;
import ai.epitome.serve.http.RequestId;
import ai.epitome.serve.metric.ModelMetrics;
import ai.epitome.serve.metric.ServiceMetrics;
import ai.epitome.serve.moderation.ModerationPolicy;
import ai.epitome.serve.moderation.Moderator;
import io.helidon.webserver.http.ServerRequest;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;

/// Counts what one request uses. Answers take their `usage` from here, and so do the usage row and the
/// metrics: they cannot differ.
///
/// ```java
/// RequestMeter meter = RequestMeter.of(request);
/// meter.begin(model.id(), promptTokens, mostCompletionTokens); // refuses what the key's limits do not allow
/// meter.work();                                                // its turn has come
/// meter.generate(model, choices);                              // instead of model.generate
/// meter.settle(200);                                           // before the client sees the last of the answer
/// ```
///
/// Whatever a route forgets to settle is settled with the status of the answer when the request ends.
public final class RequestMeter {
    private final Accounts accounts;
    private final Limiter limiter;
    private final ServiceMetrics metrics;
    private final Moderator moderator;
    private final ModerationPolicy policy;
    private final Supplier<String> route;
    private final String id = RequestId.next();
    private final Instant at = Instant.now();
    private final long start = System.nanoTime();
    private final AtomicBoolean settled = new AtomicBoolean();

    // The request's own thread writes these, unless it says otherwise.
    private Optional<ApiKey> key = Optional.empty();
    private boolean billed;
    private Optional<String> model = Optional.empty();
    private Optional<ModelMetrics> modelMetrics = Optional.empty();
    private Optional<Limiter.Reservation> reservation = Optional.empty();
    private Price price = Price.FREE;
    // Guarded by this object: what others may look at.
    private long reservedPrompt;
    private long promptTokens;
    private long cachedTokens;
    private long completionTokens;
    private long firstWork;
    private long firstToken;
    private long lastToken;
    private FinishReason finish = FinishReason.STOP;
    private ContentFilter filter;

    /// @param policy what is done about texts where the key says nothing of it
    /// @param route the pattern that the request matched, once it is known
    RequestMeter(
            Accounts accounts,
            Limiter limiter,
            ServiceMetrics metrics,
            Moderator moderator,
            ModerationPolicy policy,
            Supplier<String> route) {
        this.moderator = moderator;
        this.policy = policy;
        this.route = route;
        this.accounts = accounts;
        this.limiter = limiter;
        this.metrics = metrics;
    }

    /// The meter of a request that is being served.
    public static RequestMeter of(ServerRequest request) {
        return request.context()
                .get(RequestMeter.class)
                .orElseThrow(() -> new IllegalStateException("a request passed by the filter that meters it"));
    }

    /// The request's, as `x-request-id` tells it.
    public String id() {
        return id;
    }

    /// Whose request it is; empty for one without a key.
    public Optional<ApiKey> key() {
        return key;
    }

    /// Whom things belong to that the request makes: the key's id, or nobody's name where none is needed.
    public String owner() {
        return key.map(ApiKey::id).orElse("");
    }

    /// [#owner()] of the meter of a request that is being served.
    public static String owner(ServerRequest request) {
        return of(request).owner();
    }

    Optional<String> model() {
        return model;
    }

    /// What is done about the request's texts, by its key's policy, or else the service's.
    public synchronized ContentFilter filter() {
        if (filter == null) {
            filter = new ContentFilter(key.flatMap(ApiKey::moderation).orElse(policy), moderator);
        }
        return filter;
    }

    /// What was found in the request's texts.
    public synchronized List<ContentFilter.Finding> findings() {
        return filter == null ? List.of() : filter.findings();
    }

    Duration elapsed() {
        return Duration.ofNanos(System.nanoTime() - start);
    }

    public void authenticated(ApiKey holder) {
        key = Optional.of(holder);
    }

    /// From now on the request leaves a usage row.
    void bill() {
        billed = true;
    }

    boolean isBilled() {
        return billed;
    }

    /// The path pattern, for instance `/v1/files/{id}`: what metrics and usage rows count by.
    public String route() {
        return route.get();
    }

    /// Reserves the most that the request may use. Before any work, before the queue.
    ///
    /// @param prompt tokens of all prompts, each counted once
    /// @throws LimitException when its key may not use so much
    public void begin(String modelId, long prompt, long mostCompletion) {
        model = Optional.of(modelId);
        price = accounts.prices().find(modelId).orElse(Price.FREE);
        long cost = price.costPico(prompt, 0, mostCompletion);
        reservedPrompt = prompt;
        reservation = key.map(holder -> limiter.reserve(holder, prompt + mostCompletion, cost, at));
        ModelMetrics chosen = metrics.model(modelId);
        chosen.waiting().incrementAndGet();
        modelMetrics = Optional.of(chosen);
    }

    /// For work whose cost nobody knows before.
    ///
    /// @throws LimitException when the key's budget is used up
    public void requireBudget() {
        key.ifPresent(holder -> limiter.requireBudget(holder, at));
    }

    /// The request's turn has come: it computes now, and its prompts count.
    public synchronized void work() {
        if (firstWork == 0 && modelMetrics.isPresent()) {
            firstWork = System.nanoTime();
            promptTokens = reservedPrompt;
            modelMetrics.get().waiting().decrementAndGet();
            modelMetrics.get().running().incrementAndGet();
        }
    }

    /// Tokens of the prompts that were known already.
    public synchronized void cached(long tokens) {
        cachedTokens = Math.min(promptTokens, cachedTokens + tokens);
    }

    /// [CompletionModel#generate] for the request's owner, counted: also what was generated when it ends
    /// with an exception.
    public void generate(CompletionModel generator, List<CompletionModel.Choice> choices) {
        if (modelMetrics.isEmpty()) {
            throw new IllegalStateException("a generation whose request did not begin() with its limits");
        }
        work();
        generator.generate(choices.stream().map(this::counted).toList());
    }

    private CompletionModel.Choice counted(CompletionModel.Choice choice) {
        int[] told = {0};
        return new CompletionModel.Choice(
                choice.request().ownedBy(owner()),
                piece -> {
                    told[0] += piece.tokens().size();
                    completion(piece.tokens().size());
                    choice.listener().accept(piece);
                },
                result -> {
                    completion(result.completionTokens() - told[0]);
                    ended(result.finish());
                    choice.ended().accept(result);
                },
                choice.cancelled());
    }

    private synchronized void ended(FinishReason reason) {
        finish = reason;
    }

    private synchronized void completion(long tokens) {
        completionTokens += tokens;
        modelMetrics.ifPresent(each -> each.generate(tokens));
        lastToken = System.nanoTime();
        if (firstToken == 0) {
            firstToken = lastToken;
        }
    }

    /// As an answer tells it.
    public synchronized Usage usage() {
        return new Usage(promptTokens, cachedTokens, completionTokens);
    }

    /// What it has cost so far, in millionths of a millionth.
    public synchronized long costPico() {
        return price.costPico(promptTokens, cachedTokens, completionTokens);
    }

    /// Ends the request's use: its row is durable when this returns. Only the first call counts.
    ///
    /// @param status of the answer; 499 when the client went away
    /// @throws ai.epitome.serve.account.DatabaseException when the row could not be written
    public void settle(int status) {
        if (!settled.compareAndSet(false, true)) {
            return;
        }
        Usage used = usage();
        findings()
                .forEach(found -> metrics.moderated(
                        found.side().word(),
                        found.category().word(),
                        found.action().word()));
        try {
            // One that was refused before any work is counted in the metrics alone, or refusals would fill the disk.
            if (billed && status != 429) {
                accounts.record(row(used, status));
                modelMetrics.ifPresent(each -> count(each, used, status));
            }
        } finally {
            reservation.ifPresent(held -> held.settle(used.promptTokens() + used.completionTokens()));
            modelMetrics.ifPresent(each -> (firstWork == 0 ? each.waiting() : each.running()).decrementAndGet());
        }
    }

    private UsageRow row(Usage used, int status) {
        return new UsageRow(
                id,
                at,
                key.map(ApiKey::id),
                model,
                route(),
                used.promptTokens(),
                used.cachedTokens(),
                used.completionTokens(),
                0,
                status,
                elapsed().toNanos() / 1_000,
                costPico(),
                findings().stream().map(ContentFilter.Finding::word).toList());
    }

    private void count(ModelMetrics each, Usage used, int status) {
        each.used(used.promptTokens(), used.cachedTokens(), used.completionTokens(), finished(status));
        if (firstToken != 0) {
            long after = Math.max(1, used.completionTokens() - 1);
            each.timed(
                    Duration.ofNanos(firstWork - start),
                    Duration.ofNanos(firstToken - start),
                    Duration.ofNanos((lastToken - firstToken) / after),
                    elapsed());
        }
    }

    private String finished(int status) {
        if (status == 499) {
            return "abort";
        }
        if (status >= 400) {
            return "error";
        }
        boolean filtered = findings().stream()
                .anyMatch(found -> found.side() == ModerationPolicy.Side.OUTPUT
                        && found.action() == ModerationPolicy.Action.REFUSE);
        return word(filtered ? FinishReason.FILTERED : finish);
    }

    /// Why an answer ended, as OpenAI calls it, and the metrics.
    public static String word(FinishReason finish) {
        return switch (finish) {
            case STOP -> "stop";
            case FILTERED -> "content_filter";
            case LENGTH, CANCELLED -> "length";
        };
    }
}
