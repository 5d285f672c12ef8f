package ai.epitome.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.ModelNotFoundException;
import dev.langchain4j.model.StreamingResponseHandler;
import dev.langchain4j.model.chat.Capability;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.request.json.JsonSchema;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiEmbeddingModel;
import dev.langchain4j.model.openai.OpenAiLanguageModel;
import dev.langchain4j.model.openai.OpenAiModerationModel;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import dev.langchain4j.model.openai.OpenAiStreamingLanguageModel;
import dev.langchain4j.model.output.FinishReason;
import dev.langchain4j.model.output.Response;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// LangChain4j's models of OpenAI's API against a real server.
class LangChainTest {
    private static final String TALKER = "talker";
    private static TestServer server;
    private static String url;

    @BeforeAll
    static void start() {
        server = TestServer.start(ApiSuite.LANGCHAIN);
        UntrainedModel.on(server);
        server.models.put(new FakeModel(TALKER, 0), TestServer.CREATED, Optional.of(UntrainedModel.format()));
        url = server.uri().resolve("v1").toString();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static OpenAiChatModel.OpenAiChatModelBuilder chat(String model) {
        return OpenAiChatModel.builder()
                .baseUrl(url)
                .apiKey("none")
                .modelName(model)
                .temperature(0.0)
                .maxRetries(0);
    }

    @Test
    void chats() {
        OpenAiChatModel model = chat(TALKER).maxCompletionTokens(18).build();
        ChatResponse answer = model.chat(List.of(SystemMessage.from("Be brief."), UserMessage.from("Hi")));
        assertThat(answer.aiMessage().text()).isEqualTo(FakeModel.VERSE.substring(0, 18));
        assertThat(answer.finishReason()).isEqualTo(FinishReason.LENGTH);
        assertThat(answer.tokenUsage().outputTokenCount()).isEqualTo(18);
        assertThat(answer.modelName()).isEqualTo(TALKER);
        List<ChatMessage> further = List.of(UserMessage.from("Hi"), answer.aiMessage(), UserMessage.from("Go on"));
        assertThat(model.chat(further).tokenUsage().inputTokenCount())
                .isGreaterThan(answer.tokenUsage().inputTokenCount());
        assertThat(chat(TALKER).stop(List.of("not")).build().chat("Hi")).isEqualTo("To be, or ");
    }

    @Test
    void streamsChats() throws Exception {
        List<String> parts = new ArrayList<>();
        CompletableFuture<ChatResponse> whole = new CompletableFuture<>();
        OpenAiStreamingChatModel.builder()
                .baseUrl(url)
                .apiKey("none")
                .modelName(TALKER)
                .temperature(0.0)
                .maxCompletionTokens(18)
                .build()
                .chat("Hi", new StreamingChatResponseHandler() {
                    @Override
                    public void onPartialResponse(String part) {
                        parts.add(part);
                    }

                    @Override
                    public void onCompleteResponse(ChatResponse response) {
                        whole.complete(response);
                    }

                    @Override
                    public void onError(Throwable error) {
                        whole.completeExceptionally(error);
                    }
                });
        ChatResponse answer = whole.get(20, TimeUnit.SECONDS);
        assertThat(String.join("", parts))
                .isEqualTo(FakeModel.VERSE.substring(0, 18))
                .isEqualTo(answer.aiMessage().text());
        assertThat(parts).hasSizeGreaterThan(5);
        assertThat(answer.finishReason()).isEqualTo(FinishReason.LENGTH);
        assertThat(answer.tokenUsage().outputTokenCount()).isEqualTo(18);
    }

    private static final ToolSpecification ADD = ToolSpecification.builder()
            .name("add")
            .description("Adds one.")
            .parameters(JsonObjectSchema.builder()
                    .addIntegerProperty("n")
                    .required("n")
                    .build())
            .build();

    @Test
    void callsToolsAndTakesTheirResults() {
        OpenAiChatModel model = chat(UntrainedModel.ID).maxCompletionTokens(500).build();
        List<ChatMessage> messages = new ArrayList<>(List.of(UserMessage.from("Add.")));
        AiMessage called = model.chat(ChatRequest.builder()
                        .messages(messages)
                        .toolSpecifications(ADD)
                        .toolChoice(ToolChoice.REQUIRED)
                        .build())
                .aiMessage();
        assertThat(called.hasToolExecutionRequests()).isTrue();
        called.toolExecutionRequests().forEach(call -> {
            assertThat(call.name()).isEqualTo("add");
            assertThat(JsonMapper.shared().readTree(call.arguments()).path("n").isIntegralNumber())
                    .isTrue();
        });
        messages.add(called);
        called.toolExecutionRequests().forEach(call -> messages.add(ToolExecutionResultMessage.from(call, "5")));
        assertThat(model.chat(messages).tokenUsage().inputTokenCount()).isGreaterThan("User: Add.".length());
    }

    @Test
    void answersOfASchema() {
        OpenAiChatModel model = chat(UntrainedModel.ID)
                .maxCompletionTokens(300)
                .supportedCapabilities(Capability.RESPONSE_FORMAT_JSON_SCHEMA)
                .strictJsonSchema(true)
                .responseFormat(ResponseFormat.builder()
                        .type(ResponseFormatType.JSON)
                        .jsonSchema(JsonSchema.builder()
                                .name("size")
                                .rootElement(JsonObjectSchema.builder()
                                        .addEnumProperty("size", List.of("small", "large"))
                                        .addBooleanProperty("round")
                                        .required("size", "round")
                                        .build())
                                .build())
                        .build())
                .build();
        JsonNode answer = JsonMapper.shared().readTree(model.chat("How big?"));
        assertThat(answer.path("size").stringValue()).isIn("small", "large");
        assertThat(answer.path("round").isBoolean()).isTrue();
    }

    @Test
    void completes() {
        OpenAiLanguageModel model = OpenAiLanguageModel.builder()
                .baseUrl(url)
                .apiKey("none")
                .modelName(TestServer.MODEL)
                .temperature(0.0)
                .maxRetries(0)
                .build();
        Response<String> answer = model.generate("Once");
        assertThat(answer.content()).isEqualTo(FakeModel.VERSE.substring(0, 16));
        assertThat(answer.tokenUsage().totalTokenCount()).isEqualTo(4 + 16);
    }

    @Test
    void streamsCompletions() throws Exception {
        StringBuilder text = new StringBuilder();
        CompletableFuture<Response<String>> whole = new CompletableFuture<>();
        OpenAiStreamingLanguageModel.builder()
                .baseUrl(url)
                .apiKey("none")
                .modelName(TestServer.MODEL)
                .temperature(0.0)
                .build()
                .generate("Once", new StreamingResponseHandler<String>() {
                    @Override
                    public void onNext(String part) {
                        text.append(part);
                    }

                    @Override
                    public void onComplete(Response<String> response) {
                        whole.complete(response);
                    }

                    @Override
                    public void onError(Throwable error) {
                        whole.completeExceptionally(error);
                    }
                });
        assertThat(whole.get(20, TimeUnit.SECONDS).content()).isEqualTo(text.toString());
        assertThat(text).hasToString(FakeModel.VERSE.substring(0, 16));
    }

    @Test
    void embeds() {
        OpenAiEmbeddingModel model = OpenAiEmbeddingModel.builder()
                .baseUrl(url)
                .apiKey("none")
                .modelName(UntrainedModel.ID)
                .dimensions(16)
                .maxRetries(0)
                .build();
        var made = model.embedAll(List.of(TextSegment.from("a cat"), TextSegment.from("a dog")));
        assertThat(made.content())
                .hasSize(2)
                .allSatisfy(each -> assertThat(each.vector()).hasSize(16));
        assertThat(made.tokenUsage().inputTokenCount()).isEqualTo(10);
        assertThat(model.embed("a cat").content()).isEqualTo(made.content().getFirst());
    }

    @Test
    void moderates() {
        OpenAiModerationModel model = OpenAiModerationModel.builder()
                .baseUrl(url)
                .apiKey("none")
                .modelName("omni-moderation-latest")
                .maxRetries(0)
                .build();
        assertThat(model.moderate("A lovely day.").content().flagged()).isFalse();
        assertThat(model.moderate("I will kill you").content().flagged()).isTrue();
    }

    @Test
    void errorsAreTold() {
        assertThatThrownBy(() -> chat("nobody").build().chat("Hi")).isInstanceOf(ModelNotFoundException.class);
        assertThatThrownBy(() -> chat(TestServer.MODEL).build().chat("Hi"))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageContaining("takes no conversations");
    }
}
