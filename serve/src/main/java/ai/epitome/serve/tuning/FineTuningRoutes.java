package ai.epitome.serve.tuning;

import ai.epitome.serve.account.Scope;
import ai.epitome.serve.body.JsonBody;
import ai.epitome.serve.body.ListPage;
import ai.epitome.serve.http.ApiException;
import ai.epitome.serve.http.Http;
import ai.epitome.serve.metering.RequestMeter;
import ai.epitome.serve.store.FileStore;
import ai.epitome.serve.store.LeasedWork;
import ai.epitome.serve.store.TuningStore;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// `/v1/fine_tuning/jobs` ([OpenAI's reference](https://platform.openai.com/docs/api-reference/fine-tuning)): create,
/// list, retrieve, cancel, pause, resume, events, checkpoints. [TuningWorker] does the work.
public final class FineTuningRoutes implements HttpService {
    private static final JsonMapper JSON = JsonMapper.shared();
    /// Jobs that are not over, of one owner and of all.
    private static final int MOST_OF_OWNER = 4;
    private static final int MOST = 16;
    private static final Set<String> OPEN = Set.of("queued", "validating_files", "running");
    private static final String JOBS = "/fine_tuning/jobs";
    private static final String ID = JOBS + "/{id}";

    private final JsonBody bodies;
    private final TuningStore store;
    private final FileStore files;
    private final Optional<Tuning> tuning;

    /// What makes models.
    public record Tuning(TunedModels models, TuningWorker worker) {}

    /// @param tuning empty where this service fine-tunes nothing
    public FineTuningRoutes(JsonBody bodies, TuningStore store, FileStore files, Optional<Tuning> tuning) {
        this.bodies = bodies;
        this.store = store;
        this.files = files;
        this.tuning = tuning;
    }

    @Override
    public void routing(HttpRules rules) {
        rules.post(JOBS, this::create)
                .get(JOBS, this::list)
                .get(ID, this::retrieve)
                .get(ID + "/events", this::events)
                .get(ID + "/checkpoints", this::checkpoints)
                .post(ID + "/cancel", this::cancel)
                .post(ID + "/pause", (request, response) -> change(request, response, "paused", OPEN))
                .post(ID + "/resume", this::resume)
                .any(JOBS, (request, response) -> Http.methodNotAllowed(request, response, "GET, POST"))
                .any(ID, (request, response) -> Http.methodNotAllowed(request, response, "GET"))
                .any(ID + "/events", (request, response) -> Http.methodNotAllowed(request, response, "GET"))
                .any(ID + "/checkpoints", (request, response) -> Http.methodNotAllowed(request, response, "GET"))
                .any(ID + "/cancel", (request, response) -> Http.methodNotAllowed(request, response, "POST"))
                .any(ID + "/pause", (request, response) -> Http.methodNotAllowed(request, response, "POST"))
                .any(ID + "/resume", (request, response) -> Http.methodNotAllowed(request, response, "POST"));
    }

    private void create(ServerRequest request, ServerResponse response) throws InterruptedException {
        RequestMeter meter = RequestMeter.of(request);
        if (meter.key().filter(key -> !key.allows(Scope.INFERENCE)).isPresent()) {
            throw ApiException.badRequest(
                    403, "missing_scope", "Fine-tuning computes: the API key needs the scope 'inference' as well.");
        }
        ObjectNode job = FineTuningFields.parse(bodies.read(request, response));
        Tuning active = tuning.orElseThrow(() -> ApiException.badRequest(
                400, "fine_tuning_unavailable", "This service does not fine-tune models: `epitome serve` starts one."));
        requireBase(active, job, meter.owner());
        requireFile(job, "training_file", meter.owner());
        requireFile(job, "validation_file", meter.owner());
        meter.requireBudget();
        LeasedWork added = new LeasedWork(
                job.path("id").stringValue(),
                meter.owner(),
                job.path("created_at").longValue(),
                "queued",
                job.toString(),
                0);
        if (!store.add(added, MOST_OF_OWNER, MOST)) {
            throw ApiException.badRequest(
                    429,
                    "too_many_jobs",
                    "%d jobs of one key and %d in all may be unfinished: wait for one to end, or cancel one."
                            .formatted(MOST_OF_OWNER, MOST));
        }
        active.worker.wake();
        Http.send(response, 200, shown(job));
    }

    private static void requireBase(Tuning active, ObjectNode job, String owner) {
        String model = job.path("model").stringValue();
        TuningBase base = active.models.base(owner, model).orElseThrow(() -> ApiException.modelNotFound(model));
        int rank = FineTuningFields.hyperparameters(job.path("method"))
                .path("lora_rank")
                .intValue();
        if (rank > 0 && base.ownWeights()) {
            throw ApiException.badParameter(
                    "lora_rank",
                    "'" + model
                            + "' has weights of its own, and goes on learning with all of them: 'lora_rank' must be 0.");
        }
        if (rank == 0 && base.adapter().isPresent()) {
            throw ApiException.badParameter(
                    "lora_rank",
                    "'" + model + "' is an adapter, which goes on learning as one: 'lora_rank' cannot be 0.");
        }
    }

    private void requireFile(ObjectNode job, String param, String owner) {
        JsonNode file = job.path(param);
        if (file.isString()
                && files.find(owner, file.stringValue())
                        .filter(found -> found.purpose().equals("fine-tune"))
                        .isEmpty()) {
            throw ApiException.badParameter(
                    param, "There is no file '" + file.stringValue() + "' of the purpose 'fine-tune'.");
        }
    }

    /// Without what only this service knows of.
    private static ObjectNode shown(ObjectNode job) {
        ObjectNode shown = job.deepCopy();
        shown.remove("suffix");
        shown.remove(TuningWorker.TRAINED_SO_FAR);
        if (!shown.path("status").stringValue().equals("running")) {
            shown.putNull("estimated_finish");
        }
        return shown;
    }

    private static ObjectNode json(LeasedWork job) {
        return shown((ObjectNode) JSON.readTree(job.body()));
    }

    private LeasedWork find(ServerRequest request) {
        String id = Http.id(request);
        return store.find(RequestMeter.owner(request), id)
                .orElseThrow(() -> ApiException.notFound("fine-tuning job", id));
    }

    private void retrieve(ServerRequest request, ServerResponse response) {
        Http.send(response, 200, json(find(request)));
    }

    private void list(ServerRequest request, ServerResponse response) {
        ListPage page = ListPage.of(request);
        String owner = RequestMeter.owner(request);
        Http.send(
                response,
                200,
                page.list(store.list(owner, page.after(), page.limit() + 1).stream()
                        .map(FineTuningRoutes::json)
                        .toList()));
    }

    private void cancel(ServerRequest request, ServerResponse response) {
        change(request, response, "cancelled", Set.of("queued", "validating_files", "running", "paused"));
    }

    private void resume(ServerRequest request, ServerResponse response) {
        RequestMeter.of(request).requireBudget();
        change(request, response, "queued", Set.of("paused"));
    }

    /// What works on the job sees its new status within a second.
    private void change(ServerRequest request, ServerResponse response, String status, Set<String> from) {
        for (LeasedWork job = find(request); ; job = find(request)) {
            if (!from.contains(job.status())) {
                throw ApiException.badRequest(
                        409,
                        "job_" + job.status(),
                        "The job is " + job.status() + ", and cannot become " + status + ".");
            }
            ObjectNode body = (ObjectNode) JSON.readTree(job.body());
            body.put("status", status);
            if (status.equals("cancelled")) {
                body.put("finished_at", Instant.now().getEpochSecond());
            }
            if (store.change(job, status, body.toString())) {
                LeasedWork before = job;
                tuning.ifPresent(active -> {
                    if (status.equals("cancelled")) {
                        active.worker.cancelled(before);
                    }
                    active.worker.wake();
                });
                Http.send(response, 200, shown(body));
                return;
            }
        }
    }

    private void events(ServerRequest request, ServerResponse response) {
        LeasedWork job = find(request);
        ListPage page = ListPage.of(request);
        long before = page.after().map(FineTuningRoutes::number).orElse(Long.MAX_VALUE);
        Http.send(
                response,
                200,
                page.list(store.events(job.id(), before, page.limit() + 1).stream()
                        .map(event -> (ObjectNode) JSON.readTree(event.json()))
                        .toList()));
    }

    /// That of an event's id, which ends in it.
    private static long number(String event) {
        String digits = event.substring(event.lastIndexOf('-') + 1);
        if (!digits.matches("[0-9]{1,15}")) {
            throw ApiException.badParameter("after", "'after' must be the id of an event.");
        }
        return Long.parseLong(digits);
    }

    private void checkpoints(ServerRequest request, ServerResponse response) {
        LeasedWork job = find(request);
        ListPage page = ListPage.of(request);
        List<ObjectNode> all = store.checkpoints(job.id()).stream()
                .map(FineTuningRoutes::checkpoint)
                .dropWhile(checkpoint -> page.after().isPresent()
                        && number(checkpoint.path("id").stringValue())
                                >= number(page.after().get()))
                .toList();
        Http.send(response, 200, page.list(all));
    }

    private static ObjectNode checkpoint(TuningStore.Model model) {
        ObjectNode checkpoint = JsonNodeFactory.instance
                .objectNode()
                .put("id", "ftckpt_" + model.jobId().substring("ftjob-".length()) + "-" + model.step())
                .put("object", "fine_tuning.job.checkpoint")
                .put("created_at", model.createdAt())
                .put("fine_tuned_model_checkpoint", model.id())
                .put("fine_tuning_job_id", model.jobId())
                .put("step_number", model.step());
        checkpoint.set("metrics", JSON.readTree(model.metrics()));
        return checkpoint;
    }
}
