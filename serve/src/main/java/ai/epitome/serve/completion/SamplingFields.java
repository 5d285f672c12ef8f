package ai.epitome.serve.completion;

import ai.epitome.model.generation.Penalties;
import ai.epitome.model.generation.Sampling;
import ai.epitome.serve.body.Fields;
import ai.epitome.serve.http.ApiException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/// The fields that say how to sample, the same for all kinds of completions: OpenAI's, and `top_k`, `min_p`,
/// `typical_p` and `repetition_penalty` as other servers name them. [Sampling] tells their order.
public final class SamplingFields {
    public static final List<String> NAMES = List.of(
            "temperature",
            "top_p",
            "top_k",
            "min_p",
            "typical_p",
            "presence_penalty",
            "frequency_penalty",
            "repetition_penalty",
            "logit_bias");

    private static final int MAX_BIASES = 1024;
    /// Samplers want a nucleus above nothing; 0 means the likeliest token alone, and so does this.
    private static final double SMALLEST_TOP_P = 1e-9;
    private static final double SMALLEST_REPETITION = 1e-3;

    private SamplingFields() {}

    /// Everything but the seed.
    ///
    /// @throws ApiException with status 400
    public static Sampling parse(Fields fields) {
        return new Sampling(
                fields.number("temperature", 0, 2, 1),
                Math.max(fields.integer("top_k", -1, Integer.MAX_VALUE, 0), 0), // -1 says "all" elsewhere
                Math.max(fields.number("top_p", 0, 1, 1), SMALLEST_TOP_P),
                fields.number("min_p", 0, 1, 0),
                Math.max(fields.number("typical_p", 0, 1, 1), SMALLEST_TOP_P),
                new Penalties(
                        fields.number("repetition_penalty", SMALLEST_REPETITION, 10, 1),
                        fields.number("frequency_penalty", -2, 2, 0),
                        fields.number("presence_penalty", -2, 2, 0)),
                biases(fields.get("logit_bias")),
                0);
    }

    private static Map<Integer, Double> biases(JsonNode value) {
        String name = "logit_bias";
        if (value.isMissingNode()) {
            return Map.of();
        }
        if (!value.isObject() || value.size() > MAX_BIASES) {
            throw ApiException.badParameter(
                    name, "'logit_bias' must be an object of token ids and numbers, with at most " + MAX_BIASES + ".");
        }
        Map<Integer, Double> biases = new HashMap<>();
        value.forEachEntry((token, bias) -> biases.put(id(token), Fields.number(bias, name, -100, 100)));
        return biases;
    }

    private static int id(String token) {
        if (!token.matches("0|[1-9][0-9]{0,8}")) {
            String shown = token.length() <= 32 ? token : token.substring(0, 32) + "…";
            throw ApiException.badParameter(
                    "logit_bias",
                    "'logit_bias' must have token ids as names, such as \"50256\", not \"" + shown + "\".");
        }
        return Integer.parseInt(token);
    }
}
