package ai.epitome.serve;

import ai.epitome.serve.account.Accounts;
import ai.epitome.serve.analysis.AnalysisRoutes;
import ai.epitome.serve.batch.BatchRoutes;
import ai.epitome.serve.batch.BatchWorker;
import ai.epitome.serve.batch.FileRoutes;
import ai.epitome.serve.completion.CompletionRoutes;
import ai.epitome.serve.completion.ConstraintFields;
import ai.epitome.serve.completion.TokenRoutes;
import ai.epitome.serve.generation.Answering;
import ai.epitome.serve.generation.Asked;
import ai.epitome.serve.http.ObjectId;
import ai.epitome.serve.metering.Metering;
import ai.epitome.serve.moderation.Moderator;
import ai.epitome.serve.response.OpenAiConversationRoutes;
import ai.epitome.serve.response.ResponseRoutes;
import ai.epitome.serve.store.BatchStore;
import ai.epitome.serve.store.FileStore;
import ai.epitome.serve.store.ItemStore;
import ai.epitome.serve.store.ResponseStore;
import ai.epitome.serve.store.TuningStore;
import ai.epitome.serve.tuning.FineTuningRoutes;
import ai.epitome.serve.tuning.TuningSetup;
import ai.epitome.serve.tuning.TuningWorker;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// All routes of OpenAI's API, put together, and the work that they leave to the background.
final class OpenAiRoutes {
    private final List<HttpService> services;
    private final TokenRoutes tokens;
    private final BatchWorker worker;
    private final Optional<TuningWorker> tuning;

    /// @param setup of fine-tuning; empty where the service does none
    OpenAiRoutes(
            ServerConfig config,
            Answering answering,
            Accounts accounts,
            Metering metering,
            Optional<TuningSetup> setup) {
        ConstraintFields constraints = new ConstraintFields();
        ItemStore items = new ItemStore(accounts.database());
        FileStore files = new FileStore(accounts.database());
        BatchStore batches = new BatchStore(accounts.database());
        var completions = new CompletionRoutes(config.maxTokens(), answering, constraints);
        var responses = new ResponseRoutes(
                config.maxTokens(),
                answering,
                constraints,
                new ResponseStore(accounts.database()),
                items,
                metering::detached);
        var analysis = new AnalysisRoutes(answering, Moderator.bundled());
        Map<String, Asked.Reader> endpoints = Map.of(
                "/v1/completions", completions::complete,
                "/v1/chat/completions", completions::chat,
                "/v1/responses", responses::create,
                "/v1/embeddings", analysis::embed,
                "/v1/moderations", analysis::moderate);
        this.worker = new BatchWorker(
                new BatchWorker.Tools(batches, files, answering, endpoints, metering::detached), accounts.keys());
        TuningStore jobs = new TuningStore(accounts.database());
        this.tuning = setup.map(known -> new TuningWorker(new TuningWorker.Tools(
                jobs,
                files,
                known.folder(),
                known.program(),
                answering.tuned().orElseThrow()::base,
                metering.training(),
                ObjectId::next,
                answering.draining())));
        this.services = List.of(
                completions,
                responses,
                new OpenAiConversationRoutes(answering.bodies(), items),
                analysis,
                new FileRoutes(config.patience(), files),
                new BatchRoutes(answering.bodies(), batches, files, worker),
                new FineTuningRoutes(
                        answering.bodies(),
                        jobs,
                        files,
                        tuning.map(running ->
                                new FineTuningRoutes.Tuning(answering.tuned().orElseThrow(), running))));
        this.tokens = new TokenRoutes(answering);
    }

    void register(HttpRules rules) {
        services.forEach(service -> rules.register("/v1", service));
        rules.register(tokens);
    }

    /// Begins to work on batches and fine-tuning jobs.
    void start() {
        worker.start();
        tuning.ifPresent(TuningWorker::start);
    }

    /// Waits a moment until nothing is worked on any more; the service must be stopping.
    void awaitEnd() throws InterruptedException {
        worker.awaitEnd();
        if (tuning.isPresent()) {
            tuning.get().awaitEnd();
        }
    }
}
