package ai.epitome.serve.body;

import ai.epitome.serve.http.ApiException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// Reads `metadata`: a few short strings that are kept with an object and say nothing to the server.
public final class MetadataFields {
    private static final int MAX_PAIRS = 16;
    private static final int MAX_KEY = 64;
    private static final int MAX_VALUE = 512;

    private MetadataFields() {}

    /// @throws ApiException with status 400
    public static ObjectNode parse(Fields fields) {
        JsonNode value = fields.get("metadata");
        ObjectNode metadata = JsonNodeFactory.instance.objectNode();
        if (value.isMissingNode()) {
            return metadata;
        }
        boolean fit = value.isObject() && value.size() <= MAX_PAIRS;
        if (fit) {
            for (var entry : value.properties()) {
                fit = fit
                        && entry.getKey().length() <= MAX_KEY
                        && entry.getValue().isString()
                        && entry.getValue().stringValue().length() <= MAX_VALUE;
                metadata.set(entry.getKey(), entry.getValue());
            }
        }
        if (!fit) {
            throw ApiException.badParameter(
                    "metadata",
                    "'metadata' must be an object of at most %d strings of at most %d characters, with names of at most %d."
                            .formatted(MAX_PAIRS, MAX_VALUE, MAX_KEY));
        }
        return metadata;
    }
}
