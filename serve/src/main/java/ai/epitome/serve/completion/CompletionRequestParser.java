package ai.epitome.serve.completion;

import ai.epitome.serve.body.CommonFields;
import ai.epitome.serve.body.Fields;
import ai.epitome.serve.http.ApiException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;

/// Reads the body of `POST /v1/completions` ([OpenAI's
/// reference](https://platform.openai.com/docs/api-reference/completions)).
///
/// Whatever the bytes, the outcome is a request within all bounds or an [ApiException] with status 400. Fields that
/// would have no effect here are refused rather than ignored: `suffix` unless it is empty, and fields that the API does
/// not know. Those of [SamplingFields] that OpenAI does not have are extensions, named as other servers name them.
public final class CompletionRequestParser {
    private static final int MAX_PROMPTS = 32;
    private static final int MAX_CHOICES_PER_PROMPT = 16;
    private static final int MAX_GENERATIONS = 64;
    private static final int MAX_LOGPROBS = 5;
    private static final int MAX_NAME_CHARACTERS = 256;
    private static final int DEFAULT_MAX_TOKENS = 16;

    private static final Set<String> KNOWN = Stream.concat(
                    Stream.of(
                            "model",
                            "prompt",
                            "max_tokens",
                            "n",
                            "best_of",
                            "stream",
                            "stream_options",
                            "logprobs",
                            "echo",
                            "stop",
                            "seed",
                            "suffix",
                            "user"),
                    Stream.concat(SamplingFields.NAMES.stream(), ConstraintFields.NAMES.stream()))
            .collect(Collectors.toUnmodifiableSet());

    private final int maxTokensLimit;
    private final ConstraintFields constraints;

    /// @param maxTokensLimit largest `max_tokens` that a request may ask for
    public CompletionRequestParser(int maxTokensLimit, ConstraintFields constraints) {
        this.maxTokensLimit = maxTokensLimit;
        this.constraints = constraints;
    }

    public CompletionRequest parse(byte[] body) {
        Fields fields = CommonFields.parse(body, KNOWN);
        refuseUnsupported(fields);
        return request(fields);
    }

    private static void refuseUnsupported(Fields fields) {
        if (fields.has("suffix") && !fields.text("suffix", MAX_NAME_CHARACTERS).isEmpty()) {
            throw ApiException.badParameter("suffix", "'suffix' is not supported here: leave it out.");
        }
        CommonFields.checkUser(fields);
    }

    private CompletionRequest request(Fields fields) {
        String model = CommonFields.model(fields);
        boolean stream = fields.flag("stream");
        int n = fields.integer("n", 1, MAX_CHOICES_PER_PROMPT, 1);
        int bestOf = fields.integer("best_of", 1, MAX_CHOICES_PER_PROMPT, n);
        if (bestOf < n) {
            throw ApiException.badParameter("best_of", "'best_of' must be at least 'n', which is " + n + ".");
        }
        if (stream && bestOf > n) {
            throw ApiException.badParameter(
                    "best_of", "'best_of' above 'n' cannot be streamed: the best is known only at the end.");
        }
        List<CompletionRequest.Prompt> prompts = prompts(fields.get("prompt"));
        if ((long) prompts.size() * bestOf > MAX_GENERATIONS) {
            throw ApiException.badParameter(
                    "prompt", "Prompts times completions for each must be at most " + MAX_GENERATIONS + ".");
        }
        OptionalInt logprobs = fields.optionalInteger("logprobs", 0, MAX_LOGPROBS);
        boolean echo = fields.flag("echo");
        int maxTokens = fields.integer("max_tokens", 0, maxTokensLimit, DEFAULT_MAX_TOKENS);
        if (maxTokens == 0 && !echo) {
            throw ApiException.badParameter("max_tokens", "'max_tokens' must be at least 1 unless 'echo' is true.");
        }
        return new CompletionRequest(
                model,
                prompts,
                maxTokens,
                SamplingFields.parse(fields),
                n,
                bestOf,
                stream,
                CommonFields.includeUsage(fields, stream),
                logprobs,
                echo,
                CommonFields.stops(fields),
                fields.optionalLong("seed"),
                constraints.parse(fields));
    }

    /// No prompt at all means: from the beginning of a text.
    private static List<CompletionRequest.Prompt> prompts(JsonNode value) {
        if (value.isMissingNode()) {
            return List.of(new CompletionRequest.Prompt.Text(""));
        }
        if (value.isString()) {
            return List.of(new CompletionRequest.Prompt.Text(value.stringValue()));
        }
        if (!value.isArray() || value.isEmpty()) {
            throw badPrompt();
        }
        if (value.get(0).isNumber()) {
            return List.of(tokens(value));
        }
        if (value.size() > MAX_PROMPTS) {
            throw ApiException.badParameter("prompt", "'prompt' must hold at most " + MAX_PROMPTS + " prompts.");
        }
        boolean texts = value.get(0).isString();
        var prompts = new ArrayList<CompletionRequest.Prompt>();
        for (JsonNode prompt : value.values()) {
            if (texts && prompt.isString()) {
                prompts.add(new CompletionRequest.Prompt.Text(prompt.stringValue()));
            } else if (!texts && prompt.isArray()) {
                prompts.add(tokens(prompt));
            } else {
                throw badPrompt();
            }
        }
        return prompts;
    }

    private static CompletionRequest.Prompt tokens(JsonNode array) {
        int[] ids = new int[array.size()];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = Fields.integer(array.get(i), "prompt", 0, Integer.MAX_VALUE);
        }
        return new CompletionRequest.Prompt.Tokens(ids);
    }

    private static ApiException badPrompt() {
        return ApiException.badParameter(
                "prompt",
                "'prompt' must be a string, an array of strings, an array of token ids, or an array of such arrays.");
    }
}
