package ai.epitome.serve.batch;

import ai.epitome.serve.body.JsonBody;
import ai.epitome.serve.body.ListPage;
import ai.epitome.serve.body.MultipartForm;
import ai.epitome.serve.http.ApiException;
import ai.epitome.serve.http.ClientConnection;
import ai.epitome.serve.http.Http;
import ai.epitome.serve.http.ObjectId;
import ai.epitome.serve.metering.RequestMeter;
import ai.epitome.serve.store.FileStore;
import ai.epitome.serve.store.StoredFile;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Semaphore;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// `/v1/files` ([OpenAI's reference](https://platform.openai.com/docs/api-reference/files)): upload, list, retrieve,
/// content, delete.
public final class FileRoutes implements HttpService {
    /// Of one file; it is in memory while it comes.
    public static final int MAX_BYTES = 16 << 20;
    /// Of all files of one owner.
    static final long MAX_ALL_BYTES = 1L << 30;

    private static final int UPLOADS = 4;
    private static final int FORM_BYTES = 64 << 10;
    private static final int MAX_NAME = 255;
    private static final Set<String> PURPOSES =
            Set.of("batch", "fine-tune", "assistants", "vision", "user_data", "evals");
    private static final String ID = "/files/{id}";
    private static final String CONTENT = ID + "/content";

    private final FileStore store;
    private final JsonBody bodies;
    private final Semaphore uploads = new Semaphore(UPLOADS);

    /// @param patience how long a body may take to arrive
    public FileRoutes(Duration patience, FileStore store) {
        this.store = store;
        this.bodies = new JsonBody(MAX_BYTES + FORM_BYTES, patience);
    }

    @Override
    public void routing(HttpRules rules) {
        rules.post("/files", this::upload)
                .get("/files", this::list)
                .get(ID, this::retrieve)
                .delete(ID, this::delete)
                .get(CONTENT, this::content)
                .any("/files", (request, response) -> Http.methodNotAllowed(request, response, "GET, POST"))
                .any(ID, (request, response) -> Http.methodNotAllowed(request, response, "GET, DELETE"))
                .any(CONTENT, (request, response) -> Http.methodNotAllowed(request, response, "GET"));
    }

    private void upload(ServerRequest request, ServerResponse response) throws InterruptedException {
        requireSameSite(request);
        if (!uploads.tryAcquire()) {
            throw ApiException.queueFull(UPLOADS);
        }
        try {
            String type = request.headers().first(HeaderNames.CONTENT_TYPE).orElse("");
            MultipartForm form = MultipartForm.parse(type, bodies.bytes(request, response));
            Http.send(response, 200, json(keep(form, RequestMeter.owner(request))));
        } finally {
            uploads.release();
        }
    }

    /// Unlike JSON, a form can be sent from a page of another site; browsers then tell its origin.
    private static void requireSameSite(ServerRequest request) {
        String host = request.headers().first(HeaderNames.HOST).orElse("");
        Optional<String> origin = request.headers().first(HeaderNames.ORIGIN);
        if (origin.isPresent() && !origin.get().replaceFirst("^https?://", "").equals(host)) {
            throw ApiException.badRequest(403, "foreign_origin", "Files cannot be uploaded from pages of other sites.");
        }
    }

    private StoredFile keep(MultipartForm form, String owner) {
        String purpose = form.text("purpose").orElse("");
        if (!PURPOSES.contains(purpose)) {
            throw ApiException.badParameter("purpose", "'purpose' must be one of " + PURPOSES + ".");
        }
        for (String name : form.parts().keySet()) {
            if (!name.equals("purpose") && !name.equals("file")) {
                throw ApiException.badParameter("form", "The form may have 'purpose' and 'file', and nothing else.");
            }
        }
        MultipartForm.Part file = Optional.ofNullable(form.parts().get("file"))
                .orElseThrow(() -> ApiException.badParameter("file", "'file' is missing."));
        String name = file.filename().orElse("");
        if (name.isBlank() || name.length() > MAX_NAME || name.codePoints().anyMatch(Character::isISOControl)) {
            throw ApiException.badParameter("file", "'file' needs a name of at most " + MAX_NAME + " characters.");
        }
        if (file.content().length == 0 || file.content().length > MAX_BYTES) {
            throw ApiException.badParameter("file", "'file' must have 1 to " + MAX_BYTES + " bytes.");
        }
        StoredFile kept = new StoredFile(
                ObjectId.next("file-"), owner, Instant.now().getEpochSecond(), name, purpose, file.content().length);
        if (!store.add(kept, file.content(), MAX_ALL_BYTES)) {
            throw ApiException.badRequest(
                    400, "storage_full", "Your files would have more than " + MAX_ALL_BYTES + " bytes: delete some.");
        }
        return kept;
    }

    static ObjectNode json(StoredFile file) {
        return JsonNodeFactory.instance
                .objectNode()
                .put("id", file.id())
                .put("object", "file")
                .put("bytes", file.bytes())
                .put("created_at", file.createdAt())
                .put("filename", file.filename())
                .put("purpose", file.purpose())
                .put("status", "processed");
    }

    private StoredFile find(ServerRequest request) {
        return store.find(RequestMeter.owner(request), Http.id(request))
                .orElseThrow(() -> ApiException.notFound("file", Http.id(request)));
    }

    private void list(ServerRequest request, ServerResponse response) {
        ListPage page = ListPage.of(request);
        Optional<String> purpose = ListPage.query(request, "purpose");
        Http.send(
                response,
                200,
                page.list(
                        store
                                .list(
                                        RequestMeter.owner(request),
                                        purpose,
                                        page.newestFirst(),
                                        page.after(),
                                        page.limit() + 1)
                                .stream()
                                .map(FileRoutes::json)
                                .toList()));
    }

    private void retrieve(ServerRequest request, ServerResponse response) {
        Http.send(response, 200, json(find(request)));
    }

    private void delete(ServerRequest request, ServerResponse response) {
        find(request);
        store.delete(RequestMeter.owner(request), Http.id(request));
        Http.sendDeleted(response, Http.id(request), "file");
    }

    private void content(ServerRequest request, ServerResponse response) {
        byte[] content = store.content(RequestMeter.owner(request), Http.id(request))
                .orElseThrow(() -> ApiException.notFound("file", Http.id(request)));
        response.header(HeaderNames.CONTENT_TYPE, "application/octet-stream");
        response.header(HeaderNames.CACHE_CONTROL, "no-store");
        try (var _ = ClientConnection.current().limit()) {
            response.send(content);
        }
    }
}
