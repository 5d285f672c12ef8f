package ai.epitome.serve.completion;

import ai.epitome.serve.body.CommonFields;
import ai.epitome.serve.body.Fields;
import ai.epitome.serve.http.ApiException;
import ai.epitome.text.chat.Conversation;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;

/// Reads the body of `POST /v1/chat/completions` ([OpenAI's
/// reference](https://platform.openai.com/docs/api-reference/chat)).
///
/// Whatever the bytes, the outcome is a request within all bounds or an [ApiException] with status 400. Fields that
/// would have no effect here are refused rather than ignored. `chat_template_kwargs`, further variables of the model's
/// template, is vLLM's.
public final class ChatRequestParser {
    private static final int MAX_CHOICES = 16;
    private static final int MAX_LOGPROBS = 20;
    private static final int MAX_SETTINGS = 32;

    private static final Set<String> KNOWN = Stream.of(
                    List.of(
                            "model",
                            "messages",
                            "max_tokens",
                            "max_completion_tokens",
                            "n",
                            "stream",
                            "stream_options",
                            "logprobs",
                            "top_logprobs",
                            "stop",
                            "seed",
                            "user",
                            "safety_identifier",
                            "store",
                            "tools",
                            "tool_choice",
                            "parallel_tool_calls",
                            "chat_template_kwargs"),
                    SamplingFields.NAMES,
                    ConstraintFields.NAMES)
            .flatMap(List::stream)
            .collect(Collectors.toUnmodifiableSet());

    private final int maxTokensLimit;
    private final ConstraintFields constraints;

    /// @param maxTokensLimit most tokens that a request may ask for
    public ChatRequestParser(int maxTokensLimit, ConstraintFields constraints) {
        this.maxTokensLimit = maxTokensLimit;
        this.constraints = constraints;
    }

    public ChatRequest parse(byte[] body) {
        Fields fields = CommonFields.parse(body, KNOWN);
        CommonFields.checkUser(fields);
        if (fields.flag("store")) {
            throw ApiException.badParameter("store", "'store' is not supported here: leave it out.");
        }
        boolean stream = fields.flag("stream");
        boolean parallel = !fields.has("parallel_tool_calls") || fields.flag("parallel_tool_calls");
        ToolFields tools = ToolFields.parse(fields);
        return new ChatRequest(
                CommonFields.model(fields),
                new Conversation(MessageFields.messages(fields), tools.offered(), settings(fields)),
                maxTokens(fields),
                SamplingFields.parse(fields),
                fields.integer("n", 1, MAX_CHOICES, 1),
                stream,
                CommonFields.includeUsage(fields, stream),
                logprobs(fields),
                CommonFields.stops(fields),
                fields.optionalLong("seed"),
                parallel,
                constraints.parse(fields, tools, parallel));
    }

    private OptionalInt maxTokens(Fields fields) {
        OptionalInt older = fields.optionalInteger("max_tokens", 1, maxTokensLimit);
        OptionalInt newer = fields.optionalInteger("max_completion_tokens", 1, maxTokensLimit);
        if (older.isPresent() && newer.isPresent() && !older.equals(newer)) {
            throw ApiException.badParameter(
                    "max_tokens", "'max_tokens' and 'max_completion_tokens' say different numbers: give one.");
        }
        return newer.isPresent() ? newer : older;
    }

    private static OptionalInt logprobs(Fields fields) {
        boolean wanted = fields.flag("logprobs");
        OptionalInt top = fields.optionalInteger("top_logprobs", 0, MAX_LOGPROBS);
        if (top.isPresent() && top.getAsInt() > 0 && !wanted) {
            throw ApiException.badParameter("top_logprobs", "'top_logprobs' needs 'logprobs' to be true.");
        }
        return wanted ? OptionalInt.of(top.orElse(0)) : OptionalInt.empty();
    }

    /// Further variables of the model's template.
    static Map<String, JsonNode> settings(Fields fields) {
        String name = "chat_template_kwargs";
        if (!fields.has(name)) {
            return Map.of();
        }
        JsonNode value = fields.get(name);
        if (!value.isObject() || value.size() > MAX_SETTINGS) {
            throw ApiException.badParameter(
                    name, "'" + name + "' must be an object of at most " + MAX_SETTINGS + " variables.");
        }
        Map<String, JsonNode> settings = new HashMap<>();
        value.properties().forEach(entry -> settings.put(entry.getKey(), entry.getValue()));
        return settings;
    }
}
