package ai.epitome.serve.batch;

import ai.epitome.serve.account.Scope;
import ai.epitome.serve.body.CommonFields;
import ai.epitome.serve.body.Fields;
import ai.epitome.serve.body.JsonBody;
import ai.epitome.serve.body.ListPage;
import ai.epitome.serve.body.MetadataFields;
import ai.epitome.serve.http.ApiException;
import ai.epitome.serve.http.Http;
import ai.epitome.serve.http.ObjectId;
import ai.epitome.serve.metering.RequestMeter;
import ai.epitome.serve.store.BatchStore;
import ai.epitome.serve.store.FileStore;
import ai.epitome.serve.store.LeasedWork;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// `/v1/batches` ([OpenAI's reference](https://platform.openai.com/docs/api-reference/batch)): create, list, retrieve,
/// cancel. [BatchWorker] does the work.
public final class BatchRoutes implements HttpService {
    private static final JsonMapper JSON = JsonMapper.shared();
    private static final Set<String> KNOWN = Set.of("input_file_id", "endpoint", "completion_window", "metadata");
    private static final Duration WINDOW = Duration.ofHours(24);
    private static final int MAX_NAME = 256;
    private static final String ID = "/batches/{id}";
    /// What a batch will tell, null until then.
    private static final List<String> LATER = List.of(
            "errors",
            "output_file_id",
            "error_file_id",
            "in_progress_at",
            "finalizing_at",
            "completed_at",
            "failed_at",
            "expired_at",
            "cancelling_at",
            "cancelled_at");

    private final JsonBody bodies;
    private final BatchStore batches;
    private final FileStore files;
    private final BatchWorker worker;

    public BatchRoutes(JsonBody bodies, BatchStore batches, FileStore files, BatchWorker worker) {
        this.bodies = bodies;
        this.batches = batches;
        this.files = files;
        this.worker = worker;
    }

    @Override
    public void routing(HttpRules rules) {
        rules.post("/batches", this::create)
                .get("/batches", this::list)
                .get(ID, this::retrieve)
                .post(ID + "/cancel", this::cancel)
                .any("/batches", (request, response) -> Http.methodNotAllowed(request, response, "GET, POST"))
                .any(ID, (request, response) -> Http.methodNotAllowed(request, response, "GET"))
                .any(ID + "/cancel", (request, response) -> Http.methodNotAllowed(request, response, "POST"));
    }

    private void create(ServerRequest request, ServerResponse response) throws InterruptedException {
        RequestMeter meter = RequestMeter.of(request);
        if (meter.key().filter(key -> !key.allows(Scope.INFERENCE)).isPresent()) {
            throw ApiException.badRequest(
                    403, "missing_scope", "A batch computes: the API key needs the scope 'inference' as well.");
        }
        Fields fields = CommonFields.parse(bodies.read(request, response), KNOWN);
        String endpoint = fields.text("endpoint", MAX_NAME);
        if (!worker.endpoints().contains(endpoint)) {
            throw ApiException.badParameter("endpoint", "'endpoint' must be one of " + worker.endpoints() + ".");
        }
        String window = fields.text("completion_window", MAX_NAME);
        if (!window.equals("24h")) {
            throw ApiException.badParameter("completion_window", "'completion_window' must be 24h.");
        }
        String file = fields.text("input_file_id", MAX_NAME);
        if (files.find(meter.owner(), file)
                .filter(found -> found.purpose().equals("batch"))
                .isEmpty()) {
            throw ApiException.badParameter("input_file_id", "There is no file '" + file + "' of the purpose 'batch'.");
        }
        long now = Instant.now().getEpochSecond();
        ObjectNode batch = JsonNodeFactory.instance
                .objectNode()
                .put("id", ObjectId.next("batch_"))
                .put("object", "batch")
                .put("endpoint", endpoint)
                .put("input_file_id", file)
                .put("completion_window", window)
                .put("status", "validating")
                .put("created_at", now)
                .put("expires_at", now + WINDOW.toSeconds());
        LATER.forEach(batch::putNull);
        batch.putObject("request_counts").put("total", 0).put("completed", 0).put("failed", 0);
        batch.set("metadata", MetadataFields.parse(fields));
        batches.add(
                new LeasedWork(batch.path("id").stringValue(), meter.owner(), now, "validating", batch.toString(), 0));
        worker.wake();
        Http.send(response, 200, shown(batch));
    }

    /// OpenAI's clients take what is missing better than what is null.
    private static ObjectNode shown(ObjectNode batch) {
        ObjectNode shown = batch.deepCopy();
        LATER.stream().filter(name -> shown.path(name).isNull()).forEach(shown::remove);
        return shown;
    }

    private LeasedWork find(ServerRequest request) {
        String id = Http.id(request);
        return batches.find(RequestMeter.owner(request), id).orElseThrow(() -> ApiException.notFound("batch", id));
    }

    private static ObjectNode json(LeasedWork batch) {
        return shown((ObjectNode) JSON.readTree(batch.body()));
    }

    private void retrieve(ServerRequest request, ServerResponse response) {
        Http.send(response, 200, json(find(request)));
    }

    private void list(ServerRequest request, ServerResponse response) {
        ListPage page = ListPage.of(request);
        Http.send(
                response,
                200,
                page.list(batches.list(RequestMeter.owner(request), page.after(), page.limit() + 1).stream()
                        .map(BatchRoutes::json)
                        .toList()));
    }

    private void cancel(ServerRequest request, ServerResponse response) {
        for (LeasedWork batch = find(request); ; batch = find(request)) {
            boolean open = batch.status().equals("validating") || batch.status().equals("in_progress");
            if (!open && !batch.status().equals("cancelling")) {
                throw ApiException.badRequest(
                        409, "batch_over", "The batch is " + batch.status() + " and cannot be cancelled any more.");
            }
            ObjectNode body = (ObjectNode) JSON.readTree(batch.body());
            if (!open) {
                Http.send(response, 200, shown(body));
                return;
            }
            body.put("status", "cancelling").put("cancelling_at", Instant.now().getEpochSecond());
            if (batches.advance(batch.id(), batch.status(), "cancelling", body.toString())) {
                worker.wake();
                Http.send(response, 200, shown(body));
                return;
            }
        }
    }
}
