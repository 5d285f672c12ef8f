package ai.epitome.serve.analysis;

import ai.epitome.model.generation.CompletionModel;
import ai.epitome.serve.completion.CompletionRequest;
import ai.epitome.serve.generation.Answer;
import ai.epitome.serve.generation.CancelledException;
import ai.epitome.serve.http.ApiException;
import ai.epitome.serve.metering.RequestMeter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// Vectors of texts, of length 1: the first numbers of the mean of the last hidden states.
final class Embeddings implements Answer {
    /// As OpenAI bounds one text, and all of them.
    private static final int MAX_TOKENS = 8192;
    private static final int MAX_ALL_TOKENS = 300_000;

    private final EmbeddingRequest request;
    private final CompletionModel model;
    private final RequestMeter meter;
    private final BooleanSupplier cancelled;
    private final List<int[]> inputs;

    /// Checks the texts against the model and the key's limits, before anything of a response is sent.
    ///
    /// @throws ApiException with status 400
    /// @throws ai.epitome.serve.account.LimitException when the key may not use so much
    Embeddings(EmbeddingRequest request, CompletionModel model, RequestMeter meter, BooleanSupplier cancelled) {
        this.request = request;
        this.model = model;
        this.meter = meter;
        this.cancelled = cancelled;
        this.inputs = request.inputs().stream().map(this::tokens).toList();
        long all = inputs.stream().mapToLong(ids -> ids.length).sum();
        if (all > MAX_ALL_TOKENS) {
            throw ApiException.badParameter(
                    "input", "The texts have " + all + " tokens; at most " + MAX_ALL_TOKENS + " are taken.");
        }
        meter.begin(model.id(), all, 0);
    }

    private int[] tokens(CompletionRequest.Prompt input) {
        int[] ids = switch (input) {
            case CompletionRequest.Prompt.Text(String text) -> model.encode(text);
            case CompletionRequest.Prompt.Tokens(int[] given) -> given;
        };
        int most = Math.min(MAX_TOKENS, model.contextLength());
        if (ids.length > most) {
            throw ApiException.badParameter(
                    "input", "A text has " + ids.length + " tokens; this model takes at most " + most + ".");
        }
        if (Arrays.stream(ids).anyMatch(id -> id >= model.vocabularySize())) {
            throw ApiException.badParameter(
                    "input",
                    "'input' has token ids beyond the vocabulary's end, " + (model.vocabularySize() - 1) + ".");
        }
        return ids;
    }

    @Override
    public ObjectNode answer() {
        ObjectNode root = JsonNodeFactory.instance.objectNode().put("object", "list");
        ArrayNode data = root.putArray("data");
        for (int[] ids : inputs) {
            if (cancelled.getAsBoolean()) {
                throw new CancelledException();
            }
            float[] vector = unit(model.embed(ids));
            ObjectNode one = data.addObject().put("object", "embedding").put("index", data.size() - 1);
            if (request.base64()) {
                one.put("embedding", base64(vector));
            } else {
                ArrayNode numbers = one.putArray("embedding");
                for (float number : vector) {
                    numbers.add(number);
                }
            }
        }
        meter.settle(200);
        long tokens = meter.usage().promptTokens();
        root.put("model", model.id())
                .putObject("usage")
                .put("prompt_tokens", tokens)
                .put("total_tokens", tokens);
        return root;
    }

    private float[] unit(float[] vector) {
        int dimensions = request.dimensions().orElse(vector.length);
        if (dimensions > vector.length) {
            throw ApiException.badParameter(
                    "dimensions",
                    "'dimensions' must be at most " + vector.length + ", which this model's vectors have.");
        }
        double square = 0;
        for (int i = 0; i < dimensions; i++) {
            square += (double) vector[i] * vector[i];
        }
        float[] unit = new float[dimensions];
        for (int i = 0; i < dimensions && square > 0; i++) {
            unit[i] = (float) (vector[i] / Math.sqrt(square));
        }
        return unit;
    }

    private static String base64(float[] vector) {
        ByteBuffer bytes = ByteBuffer.allocate(vector.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(vector);
        return Base64.getEncoder().encodeToString(bytes.array());
    }

    @Override
    public void stream(Consumer<ObjectNode> chunk) {
        throw new IllegalStateException("embeddings are not streamed");
    }
}
