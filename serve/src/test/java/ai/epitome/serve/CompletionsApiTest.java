package ai.epitome.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.epitome.model.generation.ScoredToken;
import ai.epitome.serve.completion.CompletionShapes;
import com.openai.client.OpenAIClient;
import com.openai.core.JsonValue;
import com.openai.core.http.StreamResponse;
import com.openai.errors.BadRequestException;
import com.openai.errors.NotFoundException;
import com.openai.models.chat.completions.ChatCompletionStreamOptions;
import com.openai.models.completions.Completion;
import com.openai.models.completions.CompletionChoice;
import com.openai.models.completions.CompletionCreateParams;
import com.openai.models.completions.CompletionUsage;
import com.openai.models.models.Model;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// OpenAI's own Java client against a real server, every response validated against its schema.
class CompletionsApiTest {
    private static TestServer server;
    private static OpenAIClient client;

    @BeforeAll
    static void start() {
        server = TestServer.start(ApiSuite.COMPLETIONS);
        client = server.openai();
    }

    @AfterAll
    static void stop() {
        client.close();
        server.close();
    }

    private static CompletionCreateParams.Builder greedy(String prompt, int maxTokens) {
        return CompletionCreateParams.builder()
                .model(TestServer.MODEL)
                .prompt(prompt)
                .maxTokens(maxTokens)
                .temperature(0.0);
    }

    private static Completion create(CompletionCreateParams.Builder params) {
        return client.completions().create(params.build()).validate();
    }

    private static String finish(CompletionChoice choice) {
        return choice.finishReason().asString();
    }

    @Test
    void listsModels() {
        List<Model> models = client.models().list().data();
        assertThat(models).singleElement().satisfies(model -> {
            model.validate();
            assertThat(model.id()).isEqualTo(TestServer.MODEL);
            assertThat(model.created()).isEqualTo(TestServer.CREATED.getEpochSecond());
            assertThat(model.ownedBy()).isEqualTo("epitome");
        });
        assertThat(client.models().retrieve(TestServer.MODEL).validate().id()).isEqualTo(TestServer.MODEL);
        assertThatThrownBy(() -> client.models().retrieve("none"))
                .isInstanceOfSatisfying(
                        NotFoundException.class, e -> assertThat(e.code()).contains("model_not_found"));
    }

    @Test
    void findsModelsWithUnusualNames() {
        var model = new FakeModel("org/a model", 0);
        server.models.put(model);
        assertThat(client.models().retrieve(model.id()).validate().id()).isEqualTo(model.id());
        assertThat(create(greedy("x", 1).model(model.id())).model()).isEqualTo(model.id());
        server.models.remove(model.id());
    }

    @Test
    void completesText() {
        Completion completion = create(greedy("Hamlet:", 12));
        assertThat(completion.id()).startsWith("cmpl-");
        assertThat(completion.model()).isEqualTo(TestServer.MODEL);
        CompletionChoice choice = completion.choices().getFirst();
        assertThat(choice.text()).isEqualTo(FakeModel.VERSE.substring(0, 12));
        assertThat(choice.logprobs()).isEmpty();
        assertThat(finish(choice)).isEqualTo("length");
        CompletionUsage usage = completion.usage().orElseThrow();
        assertThat(usage.promptTokens()).isEqualTo(7);
        assertThat(usage.completionTokens()).isEqualTo(12);
        assertThat(usage.totalTokens()).isEqualTo(19);
    }

    @Test
    void sixteenTokensUnlessToldOtherwise() {
        Completion completion =
                create(CompletionCreateParams.builder().model(TestServer.MODEL).prompt("x"));
        assertThat(completion.usage().orElseThrow().completionTokens()).isEqualTo(16);
    }

    @Test
    void stopsBeforeTheFirstStopString() {
        CompletionChoice choice = create(greedy("", 200).stopOfStrings(List.of("sea", "question")))
                .choices()
                .getFirst();
        assertThat(choice.text()).isEqualTo("To be, or not to be, that is the ");
        assertThat(finish(choice)).isEqualTo("stop");
        assertThat(create(greedy("", 200).stop(",")).choices().getFirst().text())
                .isEqualTo("To be");
    }

    @Test
    void givesLogProbabilitiesAsParallelArrays() {
        CompletionChoice.Logprobs logprobs = create(greedy("äb", 3).logprobs(2))
                .choices()
                .getFirst()
                .logprobs()
                .orElseThrow();
        assertThat(logprobs.tokens().orElseThrow()).containsExactly("T", "o", " ");
        assertThat(logprobs.tokenLogprobs().orElseThrow())
                .allSatisfy(value -> assertThat(value).isCloseTo(FakeModel.LOG_PROBABILITY, within(1e-6)));
        // Offsets count characters from the beginning of the prompt, which has two.
        assertThat(logprobs.textOffset().orElseThrow()).containsExactly(2L, 3L, 4L);
        assertThat(logprobs.topLogprobs().orElseThrow()).hasSize(3);
    }

    @Test
    void tellsTheChosenTokenEvenWhenItIsNotAmongTheLikeliest() {
        var likeliest = new ScoredToken.Alternative('e', new byte[] {'e'}, -0.1f);
        var half = new ScoredToken.Alternative(0xE2, new byte[] {(byte) 0xE2}, -3);
        var chosen = new ScoredToken('z', new byte[] {'z'}, -7, List.of(likeliest, half));
        assertThat(new CompletionShapes.Logprobs(2, 0)
                        .next(List.of(chosen))
                        .at("/top_logprobs/0")
                        .toString())
                .isEqualTo("{\"e\":-0.1,\"bytes:\\\\xe2\":-3.0,\"z\":-7.0}");
    }

    /// Tokens may be parts of characters, and bytes that belong to none count as one each, as in the text.
    @Test
    void offsetsCountCharactersOfTheText() {
        var bytes = new byte[] {'a', (byte) 0xC3, (byte) 0xA9, (byte) 0xA9, 'b'};
        List<ScoredToken> tokens = IntStream.range(0, bytes.length)
                .mapToObj(i -> new ScoredToken(bytes[i] & 0xFF, new byte[] {bytes[i]}, -1, List.of()))
                .toList();
        assertThat(new CompletionShapes.Logprobs(0, 10)
                        .next(tokens)
                        .get("text_offset")
                        .toString())
                .isEqualTo("[10,11,11,12,13]");
    }

    @Test
    void echoesThePromptWithItsLogProbabilities() throws Exception {
        String body = server.post("""
                {"model": "fake", "prompt": "To", "max_tokens": 1, "temperature": 0, "echo": true, "logprobs": 1}""").body();
        assertThat(body)
                .contains("\"text\":\"ToT\"")
                .contains("\"tokens\":[\"T\",\"o\",\"T\"]")
                .contains("\"token_logprobs\":[null,-0.5,-0.5]")
                .contains("\"top_logprobs\":[null,{\"o\":-0.5},{\"T\":-0.5}]")
                .contains("\"text_offset\":[0,1,2]");
        Completion scored = create(greedy("To be", 0).echo(true).logprobs(0));
        assertThat(scored.choices().getFirst().text()).isEqualTo("To be");
        assertThat(scored.usage().orElseThrow().completionTokens()).isZero();
    }

    @Test
    void answersSeveralPromptsSeveralTimes() {
        Completion completion = create(CompletionCreateParams.builder()
                .model(TestServer.MODEL)
                .promptOfArrayOfStrings(List.of("one", "three"))
                .n(2)
                .maxTokens(4)
                .echo(true)
                .seed(7));
        assertThat(completion.choices().stream().map(CompletionChoice::index)).containsExactly(0L, 1L, 2L, 3L);
        List<String> texts =
                completion.choices().stream().map(CompletionChoice::text).toList();
        assertThat(texts.subList(0, 2)).allMatch(text -> text.startsWith("one")).doesNotHaveDuplicates();
        assertThat(texts.subList(2, 4)).allMatch(text -> text.startsWith("three"));
        assertThat(completion.usage().orElseThrow().promptTokens()).isEqualTo(8);
        assertThat(completion.usage().orElseThrow().completionTokens()).isEqualTo(16);
    }

    @Test
    void givesTheBestOfMore() {
        CompletionCreateParams.Builder three =
                greedy("a", 3).temperature(1.0).seed(5).logprobs(0).n(3);
        List<CompletionChoice> all = create(three).choices();
        Completion best = create(three.n(2).bestOf(3));
        assertThat(best.choices().stream().map(CompletionChoice::text))
                .containsExactlyElementsOf(all.stream()
                        .sorted(Comparator.comparingDouble(CompletionsApiTest::firstLogProbability)
                                .reversed())
                        .limit(2)
                        .map(CompletionChoice::text)
                        .toList());
        assertThat(best.choices().stream().map(CompletionChoice::index)).containsExactly(0L, 1L);
        assertThat(best.usage().orElseThrow().completionTokens()).isEqualTo(9);
    }

    private static double firstLogProbability(CompletionChoice choice) {
        return choice.logprobs().orElseThrow().tokenLogprobs().orElseThrow().getFirst();
    }

    @Test
    void takesTokens() {
        Completion one =
                create(greedy("", 2).promptOfArrayOfTokens(List.of(72L, 105L)).echo(true));
        assertThat(one.choices().getFirst().text()).isEqualTo("HiTo");
        Completion two = create(greedy("", 2)
                .promptOfArrayOfTokenArrays(List.of(List.of(72L), List.of(73L)))
                .echo(true));
        assertThat(two.choices().stream().map(CompletionChoice::text)).containsExactly("HTo", "ITo");
    }

    @Test
    void sameSeedSameText() {
        CompletionCreateParams.Builder params = CompletionCreateParams.builder()
                .model(TestServer.MODEL)
                .prompt("x")
                .maxTokens(20)
                .seed(42);
        assertThat(create(params).choices().getFirst().text())
                .isEqualTo(create(params).choices().getFirst().text())
                .isNotEqualTo(create(params.seed(43)).choices().getFirst().text());
    }

    @Test
    void streamsWhatItWouldHaveAnswered() {
        CompletionCreateParams.Builder params = greedy("abc", 30)
                .echo(true)
                .logprobs(1)
                .n(2)
                .streamOptions(
                        ChatCompletionStreamOptions.builder().includeUsage(true).build());
        List<Completion> chunks;
        try (StreamResponse<Completion> stream = client.completions().createStreaming(params.build())) {
            chunks = stream.stream().toList();
        }
        assertThat(chunks.stream().map(Completion::id).distinct()).hasSize(1);
        for (long index = 0; index < 2; index++) {
            long wanted = index;
            String text = chunks.stream()
                    .flatMap(chunk -> chunk.choices().stream())
                    .filter(choice -> choice.index() == wanted)
                    .map(CompletionChoice::text)
                    .collect(Collectors.joining());
            assertThat(text).isEqualTo("abc" + FakeModel.VERSE.substring(0, 30));
        }
        List<CompletionChoice.Logprobs> logprobs = chunks.stream()
                .flatMap(chunk -> chunk.choices().stream())
                .filter(choice -> choice.index() == 1)
                .flatMap(choice -> choice.logprobs().stream())
                .toList();
        assertThat(logprobs.stream().flatMap(part -> part.tokens().orElseThrow().stream()))
                .hasSize(33)
                .startsWith("a", "b", "c", "T", "o");
        assertThat(logprobs.stream().flatMap(part -> part.textOffset().orElseThrow().stream()))
                .containsExactlyElementsOf(LongStream.range(0, 33).boxed().toList());
        Completion last = chunks.getLast().validate();
        assertThat(last.choices()).isEmpty();
        assertThat(last.usage().orElseThrow().totalTokens()).isEqualTo(63);
        assertThat(chunks.subList(0, chunks.size() - 1))
                .allMatch(chunk -> chunk.usage().isEmpty());
    }

    @Test
    void streamsInTheExactFormOfServerSentEvents() throws Exception {
        var response = server.post("""
                {"model": "fake", "prompt": "x", "max_tokens": 2, "temperature": 0, "stream": true}""");
        assertThat(response.headers().firstValue("Content-Type")).hasValue("text/event-stream; charset=utf-8");
        assertThat(response.body()).endsWith("data: [DONE]\n\n");
        String[] events = response.body().split("\n\n");
        assertThat(events).hasSize(4).allMatch(event -> event.startsWith("data: "));
        assertThat(events[0])
                .contains("\"text\":\"T\"", "\"finish_reason\":null", "\"logprobs\":null")
                .doesNotContain("usage");
        assertThat(events[2]).contains("\"text\":\"\"", "\"finish_reason\":\"length\"");
    }

    @Test
    void streamedUsageIsNullUntilTheEnd() throws Exception {
        String[] events = server.post("""
                {"model": "fake", "prompt": "x", "max_tokens": 2, "temperature": 0, "stream": true,
                 "stream_options": {"include_usage": true}}""").body().split("\n\n");
        assertThat(events).hasSize(5);
        assertThat(List.of(events).subList(0, 3)).allMatch(event -> event.contains("\"usage\":null"));
        assertThat(events[3])
                .contains(
                        "\"choices\":[]",
                        "\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2,\"total_tokens\":3,\"prompt_tokens_details\"");
    }

    @Test
    void aStreamEndsAtAStopString() {
        try (StreamResponse<Completion> stream = client.completions()
                .createStreaming(greedy("", 200).stop(", that").build())) {
            List<CompletionChoice> choices =
                    stream.stream().map(chunk -> chunk.choices().getFirst()).toList();
            assertThat(choices.stream().map(CompletionChoice::text).collect(Collectors.joining()))
                    .isEqualTo("To be, or not to be");
            assertThat(finish(choices.getLast())).isEqualTo("stop");
        }
    }

    @Test
    void aPromptThatIsTooLongIsRefused() {
        assertThatThrownBy(() -> create(greedy("x".repeat(70_000), 1)))
                .isInstanceOfSatisfying(
                        BadRequestException.class, e -> assertThat(e.param()).contains("prompt"));
    }

    private static CompletionCreateParams.LogitBias bias(String token, int value) {
        return CompletionCreateParams.LogitBias.builder()
                .putAdditionalProperty(token, JsonValue.from(value))
                .build();
    }

    @Test
    void namesTheParameterThatIsWrong() {
        assertThatThrownBy(() -> create(greedy("x", 1).n(1_000_000)))
                .isInstanceOfSatisfying(BadRequestException.class, e -> {
                    assertThat(e.statusCode()).isEqualTo(400);
                    assertThat(e.param()).contains("n");
                    assertThat(e.type()).contains("invalid_request_error");
                    assertThat(e.getMessage()).contains("between 1 and 16");
                });
        assertThatThrownBy(() -> create(greedy("x", 1).suffix("end")))
                .isInstanceOfSatisfying(
                        BadRequestException.class, e -> assertThat(e.param()).contains("suffix"));
        assertThatThrownBy(() -> create(greedy("x", 1).presencePenalty(2.5)))
                .isInstanceOfSatisfying(
                        BadRequestException.class, e -> assertThat(e.param()).contains("presence_penalty"));
        assertThatThrownBy(() -> create(greedy("x", 1).logitBias(bias("257", 1))))
                .isInstanceOfSatisfying(
                        BadRequestException.class, e -> assertThat(e.param()).contains("logit_bias"));
        assertThat(create(greedy("x", 1).logitBias(bias("256", -100)).frequencyPenalty(1)))
                .isNotNull();
        assertThatThrownBy(() -> create(greedy("", 1).promptOfArrayOfTokens(List.of(257L))))
                .isInstanceOfSatisfying(
                        BadRequestException.class,
                        e -> assertThat(e.getMessage()).contains("257"));
        assertThatThrownBy(() -> create(greedy("x", 1).model("gpt-none")))
                .isInstanceOfSatisfying(
                        NotFoundException.class, e -> assertThat(e.param()).contains("model"));
    }
}
