package ai.epitome.serve;

import com.networknt.schema.Error;
import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaLocation;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// OpenAI's published shapes, as JSON Schemas of our own (resources `openai/*.json`): strict about what must be there,
/// of what type, and that there is nothing else.
final class OpenAiShapes {
    private static final String BASE = "https://epitome.invalid/openai/";
    private static final SchemaRegistry REGISTRY = SchemaRegistry.withDefaultDialect(
            SpecificationVersion.DRAFT_2020_12, builder -> builder.schemas(OpenAiShapes::resource));
    /// Method and path (`*` for an id) to the shape of the answer.
    private static final Map<String, String> ANSWERS = new LinkedHashMap<>();

    static {
        ANSWERS.put("GET /v1/models", "model-list");
        ANSWERS.put("GET /v1/models/*", "model");
        ANSWERS.put("DELETE /v1/models/*", "model.deleted");
        ANSWERS.put("POST /v1/completions", "text_completion");
        ANSWERS.put("POST /v1/chat/completions", "chat.completion");
        ANSWERS.put("POST /v1/responses", "response");
        ANSWERS.put("GET /v1/responses/*", "response");
        ANSWERS.put("DELETE /v1/responses/*", "response.deleted");
        ANSWERS.put("POST /v1/responses/*/cancel", "response");
        ANSWERS.put("GET /v1/responses/*/input_items", "item-list");
        ANSWERS.put("POST /v1/conversations", "conversation");
        ANSWERS.put("GET /v1/conversations/*", "conversation");
        ANSWERS.put("POST /v1/conversations/*", "conversation");
        ANSWERS.put("DELETE /v1/conversations/*", "conversation.deleted");
        ANSWERS.put("GET /v1/conversations/*/items", "item-list");
        ANSWERS.put("POST /v1/conversations/*/items", "item-list");
        ANSWERS.put("GET /v1/conversations/*/items/*", "item");
        ANSWERS.put("DELETE /v1/conversations/*/items/*", "conversation");
        ANSWERS.put("POST /v1/embeddings", "embedding-list");
        ANSWERS.put("POST /v1/moderations", "moderation");
        ANSWERS.put("GET /v1/files", "file-list");
        ANSWERS.put("POST /v1/files", "file");
        ANSWERS.put("GET /v1/files/*", "file");
        ANSWERS.put("DELETE /v1/files/*", "file.deleted");
        ANSWERS.put("GET /v1/files/*/content", "");
        ANSWERS.put("GET /v1/batches", "batch-list");
        ANSWERS.put("POST /v1/batches", "batch");
        ANSWERS.put("GET /v1/batches/*", "batch");
        ANSWERS.put("POST /v1/batches/*/cancel", "batch");
        ANSWERS.put("GET /v1/fine_tuning/jobs", "fine_tuning.job-list");
        ANSWERS.put("POST /v1/fine_tuning/jobs", "fine_tuning.job");
        ANSWERS.put("GET /v1/fine_tuning/jobs/*", "fine_tuning.job");
        ANSWERS.put("GET /v1/fine_tuning/jobs/*/events", "fine_tuning.job.event-list");
        ANSWERS.put("GET /v1/fine_tuning/jobs/*/checkpoints", "fine_tuning.job.checkpoint-list");
        ANSWERS.put("POST /v1/fine_tuning/jobs/*/cancel", "fine_tuning.job");
        ANSWERS.put("POST /v1/fine_tuning/jobs/*/pause", "fine_tuning.job");
        ANSWERS.put("POST /v1/fine_tuning/jobs/*/resume", "fine_tuning.job");
        ANSWERS.put("POST /tokenize", "tokenize");
        ANSWERS.put("POST /detokenize", "detokenize");
    }

    private OpenAiShapes() {}

    private static String resource(String iri) {
        if (!iri.startsWith(BASE)) {
            return null; // not ours
        }
        try (InputStream in = OpenAiShapes.class.getResourceAsStream("openai/" + iri.substring(BASE.length()))) {
            return in == null ? null : new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// What is wrong with a JSON text; nothing when it has the shape.
    static List<String> faults(String shape, String json) {
        Schema schema = REGISTRY.getSchema(SchemaLocation.of(BASE + shape + ".json"));
        return schema.validate(json, InputFormat.JSON).stream()
                .map(Error::toString)
                .map(fault -> "not a " + shape + ": " + fault + " in " + json)
                .toList();
    }

    /// The routes that have a shape.
    static List<String> routes() {
        return List.copyOf(ANSWERS.keySet());
    }

    /// Which of them an exchange was on.
    static Optional<String> route(Exchange exchange) {
        String[] parts = exchange.path().split("/");
        return ANSWERS.keySet().stream()
                .filter(route -> matches(route.split(" "), exchange.method(), parts))
                .findFirst();
    }

    private static boolean matches(String[] route, String method, String[] parts) {
        String[] wanted = route[1].split("/");
        boolean fits = route[0].equals(method) && wanted.length == parts.length;
        for (int i = 0; fits && i < parts.length; i++) {
            fits = wanted[i].equals("*") || wanted[i].equals(parts[i]);
        }
        return fits;
    }

    /// What is wrong with an answer: each of its events, or its body.
    static List<String> faults(Exchange exchange) {
        String body = new String(exchange.body(), StandardCharsets.UTF_8);
        if (exchange.status() >= 400) {
            return faults("error", body);
        }
        Optional<String> shape = route(exchange).map(ANSWERS::get);
        if (shape.isEmpty()) {
            return List.of("no shape is known for " + exchange.method() + " " + exchange.path());
        }
        if (exchange.streamed()) {
            return events(exchange, body, shape.get());
        }
        if (!exchange.whole()) {
            return List.of();
        }
        return shape.get().isEmpty() ? lines(body) : faults(shape.get(), body);
    }

    /// Of a file, which may be what a batch has put out.
    private static List<String> lines(String file) {
        return file.lines()
                .filter(line -> line.startsWith("{\"id\":\"batch_req_"))
                .flatMap(line -> faults("batch.line", line).stream())
                .toList();
    }

    private static List<String> events(Exchange exchange, String body, String shape) {
        List<String> faults = new ArrayList<>();
        String[] events = body.split("\n\n", -1);
        for (int i = 0; i < events.length - 1; i++) { // behind the last empty line is nothing, or a part
            boolean last = exchange.whole() && i == events.length - 2;
            faults.addAll(shape.equals("response") ? named(events[i]) : unnamed(events[i], shape, last));
        }
        if (exchange.whole() && !events[events.length - 1].isEmpty()) {
            faults.add("an event that does not end: " + events[events.length - 1]);
        }
        return faults;
    }

    private static List<String> unnamed(String event, String shape, boolean last) {
        if (!event.startsWith("data: ") || event.indexOf('\n') >= 0) {
            return List.of("not one line of data: " + event);
        }
        String data = event.substring("data: ".length());
        if (last || data.equals("[DONE]")) {
            return last && data.equals("[DONE]") ? List.of() : List.of("[DONE] is not the last event: " + event);
        }
        return data.startsWith("{\"error\"")
                ? faults("error", data)
                : faults(shape.equals("chat.completion") ? shape + ".chunk" : "text_completion.chunk", data);
    }

    private static List<String> named(String event) {
        String[] lines = event.split("\n");
        if (lines.length != 2 || !lines[0].startsWith("event: ") || !lines[1].startsWith("data: ")) {
            return List.of("not a name and a line of data: " + event);
        }
        String data = lines[1].substring("data: ".length());
        return data.startsWith("{\"type\":\"" + lines[0].substring("event: ".length()) + "\"")
                ? faults("response.event", data)
                : List.of("an event of another name: " + event);
    }
}
