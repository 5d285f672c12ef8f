package ai.epitome.serve.completion;

import ai.epitome.model.generation.CompletionModel;
import ai.epitome.serve.body.CommonFields;
import ai.epitome.serve.body.Fields;
import ai.epitome.serve.generation.Answering;
import ai.epitome.serve.http.ApiException;
import ai.epitome.serve.http.Http;
import ai.epitome.serve.metering.RequestMeter;
import ai.epitome.serve.registry.ModelRegistry;
import ai.epitome.text.chat.Conversation;
import ai.epitome.text.jinja.JinjaException;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// `POST /tokenize` and `POST /detokenize`, in [vLLM's
/// shapes](https://docs.vllm.ai/en/latest/serving/openai_compatible_server/#tokenizer-api).
public final class TokenRoutes implements HttpService {
    private static final Set<String> TEXT_FIELDS = Set.of(
            "model",
            "prompt",
            "add_special_tokens",
            "return_token_strs",
            "messages",
            "tools",
            "tool_choice",
            "chat_template_kwargs",
            "add_generation_prompt");
    private static final Set<String> TOKEN_FIELDS = Set.of("model", "tokens");

    private final Answering answering;

    public TokenRoutes(Answering answering) {
        this.answering = answering;
    }

    @Override
    public void routing(HttpRules rules) {
        rules.post("/tokenize", this::tokenize)
                .post("/detokenize", this::detokenize)
                .any("/tokenize", (request, response) -> Http.methodNotAllowed(request, response, "POST"))
                .any("/detokenize", (request, response) -> Http.methodNotAllowed(request, response, "POST"));
    }

    private void tokenize(ServerRequest request, ServerResponse response) throws InterruptedException {
        Fields fields = CommonFields.parse(answering.bodies().read(request, response), TEXT_FIELDS);
        ModelRegistry.Entry entry = answering.entry(CommonFields.model(fields), RequestMeter.of(request));
        int[] ids = fields.has("messages") ? ofConversation(fields, entry) : ofText(fields, entry.model());
        ObjectNode answer = JsonNodeFactory.instance
                .objectNode()
                .put("count", ids.length)
                .put("max_model_len", entry.model().contextLength());
        ArrayNode tokens = answer.putArray("tokens");
        Arrays.stream(ids).forEach(tokens::add);
        if (fields.flag("return_token_strs")) {
            ArrayNode texts = answer.putArray("token_strs");
            Arrays.stream(ids)
                    .forEach(id ->
                            texts.add(CompletionShapes.tokenText(entry.model().bytes(id))));
        } else {
            answer.putNull("token_strs");
        }
        Http.send(response, 200, answer);
    }

    private static int[] ofText(Fields fields, CompletionModel model) {
        int[] ids = model.encode(fields.text("prompt", Integer.MAX_VALUE));
        boolean special = !fields.has("add_special_tokens") || fields.flag("add_special_tokens");
        // What an empty text has is what every text begins with.
        return special ? ids : Arrays.copyOfRange(ids, model.encode("").length, ids.length);
    }

    private static int[] ofConversation(Fields fields, ModelRegistry.Entry entry) {
        if (fields.has("prompt")) {
            throw ApiException.badParameter("prompt", "'prompt' and 'messages' cannot both be tokenized: give one.");
        }
        if (fields.has("add_generation_prompt") && !fields.flag("add_generation_prompt")) {
            throw ApiException.badParameter(
                    "add_generation_prompt", "'add_generation_prompt' can only be true: leave it out.");
        }
        Map<String, JsonNode> settings = ChatRequestParser.settings(fields);
        try {
            return entry.requireChat()
                    .encode(new Conversation(
                            MessageFields.messages(fields),
                            ToolFields.parse(fields).offered(),
                            settings));
        } catch (JinjaException e) {
            throw ApiException.badParameter(
                    "messages", "The model's chat template does not take this conversation: " + e.getMessage());
        }
    }

    private void detokenize(ServerRequest request, ServerResponse response) throws InterruptedException {
        Fields fields = CommonFields.parse(answering.bodies().read(request, response), TOKEN_FIELDS);
        CompletionModel model = answering
                .entry(CommonFields.model(fields), RequestMeter.of(request))
                .model();
        JsonNode tokens = fields.get("tokens");
        if (!tokens.isArray()) {
            throw ApiException.badParameter("tokens", "'tokens' must be an array of token ids.");
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (JsonNode token : tokens.values()) {
            bytes.writeBytes(model.bytes(Fields.integer(token, "tokens", 0, model.vocabularySize() - 1)));
        }
        Http.send(
                response,
                200,
                JsonNodeFactory.instance.objectNode().put("prompt", bytes.toString(StandardCharsets.UTF_8)));
    }
}
