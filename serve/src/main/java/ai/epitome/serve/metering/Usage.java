package ai.epitome.serve.metering;

import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// Tokens taken in and given out.
///
/// @param cachedTokens those of the prompts that were known already
public record Usage(long promptTokens, long cachedTokens, long completionTokens) {
    public ObjectNode json() {
        ObjectNode root = JsonNodeFactory.instance
                .objectNode()
                .put("prompt_tokens", promptTokens)
                .put("completion_tokens", completionTokens)
                .put("total_tokens", promptTokens + completionTokens);
        root.putObject("prompt_tokens_details").put("cached_tokens", cachedTokens);
        return root;
    }
}
