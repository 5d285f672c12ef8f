package ai.epitome.serve.response;

import ai.epitome.model.generation.FinishReason;
import ai.epitome.model.generation.ScoredToken;
import ai.epitome.serve.completion.ChatShapes;
import ai.epitome.serve.completion.ChatTurn;
import ai.epitome.serve.completion.ToolCalls;
import ai.epitome.serve.http.ApiException;
import ai.epitome.serve.http.ObjectId;
import ai.epitome.serve.metering.Usage;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// OpenAI's shapes of a response and its output items.
///
/// @param id the response's id
/// @param created seconds since 1970
/// @param echoed fields that repeat the request's
record ResponseShapes(String id, long created, String model, ObjectNode echoed) {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    /// The response's object, before it is over.
    ObjectNode response(String status) {
        ObjectNode response = JSON.objectNode()
                .put("id", id)
                .put("object", "response")
                .put("created_at", created)
                .put("status", status)
                .putNull("error")
                .putNull("incomplete_details")
                .put("model", model);
        response.setAll(echoed);
        response.putArray("output");
        return response.putNull("usage");
    }

    ObjectNode finished(List<ObjectNode> output, FinishReason finish, Usage usage) {
        boolean whole = status(finish).equals("completed");
        ObjectNode response = response(whole ? "completed" : "incomplete");
        if (!whole) {
            response.putObject("incomplete_details")
                    .put("reason", finish == FinishReason.FILTERED ? "content_filter" : "max_output_tokens");
        }
        response.putArray("output").addAll(output);
        ObjectNode used = response.putObject("usage").put("input_tokens", usage.promptTokens());
        used.putObject("input_tokens_details")
                .put("cached_tokens", usage.cachedTokens())
                .put("cache_write_tokens", 0);
        used.put("output_tokens", usage.completionTokens());
        used.putObject("output_tokens_details").put("reasoning_tokens", 0);
        used.put("total_tokens", usage.promptTokens() + usage.completionTokens());
        return response;
    }

    ObjectNode failed(ApiException error) {
        return failed(response("failed"), error.getMessage());
    }

    /// Makes a response one that failed.
    static ObjectNode failed(ObjectNode response, String message) {
        response.put("status", "failed")
                .putObject("error")
                .put("code", "server_error")
                .put("message", message);
        return response;
    }

    /// What was said as output items: a message, unless tools were called without a word, and the calls.
    static List<ObjectNode> output(ChatTurn.Said said, boolean logprobs) {
        List<ObjectNode> output = new ArrayList<>();
        if (said.calls().isEmpty() || !said.text().isEmpty()) {
            output.add(message(
                    ObjectId.next("msg_"),
                    status(said.finish()),
                    part(said.text(), logprobs ? logprobs(said.tokens()) : JSON.arrayNode())));
        }
        said.calls().forEach(call -> output.add(call(ObjectId.next("fc_"), newCallId(), call)));
        return output;
    }

    static String status(FinishReason finish) {
        return finish == FinishReason.LENGTH || finish == FinishReason.FILTERED ? "incomplete" : "completed";
    }

    static String newCallId() {
        return ObjectId.next("call_");
    }

    static ObjectNode message(String id, String status, ObjectNode... parts) {
        ObjectNode message = JSON.objectNode()
                .put("id", id)
                .put("type", "message")
                .put("role", "assistant")
                .put("status", status);
        message.putArray("content").addAll(List.of(parts));
        return message;
    }

    static ObjectNode part(String text, JsonNode logprobs) {
        ObjectNode part = JSON.objectNode().put("type", "output_text").put("text", text);
        part.putArray("annotations");
        part.set("logprobs", logprobs);
        return part;
    }

    static ArrayNode logprobs(List<ScoredToken> tokens) {
        return (ArrayNode) ChatShapes.logprobs(tokens).path("content");
    }

    static ObjectNode call(String id, String callId, ToolCalls.Call call) {
        return JSON.objectNode()
                .put("id", id)
                .put("type", "function_call")
                .put("call_id", callId)
                .put("name", call.name())
                .put("arguments", call.arguments())
                .put("status", "completed");
    }
}
