package ai.epitome.serve.response;

import ai.epitome.model.constraint.Constraint;
import ai.epitome.model.generation.Sampling;
import ai.epitome.serve.body.CommonFields;
import ai.epitome.serve.body.Fields;
import ai.epitome.serve.body.MetadataFields;
import ai.epitome.serve.completion.ChatRequest;
import ai.epitome.serve.completion.ConstraintFields;
import ai.epitome.serve.completion.SamplingFields;
import ai.epitome.serve.completion.ToolFields;
import ai.epitome.serve.http.ApiException;
import ai.epitome.text.chat.Conversation;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// Reads the body of `POST /v1/responses` ([OpenAI's
/// reference](https://platform.openai.com/docs/api-reference/responses)).
///
/// Whatever the bytes, the outcome is a request within all bounds or an [ApiException] with status 400. Fields
/// that would have no effect here are refused rather than ignored.
public final class ResponseRequestParser {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final int MAX_LOGPROBS = 20;
    private static final int MAX_NAME_CHARACTERS = 256;
    private static final String LOGPROBS = "message.output_text.logprobs";

    private static final Set<String> KNOWN = Stream.of(
                    List.of(
                            "model",
                            "input",
                            "instructions",
                            "previous_response_id",
                            "conversation",
                            "store",
                            "stream",
                            "stream_options",
                            "background",
                            "max_output_tokens",
                            "top_logprobs",
                            "include",
                            "text",
                            "tools",
                            "tool_choice",
                            "parallel_tool_calls",
                            "truncation",
                            "metadata",
                            "service_tier",
                            "prompt_cache_key",
                            "user",
                            "safety_identifier",
                            "seed"),
                    SamplingFields.NAMES)
            .flatMap(List::stream)
            .collect(Collectors.toUnmodifiableSet());

    private final int maxTokensLimit;
    private final ConstraintFields constraints;

    /// @param maxTokensLimit most tokens that a request may ask for
    public ResponseRequestParser(int maxTokensLimit, ConstraintFields constraints) {
        this.maxTokensLimit = maxTokensLimit;
        this.constraints = constraints;
    }

    public ResponseRequest parse(byte[] body) {
        Fields fields = CommonFields.parse(body, KNOWN);
        CommonFields.checkUser(fields);
        boolean stream = fields.flag("stream");
        CommonFields.includeUsage(fields, stream);
        boolean store = !fields.has("store") || fields.flag("store");
        boolean background = fields.flag("background");
        if (background && (stream || !store)) {
            throw ApiException.badParameter(
                    "background", "'background' needs 'store' to be true, and 'stream' to be false.");
        }
        Optional<String> previous = name(fields, "previous_response_id");
        Optional<String> conversation = conversation(fields);
        if (previous.isPresent() && conversation.isPresent()) {
            throw ApiException.badParameter(
                    "conversation", "'conversation' and 'previous_response_id' cannot both be gone on from.");
        }
        ObjectNode echoed = JSON.objectNode();
        ChatRequest chat = chat(fields, stream, echoed);
        echo(fields, previous, conversation, store, background, echoed);
        return new ResponseRequest(
                chat,
                ItemFields.parse(fields.get("input"), "input"),
                fields.has("instructions")
                        ? Optional.of(fields.text("instructions", Integer.MAX_VALUE))
                        : Optional.empty(),
                previous,
                conversation,
                store,
                background,
                word(fields, "truncation", "disabled", "auto").equals("auto"),
                echoed);
    }

    private ChatRequest chat(Fields fields, boolean stream, ObjectNode echoed) {
        Sampling sampling = SamplingFields.parse(fields);
        OptionalInt maxTokens = fields.optionalInteger("max_output_tokens", 1, maxTokensLimit);
        boolean parallel = !fields.has("parallel_tool_calls") || fields.flag("parallel_tool_calls");
        ArrayNode offered = nested(fields.get("tools"));
        ToolFields tools = ToolFields.of(ToolFields.checked(offered), nestedChoice(fields.get("tool_choice")));
        OptionalInt logprobs = logprobs(fields);
        echoed.put("temperature", sampling.temperature()).put("top_p", sampling.topP());
        echoed.put("parallel_tool_calls", parallel);
        echoed.set("tools", flat(offered));
        echoed.set("tool_choice", fields.has("tool_choice") ? fields.get("tool_choice") : JSON.stringNode("auto"));
        echoed.put("top_logprobs", logprobs.orElse(0));
        if (maxTokens.isPresent()) {
            echoed.put("max_output_tokens", maxTokens.getAsInt());
        }
        return new ChatRequest(
                CommonFields.model(fields),
                new Conversation(List.of(), tools.offered(), Map.of()),
                maxTokens,
                sampling,
                1,
                stream,
                false,
                logprobs,
                List.of(),
                fields.optionalLong("seed"),
                parallel,
                constraint(fields, tools, parallel, echoed));
    }

    private static OptionalInt logprobs(Fields fields) {
        OptionalInt top = fields.optionalInteger("top_logprobs", 0, MAX_LOGPROBS);
        JsonNode include = fields.get("include");
        boolean wanted = false;
        for (JsonNode value : include.values()) {
            wanted = value.asString("").equals(LOGPROBS);
            if (!wanted) {
                throw ApiException.badParameter("include", "'include' knows '" + LOGPROBS + "' only.");
            }
        }
        if (!include.isMissingNode() && !include.isArray()) {
            throw ApiException.badParameter("include", "'include' must be an array.");
        }
        return wanted || top.orElse(0) > 0 ? OptionalInt.of(top.orElse(0)) : OptionalInt.empty();
    }

    private Optional<Constraint> constraint(Fields fields, ToolFields tools, boolean parallel, ObjectNode echoed) {
        JsonNode text = fields.get("text");
        if (!text.isMissingNode() && !text.isObject()) {
            throw ApiException.badParameter("text", "'text' must be an object.");
        }
        word(new Fields(text), "verbosity", "medium");
        JsonNode format = new Fields(text).get("format");
        ObjectNode shown = JSON.objectNode();
        shown.set("format", format.isMissingNode() ? JSON.objectNode().put("type", "text") : format);
        echoed.set("text", shown);
        ObjectNode responseFormat = JSON.objectNode();
        if (!format.isMissingNode()) {
            // The schema lies one level deeper in chat completions.
            ObjectNode nested = JSON.objectNode();
            nested.set("type", format.path("type"));
            nested.putObject("json_schema").set("schema", format.path("schema"));
            responseFormat.set("response_format", nested);
        }
        return constraints.parse(new Fields(responseFormat), tools, parallel);
    }

    private static ArrayNode nested(JsonNode tools) {
        ArrayNode nested = JSON.arrayNode();
        if (!tools.isMissingNode() && !tools.isArray()) {
            throw ApiException.badParameter("tools", "'tools' must be an array.");
        }
        for (JsonNode tool : tools.values()) {
            if (!tool.isObject() || !tool.path("type").asString("").equals("function")) {
                throw ApiException.badParameter(
                        "tools",
                        "'tools' must be {\"type\": \"function\", \"name\": \"...\", ...}: no others work here.");
            }
            ObjectNode function = ((ObjectNode) tool).deepCopy();
            function.remove("type");
            nested.addObject().put("type", "function").set("function", function);
        }
        return nested;
    }

    /// As the request had them; what a function may have is there, at least as null.
    private static ArrayNode flat(ArrayNode nested) {
        ArrayNode flat = JSON.arrayNode();
        for (JsonNode tool : nested.values()) {
            ObjectNode function =
                    ((ObjectNode) tool.path("function")).deepCopy().put("type", "function");
            for (String field : List.of("parameters", "strict")) {
                if (!function.has(field)) {
                    function.putNull(field);
                }
            }
            flat.add(function);
        }
        return flat;
    }

    private static JsonNode nestedChoice(JsonNode choice) {
        if (!choice.isObject()) {
            return choice;
        }
        ObjectNode nested = JSON.objectNode().put("type", choice.path("type").asString(""));
        nested.putObject("function").set("name", choice.path("name"));
        ObjectNode allowed = nested.putObject("allowed_tools");
        allowed.set("mode", choice.path("mode"));
        ArrayNode tools = allowed.putArray("tools");
        choice.path("tools")
                .values()
                .forEach(tool -> tools.addObject().putObject("function").set("name", tool.path("name")));
        return nested;
    }

    private static Optional<String> conversation(Fields fields) {
        JsonNode value = fields.get("conversation");
        return value.isObject() ? name(new Fields(value), "id") : name(fields, "conversation");
    }

    private static Optional<String> name(Fields fields, String field) {
        return fields.has(field) ? Optional.of(fields.text(field, MAX_NAME_CHARACTERS)) : Optional.empty();
    }

    /// @param words that the field may have; the first is the usual one
    private static String word(Fields fields, String field, String... words) {
        String word = fields.has(field) ? fields.text(field, MAX_NAME_CHARACTERS) : words[0];
        if (!List.of(words).contains(word)) {
            throw ApiException.badParameter(field, "'" + field + "' must be one of " + List.of(words) + ".");
        }
        return word;
    }

    private static void echo(
            Fields fields,
            Optional<String> previous,
            Optional<String> conversation,
            boolean store,
            boolean background,
            ObjectNode echoed) {
        word(fields, "service_tier", "auto", "default");
        echoed.put("previous_response_id", previous.orElse(null));
        conversation.ifPresent(id -> echoed.putObject("conversation").put("id", id));
        echoed.put("store", store)
                .put("background", background)
                .put("service_tier", "default")
                .put("truncation", word(fields, "truncation", "disabled", "auto"));
        echoed.set("metadata", MetadataFields.parse(fields));
        echoed.set("instructions", fields.has("instructions") ? fields.get("instructions") : JSON.nullNode());
        for (String field : List.of("user", "safety_identifier", "prompt_cache_key")) {
            name(fields, field).ifPresent(value -> echoed.put(field, value));
        }
    }
}
