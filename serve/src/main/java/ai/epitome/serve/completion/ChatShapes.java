package ai.epitome.serve.completion;

import ai.epitome.model.generation.ScoredToken;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// OpenAI's shapes of a chat completion: the whole object, a chunk of a stream, log-probabilities.
///
/// @param id the completion's id, the same in every chunk
/// @param created seconds since 1970
/// @param model id of the model
public record ChatShapes(String id, long created, String model) {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    ObjectNode completion(List<ObjectNode> choices) {
        return object("chat.completion", choices);
    }

    ObjectNode chunk(List<ObjectNode> choices) {
        return object("chat.completion.chunk", choices);
    }

    private ObjectNode object(String kind, List<ObjectNode> choices) {
        ObjectNode root = JSON.objectNode()
                .put("id", id)
                .put("object", kind)
                .put("created", created)
                .put("model", model)
                .put("system_fingerprint", "fp_epitome");
        root.putArray("choices").addAll(choices);
        return root;
    }

    /// @param content null where tools are called and nothing is said
    /// @param logprobs null for none
    static ObjectNode choice(int index, String content, ArrayNode calls, JsonNode logprobs, String finish) {
        ObjectNode choice = JSON.objectNode().put("index", index);
        ObjectNode message = choice.putObject("message")
                .put("role", "assistant")
                .put("content", content)
                .putNull("refusal");
        if (!calls.isEmpty()) {
            message.set("tool_calls", calls);
        }
        choice.set("logprobs", logprobs == null ? JSON.nullNode() : logprobs);
        return choice.put("finish_reason", finish);
    }

    /// A choice of a chunk.
    ///
    /// @param finish null while the choice goes on
    static ObjectNode delta(int index, ObjectNode delta, JsonNode logprobs, String finish) {
        ObjectNode choice = JSON.objectNode().put("index", index);
        choice.set("delta", delta);
        choice.set("logprobs", logprobs == null ? JSON.nullNode() : logprobs);
        return choice.put("finish_reason", finish);
    }

    /// The first delta of a choice.
    static ObjectNode role() {
        return JSON.objectNode().put("role", "assistant").put("content", "").putNull("refusal");
    }

    static ObjectNode content(String text) {
        return JSON.objectNode().put("content", text);
    }

    /// @param numbered whether each has its index, as in chunks
    static ArrayNode calls(List<ToolCalls.Call> calls, boolean numbered) {
        ArrayNode array = JSON.arrayNode();
        for (ToolCalls.Call call : calls) {
            ObjectNode one = array.addObject();
            if (numbered) {
                one.put("index", array.size() - 1);
            }
            one.put("id", newCallId())
                    .put("type", "function")
                    .putObject("function")
                    .put("name", call.name())
                    .put("arguments", call.arguments());
        }
        return array;
    }

    /// Nine letters and digits, as Mistral's templates want them.
    private static String newCallId() {
        byte[] random = new byte[5];
        ThreadLocalRandom.current().nextBytes(random);
        return HexFormat.of().formatHex(random).substring(1);
    }

    /// Log-probabilities of tokens, and of those that could have stood in their places.
    public static ObjectNode logprobs(List<ScoredToken> tokens) {
        ObjectNode root = JSON.objectNode();
        ArrayNode content = root.putArray("content");
        for (ScoredToken token : tokens) {
            ObjectNode one = content.addObject();
            fill(one, token.bytes(), token.logProbability());
            ArrayNode top = one.putArray("top_logprobs");
            token.top().forEach(other -> fill(top.addObject(), other.bytes(), other.logProbability()));
        }
        return root.putNull("refusal");
    }

    private static void fill(ObjectNode json, byte[] token, float logProbability) {
        json.put("token", CompletionShapes.tokenText(token)).put("logprob", logProbability);
        ArrayNode bytes = json.putArray("bytes");
        for (byte b : token) {
            bytes.add(b & 0xFF);
        }
    }
}
