package ai.epitome.serve.analysis;

import ai.epitome.serve.body.CommonFields;
import ai.epitome.serve.body.Fields;
import ai.epitome.serve.generation.Answer;
import ai.epitome.serve.http.ApiException;
import ai.epitome.serve.http.ObjectId;
import ai.epitome.serve.moderation.Category;
import ai.epitome.serve.moderation.Moderator;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// What a [Moderator] says of texts, in OpenAI's shape.
public record Moderations(List<String> inputs, Moderator moderator) implements Answer {
    private static final Set<String> KNOWN = Set.of("model", "input");
    private static final int MAX_INPUTS = 256;
    /// Names of OpenAI's models are taken for the one that there is.
    private static final int MAX_NAME_CHARACTERS = 256;

    /// @throws ApiException with status 400
    public static Moderations parse(byte[] body, Moderator moderator) {
        Fields fields = CommonFields.parse(body, KNOWN);
        if (fields.has("model")) {
            fields.text("model", MAX_NAME_CHARACTERS);
        }
        return new Moderations(inputs(fields.get("input")), moderator);
    }

    private static List<String> inputs(JsonNode input) {
        if (input.isString()) {
            return List.of(input.stringValue());
        }
        List<String> texts = new ArrayList<>();
        boolean parts = input.path(0).isObject();
        for (JsonNode each : input.values()) {
            JsonNode text = parts && each.path("type").asString("").equals("text") ? each.path("text") : each;
            if (text.isString()) {
                texts.add(text.stringValue());
            }
        }
        if (!input.isArray() || texts.isEmpty() || texts.size() < input.size() || texts.size() > MAX_INPUTS) {
            throw ApiException.badParameter(
                    "input",
                    "'input' must be a text, or an array of 1 to " + MAX_INPUTS
                            + " texts, or of parts {\"type\": \"text\", \"text\": \"...\"}.");
        }
        return parts ? List.of(String.join("\n", texts)) : texts;
    }

    @Override
    public ObjectNode answer() {
        ObjectNode root = JsonNodeFactory.instance
                .objectNode()
                .put("id", ObjectId.next("modr-"))
                .put("model", moderator.name());
        var results = root.putArray("results");
        inputs.forEach(text -> results.add(result(moderator.scores(text))));
        return root;
    }

    private ObjectNode result(Map<Category, Double> scores) {
        ObjectNode result = JsonNodeFactory.instance.objectNode();
        result.put(
                "flagged",
                scores.entrySet().stream().anyMatch(each -> moderator.flags(each.getKey(), each.getValue())));
        ObjectNode flags = result.putObject("categories");
        ObjectNode values = result.putObject("category_scores");
        ObjectNode types = result.putObject("category_applied_input_types");
        for (Category category : Category.values()) {
            double score = scores.getOrDefault(category, 0.0);
            flags.put(category.word(), moderator.flags(category, score));
            values.put(category.word(), score);
            types.putArray(category.word()).add("text");
        }
        return result;
    }

    @Override
    public void stream(Consumer<ObjectNode> chunk) {
        throw new IllegalStateException("moderations are not streamed");
    }
}
