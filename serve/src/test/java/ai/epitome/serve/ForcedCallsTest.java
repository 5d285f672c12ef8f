package ai.epitome.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.epitome.serve.completion.CallSchema;
import com.openai.client.OpenAIClient;
import com.openai.core.JsonValue;
import com.openai.core.http.StreamResponse;
import com.openai.errors.BadRequestException;
import com.openai.models.FunctionDefinition;
import com.openai.models.FunctionParameters;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionFunctionTool;
import com.openai.models.chat.completions.ChatCompletionMessageFunctionToolCall;
import com.openai.models.chat.completions.ChatCompletionNamedToolChoice;
import com.openai.models.chat.completions.ChatCompletionToolChoiceOption;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Calls of tools that are asked for are made, even by a model that knows nothing.
class ForcedCallsTest {
    private static TestServer server;
    private static OpenAIClient client;

    @BeforeAll
    static void start() {
        server = TestServer.start(ApiSuite.CALLS);
        UntrainedModel.on(server);
        client = server.openai();
    }

    @AfterAll
    static void stop() {
        client.close();
        server.close();
    }

    private static ChatCompletionFunctionTool tool(String name, String schema) {
        var parameters = FunctionParameters.builder();
        JsonMapper.shared()
                .readTree(schema)
                .forEachEntry((key, value) -> parameters.putAdditionalProperty(
                        key, JsonValue.from(JsonMapper.shared().treeToValue(value, Object.class))));
        return ChatCompletionFunctionTool.builder()
                .function(FunctionDefinition.builder()
                        .name(name)
                        .parameters(parameters.build())
                        .build())
                .build();
    }

    @SuppressWarnings("deprecation") // the client calls seeds deprecated; answers must be the same each time
    private static ChatCompletionCreateParams.Builder asked(long seed) {
        return ChatCompletionCreateParams.builder()
                .model(UntrainedModel.ID)
                .addUserMessage("What is the weather in Rome, and what is 2 + 3?")
                .maxCompletionTokens(600)
                .seed(seed)
                .addTool(tool("weather", """
                        {"type": "object", "properties": {"city": {"type": "string", "maxLength": 12},
                         "unit": {"enum": ["celsius", "fahrenheit"]}}, "required": ["city", "unit"],
                         "additionalProperties": false}"""))
                .addTool(tool("add", """
                        {"$defs": {"term": {"type": "integer", "minimum": 0, "maximum": 99}}, "type": "object",
                         "properties": {"terms": {"type": "array", "items": {"$ref": "#/$defs/term"}, "maxItems": 4}},
                         "required": ["terms"], "additionalProperties": false}"""));
    }

    private static ChatCompletion create(ChatCompletionCreateParams.Builder params) {
        return client.chat().completions().create(params.build()).validate();
    }

    private static List<ChatCompletionMessageFunctionToolCall.Function> calls(ChatCompletion completion) {
        ChatCompletion.Choice choice = completion.choices().getFirst();
        assertThat(choice.finishReason()).isEqualTo(ChatCompletion.Choice.FinishReason.TOOL_CALLS);
        assertThat(choice.message().content()).isEmpty();
        return choice.message().toolCalls().orElseThrow().stream()
                .map(call -> call.asFunction().function())
                .toList();
    }

    private static void requireMeetsItsSchema(ChatCompletionMessageFunctionToolCall.Function call) {
        JsonNode arguments = JsonMapper.shared().readTree(call.arguments());
        if (call.name().equals("weather")) {
            assertThat(arguments.propertyNames()).containsExactlyInAnyOrder("city", "unit");
            assertThat(arguments.path("city").isString()).isTrue();
            assertThat(arguments.path("unit").stringValue()).isIn("celsius", "fahrenheit");
        } else {
            assertThat(call.name()).isEqualTo("add");
            assertThat(arguments.propertyNames()).containsExactly("terms");
            arguments
                    .path("terms")
                    .values()
                    .forEach(term -> assertThat(term.intValue()).isBetween(0, 99));
        }
    }

    @Test
    void requiredCallsAreMadeAndMeetTheirSchemas() {
        List<List<ChatCompletionMessageFunctionToolCall.Function>> answers = IntStream.range(0, 12)
                .mapToObj(seed -> calls(create(asked(seed).toolChoice(ChatCompletionToolChoiceOption.Auto.REQUIRED))))
                .toList();
        answers.forEach(each -> each.forEach(ForcedCallsTest::requireMeetsItsSchema));
        assertThat(answers).anySatisfy(several -> assertThat(several).hasSizeGreaterThan(1));
    }

    @Test
    void withoutParallelCallsThereIsOne() {
        for (int seed = 0; seed < 8; seed++) {
            var found = calls(create(asked(seed)
                    .toolChoice(ChatCompletionToolChoiceOption.Auto.REQUIRED)
                    .parallelToolCalls(false)));
            assertThat(found).hasSize(1);
            requireMeetsItsSchema(found.getFirst());
        }
    }

    @Test
    void aNamedFunctionIsCalledOnce() {
        for (int seed = 0; seed < 8; seed++) {
            var found = calls(create(asked(seed)
                    .toolChoice(ChatCompletionNamedToolChoice.builder()
                            .function(ChatCompletionNamedToolChoice.Function.builder()
                                    .name("add")
                                    .build())
                            .build())));
            assertThat(found).hasSize(1);
            assertThat(found.getFirst().name()).isEqualTo("add");
            requireMeetsItsSchema(found.getFirst());
        }
    }

    @Test
    void theyAreStreamedAsCalls() {
        try (StreamResponse<ChatCompletionChunk> response = client.chat()
                .completions()
                .createStreaming(asked(1).toolChoice(ChatCompletionToolChoiceOption.Auto.REQUIRED)
                        .build())) {
            List<ChatCompletionChunk> chunks =
                    response.stream().map(ChatCompletionChunk::validate).toList();
            assertThat(chunks)
                    .allSatisfy(chunk -> assertThat(
                                    chunk.choices().getFirst().delta().content().orElse(""))
                            .isEmpty());
            assertThat(chunks)
                    .anySatisfy(chunk -> assertThat(
                                    chunk.choices().getFirst().delta().toolCalls())
                            .isPresent());
            assertThat(chunks.getLast().choices().getFirst().finishReason())
                    .contains(ChatCompletionChunk.Choice.FinishReason.TOOL_CALLS);
        }
    }

    @Test
    void aToolWithoutParametersIsCalledWithNone() {
        var found = calls(create(ChatCompletionCreateParams.builder()
                .model(UntrainedModel.ID)
                .addUserMessage("Now?")
                .maxCompletionTokens(400)
                .addTool(ChatCompletionFunctionTool.builder()
                        .function(FunctionDefinition.builder().name("now").build())
                        .build())
                .toolChoice(ChatCompletionToolChoiceOption.Auto.REQUIRED)
                .parallelToolCalls(false)));
        assertThat(JsonMapper.shared().readTree(found.getFirst().arguments())).isEmpty();
    }

    @Test
    void whatCannotBeForcedIsRefused() throws Exception {
        assertThatThrownBy(() -> create(asked(1).toolChoice(ChatCompletionNamedToolChoice.builder()
                        .function(ChatCompletionNamedToolChoice.Function.builder()
                                .name("fly")
                                .build())
                        .build())))
                .isInstanceOfSatisfying(
                        BadRequestException.class, e -> assertThat(e.param()).contains("tool_choice"));
        for (String field : List.of(
                "\"tool_choice\": \"required\"",
                "\"tool_choice\": \"must\"",
                "\"tool_choice\": 5",
                "\"tool_choice\": {\"type\": \"custom\"}",
                "\"tools\": 5",
                "\"tools\": [{\"type\": \"function\", \"function\": {\"name\": \"\"}}]",
                "\"tool_choice\": \"required\", \"tools\": [{\"type\": \"function\", \"function\": {\"name\": \"f\","
                        + " \"parameters\": {\"not\": {}}}}]",
                "\"tool_choice\": \"required\", \"response_format\": {\"type\": \"json_object\"},"
                        + " \"tools\": [{\"type\": \"function\", \"function\": {\"name\": \"f\"}}]")) {
            String body = "{\"model\": \"untrained\", \"messages\": [{\"role\": \"user\", \"content\": \"x\"}], %s}";
            var response = server.post("v1/chat/completions", body.formatted(field), "application/json");
            assertThat(response.statusCode()).as(field).isEqualTo(400);
            assertThat(response.body()).as(field).contains("\"param\":\"tool");
        }
    }

    @Test
    void allowedToolsAreTheOnlyOnes() throws Exception {
        String body = """
                {"model": "untrained", "messages": [{"role": "user", "content": "x"}], "seed": 3, "max_tokens": 400,
                 "tools": [{"type": "function", "function": {"name": "f"}}, {"type": "function", "function": {"name": "g"}}],
                 "parallel_tool_calls": false, "tool_choice": {"type": "allowed_tools", "allowed_tools":
                   {"mode": "required", "tools": [{"type": "function", "function": {"name": "g"}}]}}}""";
        var response = server.post("v1/chat/completions", body, "application/json");
        assertThat(JsonMapper.shared()
                        .readTree(response.body())
                        .at("/choices/0/message/tool_calls/0/function/name")
                        .asString())
                .isEqualTo("g");
    }

    @Test
    void referencesOfAToolLeadToItsOwnSchema() {
        assertThat(CallSchema.of(JsonMapper.shared()
                                .readTree("[{\"function\": {\"name\": \"f\", \"parameters\": {\"$ref\": \"#/$defs/a\","
                                        + " \"$defs\": {\"a\": {\"type\": \"object\", \"default\": {\"x\": 1}}}}}}]"))
                        .at("/$defs/0/$ref")
                        .asString())
                .isEqualTo("#/$defs/0/$defs/a");
    }
}
