package ai.epitome.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.epitome.text.ByteTokenizer;
import ai.epitome.text.chat.ChatFormat;
import ai.epitome.text.chat.ChatTemplates;
import com.openai.client.OpenAIClient;
import com.openai.core.http.StreamResponse;
import com.openai.errors.BadRequestException;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionStreamOptions;
import com.openai.models.completions.CompletionUsage;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// OpenAI's own Java client in conversation with a real server, every response validated against its schema.
class ChatCompletionsApiTest {
    private static final String MODEL = "talker";
    /// What a model without a template reads: `User: Hi`, a line break, `Assistant:`.
    private static final int PROMPT = "User: Hi\nAssistant:".length();

    private static TestServer server;
    private static OpenAIClient client;

    @BeforeAll
    static void start() {
        server = TestServer.start(ApiSuite.CHAT);
        ChatFormat format = ChatFormat.of(ChatTemplates.NONE, new ByteTokenizer());
        server.models.put(new FakeModel(MODEL, 0), TestServer.CREATED, Optional.of(format));
        client = server.openai();
    }

    @AfterAll
    static void stop() {
        client.close();
        server.close();
    }

    private static ChatCompletionCreateParams.Builder greedy(int maxTokens) {
        return ChatCompletionCreateParams.builder()
                .model(MODEL)
                .addUserMessage("Hi")
                .maxCompletionTokens(maxTokens)
                .temperature(0.0);
    }

    private static ChatCompletion create(ChatCompletionCreateParams.Builder params) {
        return client.chat().completions().create(params.build()).validate();
    }

    private static List<ChatCompletionChunk> stream(ChatCompletionCreateParams.Builder params) {
        try (StreamResponse<ChatCompletionChunk> response =
                client.chat().completions().createStreaming(params.build())) {
            return response.stream().map(ChatCompletionChunk::validate).toList();
        }
    }

    @Test
    void answers() {
        ChatCompletion completion = create(greedy(12));
        assertThat(completion.id()).startsWith("chatcmpl-");
        assertThat(completion.model()).isEqualTo(MODEL);
        ChatCompletion.Choice choice = completion.choices().getFirst();
        assertThat(choice.message().content()).contains(FakeModel.VERSE.substring(0, 12));
        assertThat(choice.finishReason()).isEqualTo(ChatCompletion.Choice.FinishReason.LENGTH);
        CompletionUsage usage = completion.usage().orElseThrow();
        assertThat(usage.promptTokens()).isEqualTo(PROMPT);
        assertThat(usage.completionTokens()).isEqualTo(12);
    }

    @Test
    void withoutALimitThereIsRoomUntilTheContextIsFull() {
        ChatCompletion completion = create(ChatCompletionCreateParams.builder()
                .model(MODEL)
                .addUserMessage("Hi")
                .temperature(0.0));
        assertThat(completion.usage().orElseThrow().totalTokens()).isEqualTo(256);
    }

    @Test
    void severalTurnsAndAnswers() {
        ChatCompletion completion = create(greedy(5)
                .addSystemMessage("Be brief.")
                .addAssistantMessage("Yes?")
                .addUserMessage("Go on")
                .n(3)
                .stop("be"));
        assertThat(completion.choices()).hasSize(3);
        assertThat(completion.choices())
                .extracting(ChatCompletion.Choice::index)
                .containsExactly(0L, 1L, 2L);
        assertThat(completion.choices().getFirst().message().content()).contains("To ");
        assertThat(completion.choices().getFirst().finishReason()).isEqualTo(ChatCompletion.Choice.FinishReason.STOP);
    }

    @Test
    void streamsInTheOrderOfOpenAi() {
        List<ChatCompletionChunk> chunks = stream(greedy(6)
                .streamOptions(
                        ChatCompletionStreamOptions.builder().includeUsage(true).build()));
        ChatCompletionChunk first = chunks.getFirst();
        assertThat(first.choices().getFirst().delta().role()).contains(ChatCompletionChunk.Choice.Delta.Role.ASSISTANT);
        String text = chunks.stream()
                .flatMap(chunk -> chunk.choices().stream())
                .map(choice -> choice.delta().content().orElse(""))
                .collect(Collectors.joining());
        assertThat(text).isEqualTo(FakeModel.VERSE.substring(0, 6));
        ChatCompletionChunk ending = chunks.get(chunks.size() - 2);
        assertThat(ending.choices().getFirst().finishReason()).contains(ChatCompletionChunk.Choice.FinishReason.LENGTH);
        assertThat(ending.choices().getFirst().delta().content()).isEmpty();
        ChatCompletionChunk last = chunks.getLast();
        assertThat(last.choices()).isEmpty();
        assertThat(last.usage().orElseThrow().totalTokens()).isEqualTo(PROMPT + 6);
        assertThat(chunks).extracting(ChatCompletionChunk::id).containsOnly(first.id());
    }

    @Test
    void tellsProbabilitiesOfItsTokens() {
        ChatCompletion completion = create(greedy(4).logprobs(true).topLogprobs(2));
        var tokens = completion
                .choices()
                .getFirst()
                .logprobs()
                .orElseThrow()
                .content()
                .orElseThrow();
        assertThat(tokens).hasSize(4);
        assertThat(tokens.getFirst().token()).isEqualTo("T");
        assertThat(tokens.getFirst().topLogprobs()).hasSize(2);
    }

    @Test
    void refusesWhatItCannotDo() throws Exception {
        assertThatThrownBy(() -> create(greedy(4).model(TestServer.MODEL)))
                .isInstanceOfSatisfying(
                        BadRequestException.class,
                        e -> assertThat(e.getMessage()).contains("takes no conversations"));
        assertThatThrownBy(() -> create(greedy(4).addUserMessage("x".repeat(300))))
                .isInstanceOfSatisfying(
                        BadRequestException.class, e -> assertThat(e.code()).contains("context_length_exceeded"));
        assertThatThrownBy(() -> create(greedy(4).topLogprobs(2)))
                .isInstanceOfSatisfying(
                        BadRequestException.class, e -> assertThat(e.param()).contains("top_logprobs"));
        assertThatThrownBy(() -> create(greedy(4).n(1_000_000)))
                .isInstanceOfSatisfying(
                        BadRequestException.class, e -> assertThat(e.param()).contains("n"));
    }

    @Test
    void malformedMessagesAreNamed() throws Exception {
        refused("[]", "'messages' must be an array of 1 to");
        refused("[{\"role\": \"king\", \"content\": \"x\"}]", "'messages[0].role' must be");
        refused("[{\"role\": \"user\", \"content\": 1}]", "'messages[0].content' must be");
        refused("[{\"role\": \"user\", \"content\": \"x\", \"crown\": 1}]", "'messages[0].crown' is no field");
        refused("[7]", "'messages[0]' must be an object");
    }

    private static void refused(String messages, String part) throws Exception {
        var response = server.post(
                "v1/chat/completions",
                "{\"model\": \"%s\", \"messages\": %s}".formatted(MODEL, messages),
                "application/json");
        assertThat(response.statusCode()).isEqualTo(400);
        assertThat(response.body()).contains(part).contains("invalid_request_error");
    }
}
