package ai.epitome.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.openai.client.OpenAIClient;
import com.openai.core.JsonValue;
import com.openai.core.http.StreamResponse;
import com.openai.errors.BadRequestException;
import com.openai.models.FunctionDefinition;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionFunctionTool;
import com.openai.models.chat.completions.ChatCompletionStreamOptions;
import com.openai.models.chat.completions.ChatCompletionToolChoiceOption;
import com.openai.models.completions.Completion;
import com.openai.models.completions.CompletionChoice;
import com.openai.models.completions.CompletionCreateParams;
import com.openai.models.completions.CompletionUsage;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.json.JsonMapper;

/// Several answers to one request, by a network that generates them together.
class ChoicesTest {
    /// Further seeds of a request are so far apart.
    private static final long SEED_STEP = 0x9E3779B97F4A7C15L;

    private static final String TEXT = "It was a dark and stormy night; the rain fell in torrents, except at times.";
    private static TestServer server;
    private static OpenAIClient client;

    @BeforeAll
    static void start() {
        server = TestServer.start(ApiSuite.CHOICES);
        UntrainedModel.on(server);
        client = server.openai();
    }

    @AfterAll
    static void stop() {
        client.close();
        server.close();
    }

    @SuppressWarnings("deprecation") // the client calls seeds deprecated; answers must be the same each time
    private static ChatCompletionCreateParams.Builder asked(String content, int n) {
        return ChatCompletionCreateParams.builder()
                .model(UntrainedModel.ID)
                .addUserMessage(content)
                .maxCompletionTokens(40)
                .seed(7)
                .n(n);
    }

    private static CompletionCreateParams.Builder continued(String prompt, int n) {
        return CompletionCreateParams.builder()
                .model(UntrainedModel.ID)
                .prompt(prompt)
                .maxTokens(24)
                .seed(3)
                .n(n);
    }

    private static ChatCompletion create(ChatCompletionCreateParams.Builder params) {
        return client.chat().completions().create(params.build()).validate();
    }

    private static Completion create(CompletionCreateParams.Builder params) {
        return client.completions().create(params.build()).validate();
    }

    private static List<ChatCompletionChunk> stream(ChatCompletionCreateParams.Builder params) {
        var options = ChatCompletionStreamOptions.builder().includeUsage(true).build();
        try (StreamResponse<ChatCompletionChunk> chunks = client.chat()
                .completions()
                .createStreaming(params.streamOptions(options).build())) {
            return chunks.stream().map(ChatCompletionChunk::validate).toList();
        }
    }

    private static List<String> texts(ChatCompletion completion) {
        return completion.choices().stream()
                .map(choice -> choice.message().content().orElse(""))
                .toList();
    }

    @Test
    void eachIsWhatItsSeedGivesAlone() {
        List<String> together = create(continued("Once", 5)).choices().stream()
                .map(CompletionChoice::text)
                .toList();
        assertThat(together).doesNotHaveDuplicates();
        for (int k = 0; k < 5; k++) {
            Completion alone = create(continued("Once", 1).seed(3 + k * SEED_STEP));
            assertThat(alone.choices().getFirst().text()).isEqualTo(together.get(k));
        }
        assertThat(create(continued("Once", 5)).choices().stream().map(CompletionChoice::text))
                .containsExactlyElementsOf(together);
    }

    @Test
    void thePromptIsPaidForOnce() {
        CompletionUsage usage = create(asked(TEXT, 4)).usage().orElseThrow();
        assertThat(usage.promptTokens()).isEqualTo("User: \nAssistant:".length() + TEXT.length());
        assertThat(usage.promptTokensDetails().orElseThrow().cachedTokens()).contains(0L);
        assertThat(usage.completionTokens()).isEqualTo(4 * 40);
        CompletionUsage best =
                create(continued(TEXT, 2).bestOf(6).logprobs(1)).usage().orElseThrow();
        assertThat(best.promptTokens()).isEqualTo(TEXT.length());
        assertThat(best.completionTokens()).isEqualTo(6 * 24);
    }

    @Test
    void theyAreStreamedSideBySide() {
        ChatCompletion whole = create(asked("Go on", 3).logprobs(true));
        List<ChatCompletionChunk> chunks = stream(asked("Go on", 3).logprobs(true));
        List<ChatCompletionChunk.Choice> parts =
                chunks.stream().flatMap(chunk -> chunk.choices().stream()).toList();
        for (int k = 0; k < 3; k++) {
            long index = k;
            List<ChatCompletionChunk.Choice> own =
                    parts.stream().filter(part -> part.index() == index).toList();
            assertThat(own.getFirst().delta().role()).isPresent();
            assertThat(own.stream()
                            .map(part -> part.delta().content().orElse(""))
                            .collect(Collectors.joining()))
                    .isEqualTo(texts(whole).get(k));
            assertThat(own.stream()
                            .mapToLong(part -> part.logprobs()
                                    .flatMap(ChatCompletionChunk.Choice.Logprobs::content)
                                    .map(List::size)
                                    .orElse(0))
                            .sum())
                    .isEqualTo(40);
            assertThat(own.getLast().finishReason()).contains(ChatCompletionChunk.Choice.FinishReason.LENGTH);
            assertThat(own.stream().filter(part -> part.finishReason().isPresent()))
                    .hasSize(1);
        }
        List<Long> order = parts.stream().map(ChatCompletionChunk.Choice::index).toList();
        assertThat(order.lastIndexOf(0L)).isGreaterThan(order.indexOf(2L) + 10);
        assertThat(chunks.getLast().usage().orElseThrow().completionTokens()).isEqualTo(3 * 40);
    }

    @Test
    void promptsAreContinuedSideBySide() {
        var params = CompletionCreateParams.builder()
                .model(UntrainedModel.ID)
                .promptOfArrayOfStrings(List.of("a", "bc", TEXT))
                .echo(true)
                .logprobs(0)
                .maxTokens(9)
                .seed(1)
                .n(9); // more than go on together
        Completion whole = create(params);
        Map<Long, String> told;
        try (StreamResponse<Completion> chunks = client.completions().createStreaming(params.build())) {
            told = chunks.stream()
                    .flatMap(chunk -> chunk.choices().stream())
                    .collect(Collectors.groupingBy(
                            CompletionChoice::index, Collectors.mapping(CompletionChoice::text, Collectors.joining())));
        }
        assertThat(told).hasSize(27);
        whole.choices().forEach(choice -> assertThat(told.get(choice.index())).isEqualTo(choice.text()));
        assertThat(whole.choices().stream().map(CompletionChoice::index))
                .containsExactlyElementsOf(LongStream.range(0, 27).boxed().toList());
        assertThat(whole.choices().getLast().text()).startsWith(TEXT);
        assertThat(whole.usage().orElseThrow().promptTokens()).isEqualTo(3 + TEXT.length());
    }

    @Test
    void eachMeetsWhatIsAskedOfIt() {
        FunctionDefinition function = FunctionDefinition.builder().name("now").build();
        ChatCompletion calls = create(asked("Now?", 3)
                .addTool(ChatCompletionFunctionTool.builder().function(function).build())
                .toolChoice(ChatCompletionToolChoiceOption.Auto.REQUIRED)
                .maxCompletionTokens(400)
                .parallelToolCalls(false));
        assertThat(calls.choices()).hasSize(3).allSatisfy(choice -> {
            assertThat(choice.finishReason()).isEqualTo(ChatCompletion.Choice.FinishReason.TOOL_CALLS);
            assertThat(choice.message().toolCalls().orElseThrow()).hasSize(1);
        });
        JsonValue format = JsonValue.from(Map.of(
                "type",
                "json_schema",
                "json_schema",
                Map.of("name", "d", "schema", Map.of("type", "integer", "minimum", 10, "maximum", 9999))));
        ChatCompletion numbers = create(asked("A number", 8).putAdditionalBodyProperty("response_format", format));
        assertThat(texts(numbers))
                .hasSize(8)
                .allSatisfy(
                        text -> assertThat(JsonMapper.shared().readTree(text).intValue())
                                .isBetween(10, 9999));
    }

    @Test
    void tooManyAreRefused() {
        assertThatThrownBy(() -> create(asked("x", 17)))
                .isInstanceOfSatisfying(
                        BadRequestException.class,
                        e -> assertThat(e.getMessage()).contains("'n'").contains("16"));
        List<String> prompts = Arrays.asList(new String[5]);
        prompts.replaceAll(_ -> "x");
        assertThatThrownBy(() -> create(continued("", 13).promptOfArrayOfStrings(prompts)))
                .isInstanceOfSatisfying(
                        BadRequestException.class,
                        e -> assertThat(e.getMessage()).contains("at most 64"));
    }
}
