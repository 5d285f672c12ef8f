package ai.epitome.serve.tuning;

import ai.epitome.serve.body.CommonFields;
import ai.epitome.serve.body.Fields;
import ai.epitome.serve.body.MetadataFields;
import ai.epitome.serve.http.ApiException;
import ai.epitome.serve.http.ObjectId;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// Reads what a fine-tuning job is to be, and writes the job's object.
public final class FineTuningFields {
    private static final Set<String> KNOWN = Set.of(
            "model",
            "training_file",
            "validation_file",
            "method",
            "hyperparameters",
            "suffix",
            "seed",
            "metadata",
            "integrations");
    private static final int MAX_ID = 256;
    private static final int MAX_RANK = 256;
    private static final int DEFAULT_RANK = 8;
    private static final Pattern SUFFIX = Pattern.compile("[A-Za-z0-9._-]{1,64}");

    /// A hyperparameter that may be `auto`.
    private record Number(String name, double from, double to, boolean whole) {}

    private static final List<Number> SUPERVISED = List.of(
            new Number("n_epochs", 1, 50, true),
            new Number("batch_size", 1, 256, true),
            new Number("learning_rate_multiplier", 1e-3, 100, false));
    private static final Number BETA = new Number("beta", 1e-3, 2, false);

    private FineTuningFields() {}

    /// What is asked for, as the object of a new job.
    ///
    /// @throws ApiException with status 400
    public static ObjectNode parse(byte[] body) {
        Fields fields = CommonFields.parse(body, KNOWN);
        String model = CommonFields.model(fields);
        String training = fields.text("training_file", MAX_ID);
        Optional<String> validation =
                fields.has("validation_file") ? Optional.of(fields.text("validation_file", MAX_ID)) : Optional.empty();
        if (!fields.get("integrations").isEmpty()) {
            throw ApiException.badParameter("integrations", "'integrations' are not supported: leave them out.");
        }
        ObjectNode job = JsonNodeFactory.instance
                .objectNode()
                .put("id", newId())
                .put("object", "fine_tuning.job")
                .put("model", model)
                .put("created_at", Instant.now().getEpochSecond())
                .putNull("finished_at")
                .putNull("fine_tuned_model")
                .put("organization_id", "epitome")
                .put("status", "queued")
                .put("training_file", training)
                .put("validation_file", validation.orElse(null))
                .put("seed", seed(fields))
                .putNull("trained_tokens")
                .putNull("error")
                .putNull("estimated_finish");
        job.putArray("result_files");
        job.putArray("integrations");
        suffix(fields).ifPresent(suffix -> job.put("suffix", suffix));
        job.set("metadata", MetadataFields.parse(fields));
        ObjectNode method = method(fields);
        job.set("method", method);
        job.set("hyperparameters", shown(method));
        return job;
    }

    /// Of jobs of one second, too, the first has the lowest: they are worked on in order.
    private static String newId() {
        String random = ObjectId.next("").substring(0, 12);
        return "ftjob-%012x%s".formatted(System.currentTimeMillis(), random);
    }

    private static int seed(Fields fields) {
        int any = ThreadLocalRandom.current().nextInt(Integer.MAX_VALUE);
        return fields.integer("seed", 0, Integer.MAX_VALUE, any);
    }

    private static Optional<String> suffix(Fields fields) {
        if (!fields.has("suffix")) {
            return Optional.empty();
        }
        String suffix = fields.text("suffix", 64);
        if (!SUFFIX.matcher(suffix).matches()) {
            throw ApiException.badParameter(
                    "suffix", "'suffix' must be 1 to 64 letters, digits, dots, hyphens or underscores.");
        }
        return Optional.of(suffix);
    }

    private static ObjectNode method(Fields fields) {
        ObjectNode method = JsonNodeFactory.instance.objectNode();
        if (!fields.has("method")) {
            method.put("type", "supervised");
            method.putObject("supervised")
                    .set("hyperparameters", hyperparameters(fields.get("hyperparameters"), SUPERVISED));
            return method;
        }
        if (fields.has("hyperparameters")) {
            throw ApiException.badParameter(
                    "hyperparameters", "'hyperparameters' belong into 'method' where it is given.");
        }
        JsonNode wanted = fields.get("method");
        String type = wanted.path("type").asString("");
        if (!type.equals("supervised") && !type.equals("dpo")) {
            throw ApiException.badParameter("method", "'method.type' must be supervised or dpo.");
        }
        for (String name : wanted.propertyNames()) {
            if (!name.equals("type") && !name.equals(type)) {
                throw ApiException.badParameter(
                        "method", "'method' may have 'type' and '" + type + "', and nothing else.");
            }
        }
        List<Number> numbers = type.equals("dpo")
                ? List.of(SUPERVISED.get(0), SUPERVISED.get(1), SUPERVISED.get(2), BETA)
                : SUPERVISED;
        method.put("type", type);
        method.putObject(type)
                .set("hyperparameters", hyperparameters(wanted.path(type).path("hyperparameters"), numbers));
        return method;
    }

    private static ObjectNode hyperparameters(JsonNode wanted, List<Number> numbers) {
        ObjectNode chosen = JsonNodeFactory.instance.objectNode();
        if (!wanted.isMissingNode() && !wanted.isNull() && !wanted.isObject()) {
            throw ApiException.badParameter("hyperparameters", "'hyperparameters' must be an object.");
        }
        for (String name : wanted.propertyNames()) {
            if (!name.equals("lora_rank")
                    && numbers.stream().noneMatch(number -> number.name().equals(name))) {
                throw ApiException.badParameter(
                        "hyperparameters",
                        "'hyperparameters' may have "
                                + numbers.stream().map(Number::name).toList() + " and lora_rank, and nothing else.");
            }
        }
        for (Number number : numbers) {
            JsonNode value = wanted.path(number.name);
            boolean auto = value.isMissingNode()
                    || value.isNull()
                    || value.asString("").equals("auto");
            if (auto) {
                chosen.put(number.name, "auto");
            } else if (number.whole) {
                chosen.put(number.name, Fields.integer(value, number.name, (int) number.from, (int) number.to));
            } else {
                chosen.put(number.name, Fields.number(value, number.name, number.from, number.to));
            }
        }
        JsonNode rank = wanted.path("lora_rank");
        return chosen.put(
                "lora_rank",
                rank.isMissingNode() || rank.isNull() ? DEFAULT_RANK : Fields.integer(rank, "lora_rank", 0, MAX_RANK));
    }

    /// Hyperparameters as every kind of job shows them.
    private static ObjectNode shown(ObjectNode method) {
        ObjectNode shown = JsonNodeFactory.instance.objectNode();
        JsonNode all = hyperparameters(method);
        SUPERVISED.forEach(number -> shown.set(number.name, all.path(number.name)));
        return shown;
    }

    /// Those of a job's method.
    static JsonNode hyperparameters(JsonNode method) {
        return method.path(method.path("type").stringValue()).path("hyperparameters");
    }
}
