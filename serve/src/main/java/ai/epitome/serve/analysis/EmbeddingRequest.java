package ai.epitome.serve.analysis;

import ai.epitome.serve.body.CommonFields;
import ai.epitome.serve.body.Fields;
import ai.epitome.serve.completion.CompletionRequest;
import ai.epitome.serve.http.ApiException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/// A checked request for embeddings.
///
/// @param dimensions numbers that each vector is to have; empty for all
/// @param base64 whether vectors are written as the Base64 of their little-endian floats
public record EmbeddingRequest(
        String model, List<CompletionRequest.Prompt> inputs, OptionalInt dimensions, boolean base64) {
    private static final Set<String> KNOWN =
            Set.of("model", "input", "encoding_format", "dimensions", "user", "safety_identifier");
    private static final int MAX_INPUTS = 2048;
    private static final int MAX_DIMENSIONS = 1 << 20;

    /// @throws ApiException with status 400
    public static EmbeddingRequest parse(byte[] body) {
        Fields fields = CommonFields.parse(body, KNOWN);
        CommonFields.checkUser(fields);
        String format = fields.has("encoding_format") ? fields.text("encoding_format", 16) : "float";
        if (!format.equals("float") && !format.equals("base64")) {
            throw ApiException.badParameter("encoding_format", "'encoding_format' must be float or base64.");
        }
        return new EmbeddingRequest(
                CommonFields.model(fields),
                inputs(fields.get("input")),
                fields.optionalInteger("dimensions", 1, MAX_DIMENSIONS),
                format.equals("base64"));
    }

    private static List<CompletionRequest.Prompt> inputs(JsonNode input) {
        if (input.isString() || (input.isArray() && input.path(0).isNumber())) {
            return List.of(one(input));
        }
        if (!input.isArray() || input.isEmpty() || input.size() > MAX_INPUTS) {
            throw wrong();
        }
        List<CompletionRequest.Prompt> inputs = new ArrayList<>();
        input.values().forEach(each -> inputs.add(one(each)));
        return inputs;
    }

    private static CompletionRequest.Prompt one(JsonNode input) {
        if (input.isString() && !input.stringValue().isEmpty()) {
            return new CompletionRequest.Prompt.Text(input.stringValue());
        }
        if (!input.isArray() || input.isEmpty()) {
            throw wrong();
        }
        int[] ids = new int[input.size()];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = Fields.integer(input.get(i), "input", 0, Integer.MAX_VALUE);
        }
        return new CompletionRequest.Prompt.Tokens(ids);
    }

    private static ApiException wrong() {
        return ApiException.badParameter(
                "input",
                "'input' must be a text, an array of token ids, or an array of 1 to " + MAX_INPUTS
                        + " of them, none of them empty.");
    }
}
