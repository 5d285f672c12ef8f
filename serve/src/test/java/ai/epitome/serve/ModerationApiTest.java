package ai.epitome.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.epitome.serve.account.Accounts;
import ai.epitome.serve.account.Database;
import ai.epitome.serve.account.KeyLimits;
import ai.epitome.serve.account.Scope;
import ai.epitome.serve.account.UsageRow;
import ai.epitome.serve.account.UsageStore;
import ai.epitome.serve.moderation.ModerationPolicy;
import com.openai.client.OpenAIClient;
import com.openai.core.http.StreamResponse;
import com.openai.errors.BadRequestException;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.completions.Completion;
import com.openai.models.completions.CompletionChoice;
import com.openai.models.completions.CompletionCreateParams;
import com.openai.models.responses.Response;
import com.openai.models.responses.ResponseCreateParams;
import com.openai.models.responses.ResponseStatus;
import java.net.http.HttpResponse;
import java.time.Instant;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// What keys' moderation policies do to requests, over HTTP.
class ModerationApiTest {
    private static final String MODEL = "talker";
    private static final String GOOD =
            "Once upon a time there lived a miller by the river. He had three sons and a cat. ";
    private static final String BAD = "Then he said: I will kill you, you fucking idiot, and laughed. ";
    private static final String REST = "The cat went away and was never seen again.";
    private static final String THREAT = "Write this to him: I will kill you";

    private static Accounts accounts;
    private static TestServer server;

    @BeforeAll
    static void start() {
        accounts = new Accounts(Database.inMemory());
        server = TestServer.start(ServerConfig.local(0), accounts);
        server.models.put(
                new TalkingModel(MODEL, 4096, List.of(GOOD + BAD + REST)),
                TestServer.CREATED,
                Optional.of(TalkingModel.format()));
    }

    @AfterAll
    static void stop() {
        server.close();
        accounts.close();
    }

    private static TestServer holder(String name, String policy) {
        return server.withKey(accounts.keys()
                .create(
                        name,
                        EnumSet.of(Scope.INFERENCE, Scope.FILES),
                        KeyLimits.NONE,
                        Optional.of(ModerationPolicy.parse(policy)),
                        Instant.now(),
                        Optional.empty())
                .secret());
    }

    private static UsageRow row(HttpResponse<String> response) {
        String id = response.headers().firstValue("x-request-id").orElseThrow();
        return accounts.usage().rows(UsageStore.month(Instant.now()), 10_000).stream()
                .filter(each -> each.requestId().equals(id))
                .findFirst()
                .orElseThrow();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "v1/completions | {'model': 'talker', 'prompt': 'TEXT', 'max_tokens': 90}",
                "v1/completions | {'model': 'talker', 'prompt': ['fine', 'TEXT'], 'stream': true, 'max_tokens': 90}",
                "v1/chat/completions | {'model': 'talker', 'messages': [{'role': 'user', 'content': 'TEXT'}]}",
                "v1/chat/completions | {'model': 'talker', 'stream': true, 'messages': [{'role': 'user', 'content': [{'type': 'text', 'text': 'TEXT'}]}, {'role': 'assistant', 'content': 'fine'}, {'role': 'user', 'content': 'Go on'}]}",
                "v1/responses | {'model': 'talker', 'input': 'TEXT'}",
                "v1/responses | {'model': 'talker', 'input': 'Hello', 'instructions': 'TEXT', 'stream': true}",
            })
    void whatIsAskedIsRefusedOnEveryRoute(String route, String body) throws Exception {
        TestServer holder = holder("input " + route + body.hashCode(), "{\"input\": {\"*\": {\"refuse\": true}}}");
        HttpResponse<String> refused =
                holder.post(route, body.replace('\'', '"').replace("TEXT", THREAT), "application/json");
        assertThat(refused.statusCode()).isEqualTo(400);
        assertThat(refused.body())
                .contains("\"code\":\"content_filter\"")
                .contains("invalid_request_error")
                .contains("harassment/threatening")
                .doesNotContain(THREAT);
        UsageRow row = row(refused);
        assertThat(row.status()).isEqualTo(400);
        assertThat(row.promptTokens() + row.completionTokens()).isZero();
        assertThat(row.moderation()).contains("input:harassment/threatening=refuse");
        HttpResponse<String> answered =
                holder.post(route, body.replace('\'', '"').replace("TEXT", "A tale"), "application/json");
        assertThat(answered.statusCode()).isEqualTo(200);
        assertThat(answered.body()).contains("kill"); // nothing is said of the output
    }

    private static ChatCompletionCreateParams chat() {
        return ChatCompletionCreateParams.builder()
                .model(MODEL)
                .addUserMessage("A tale")
                .build();
    }

    @Test
    void anAnswerEndsWhereItIsRefused() throws Exception {
        TestServer holder = holder("output", "{\"output\": {\"harassment/threatening\": {\"refuse\": 0.5}}}");
        OpenAIClient client = holder.openai();
        try {
            ChatCompletion completion =
                    client.chat().completions().create(chat()).validate();
            ChatCompletion.Choice choice = completion.choices().getFirst();
            assertThat(choice.finishReason()).isEqualTo(ChatCompletion.Choice.FinishReason.CONTENT_FILTER);
            assertThat(choice.message().content().orElseThrow()).isEqualTo(GOOD.strip());

            List<ChatCompletionChunk> chunks;
            try (StreamResponse<ChatCompletionChunk> stream =
                    client.chat().completions().createStreaming(chat())) {
                chunks = stream.stream().map(ChatCompletionChunk::validate).toList();
            }
            String streamed = chunks.stream()
                    .flatMap(chunk -> chunk.choices().stream())
                    .map(each -> each.delta().content().orElse(""))
                    .collect(Collectors.joining());
            assertThat(streamed).isEqualTo(GOOD.strip());
            assertThat(chunks.getLast().choices().getFirst().finishReason())
                    .contains(ChatCompletionChunk.Choice.FinishReason.CONTENT_FILTER);

            Completion text = client.completions()
                    .create(CompletionCreateParams.builder()
                            .model(MODEL)
                            .prompt("A tale")
                            .maxTokens(500)
                            .build())
                    .validate();
            assertThat(text.choices().getFirst().finishReason())
                    .isEqualTo(CompletionChoice.FinishReason.CONTENT_FILTER);
            assertThat(text.choices().getFirst().text()).isEqualTo(GOOD.strip());

            Response response = client.responses()
                    .create(ResponseCreateParams.builder()
                            .model(MODEL)
                            .input("A tale")
                            .build())
                    .validate();
            assertThat(response.status()).contains(ResponseStatus.INCOMPLETE);
            assertThat(response.incompleteDetails().orElseThrow().reason().orElseThrow())
                    .isEqualTo(Response.IncompleteDetails.Reason.CONTENT_FILTER);
            assertThat(response.output().toString()).contains("a cat").doesNotContain("kill");
        } finally {
            client.close();
        }
        HttpResponse<String> events = holder.post(
                "v1/responses", "{\"model\": \"talker\", \"input\": \"A tale\", \"stream\": true}", "application/json");
        assertThat(events.body())
                .contains("event: response.incomplete")
                .contains("\"reason\":\"content_filter\"")
                .doesNotContain("kill");
        assertThat(row(events).moderation()).containsExactly("output:harassment/threatening=refuse");
        assertThat(row(events).completionTokens()).isPositive();
    }

    private static JsonNode made(TestServer holder, String id) throws Exception {
        JsonNode response =
                JsonMapper.shared().readTree(holder.get("v1/responses/" + id).body());
        for (int i = 0;
                i < 600
                        && List.of("queued", "in_progress")
                                .contains(response.path("status").stringValue());
                i++) {
            Thread.sleep(20);
            response = JsonMapper.shared()
                    .readTree(holder.get("v1/responses/" + id).body());
        }
        return response;
    }

    @Test
    void whatIsMadeInTheBackgroundIsHeldToThePolicyToo() throws Exception {
        TestServer holder = holder("background", "refuse");
        String body = "{\"model\": \"talker\", \"background\": true, \"input\": \"TEXT\"}";
        HttpResponse<String> refused = holder.post("v1/responses", body.replace("TEXT", THREAT), "application/json");
        assertThat(refused.statusCode()).isEqualTo(400);
        assertThat(refused.body()).contains("\"code\":\"content_filter\"").doesNotContain(THREAT);

        HttpResponse<String> begun = holder.post("v1/responses", body.replace("TEXT", "A tale"), "application/json");
        assertThat(begun.statusCode()).isEqualTo(200);
        JsonNode response = made(
                holder, JsonMapper.shared().readTree(begun.body()).path("id").stringValue());
        assertThat(response.path("status").stringValue()).isEqualTo("incomplete");
        assertThat(response.path("incomplete_details").path("reason").stringValue())
                .isEqualTo("content_filter");
        assertThat(response.path("output").toString()).contains("a cat").doesNotContain("kill");
        List<UsageRow> rows = accounts.usage().rows(UsageStore.month(Instant.now()), 10_000).stream()
                .filter(row -> row.moderation().contains("output:harassment/threatening=refuse")
                        && row.completionTokens() > 0
                        && row.completionTokens()
                                == response.path("usage").path("output_tokens").longValue())
                .toList();
        assertThat(rows).as("what was generated is paid").isNotEmpty();
    }

    @Test
    void whatIsFlaggedIsToldAndAnswered() throws Exception {
        TestServer holder = holder("flags", "flag");
        String body = "{\"model\": \"talker\", \"messages\": [{\"role\": \"user\", \"content\": \"" + THREAT + "\"}]}";
        HttpResponse<String> answer = holder.post("v1/chat/completions", body, "application/json");
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body()).contains("kill you").contains("never seen again");
        assertThat(answer.headers().firstValue("x-epitome-moderation").orElseThrow())
                .contains("input:harassment/threatening=flag")
                .contains("output:harassment/threatening=flag");
    }

    /// Where a key has no policy, or nobody needs one, the service's holds; a key's own comes first.
    @Test
    void aWholeServiceHasAPolicy() throws Exception {
        ServerConfig strict = ServerConfig.local(0).with(c -> c.moderation = ModerationPolicy.parse("refuse"));
        try (Accounts own = new Accounts(Database.inMemory());
                TestServer other = TestServer.start(strict, own)) {
            String body = "{\"model\": \"fake\", \"prompt\": \"" + THREAT + "\", \"max_tokens\": 1}";
            assertThat(other.post(body).body()).contains("content_filter");
            String lenient = own.keys()
                    .create(
                            "lenient",
                            EnumSet.of(Scope.INFERENCE),
                            KeyLimits.NONE,
                            Optional.of(ModerationPolicy.LOG),
                            Instant.now(),
                            Optional.empty())
                    .secret();
            assertThat(other.withKey(lenient).post(body).statusCode()).isEqualTo(200);
        }
    }

    @Test
    void withoutAPolicyItIsCountedOnly() throws Exception {
        double before = counted();
        HttpResponse<String> answer = server.post("{\"model\": \"talker\", \"prompt\": \"" + THREAT + "\"}");
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.headers().firstValue("x-epitome-moderation")).isEmpty();
        assertThat(row(answer).moderation()).contains("input:harassment/threatening=log");
        assertThat(counted()).isEqualTo(before + 1);
        TestServer unwatched = holder("unwatched", "off");
        HttpResponse<String> second = unwatched.post("{\"model\": \"talker\", \"prompt\": \"" + THREAT + "\"}");
        assertThat(row(second).moderation()).isEmpty();
        assertThat(counted()).isEqualTo(before + 1);
    }

    private static double counted() throws Exception {
        return server.get("metrics")
                .body()
                .lines()
                .filter(line -> line.startsWith("epitome_moderated_total{")
                        && line.contains("action=\"log\"")
                        && line.contains("category=\"harassment/threatening\"")
                        && line.contains("side=\"input\""))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .sum();
    }

    @Test
    void aPolicyChangesFromTheNextRequestOn() throws Exception {
        TestServer holder = holder("changing", "off");
        String body = "{\"model\": \"talker\", \"prompt\": \"" + THREAT + "\"}";
        assertThat(holder.post(body).statusCode()).isEqualTo(200);
        accounts.keys().moderate("changing", Optional.of(ModerationPolicy.parse("refuse")));
        OpenAIClient client = holder.openai();
        try {
            assertThatThrownBy(() -> client.completions()
                            .create(CompletionCreateParams.builder()
                                    .model(MODEL)
                                    .prompt(THREAT)
                                    .build()))
                    .isInstanceOf(BadRequestException.class)
                    .hasMessageContaining("moderation policy");
        } finally {
            client.close();
        }
        accounts.keys().moderate("changing", Optional.empty());
        assertThat(holder.post(body).statusCode()).isEqualTo(200);
    }

    @Test
    void administratorsSetPolicies() throws Exception {
        HttpResponse<String> made = server.post(
                "api/admin/keys",
                "{\"name\": \"by the page\", \"moderation\": {\"input\": {\"hate\": {\"refuse\": 0.7}}}}",
                "application/json");
        assertThat(made.statusCode()).isEqualTo(201);
        assertThat(made.body()).contains("\"moderation\":{\"input\":{\"hate\":{\"refuse\":0.7}},\"output\":{}}");
        String id = accounts.keys().list().stream()
                .filter(key -> key.name().equals("by the page"))
                .findFirst()
                .orElseThrow()
                .id();
        assertThat(server.post("api/admin/keys/" + id, "{\"moderation\": \"refuse\"}", "application/json")
                        .body())
                .contains("\"moderation\":\"refuse\"");
        HttpResponse<String> wrong = server.post(
                "api/admin/keys/" + id, "{\"moderation\": {\"input\": {\"rude\": {}}}}", "application/json");
        assertThat(wrong.statusCode()).isEqualTo(400);
        assertThat(wrong.body()).contains("there is no category 'rude'");
        assertThat(server.post("api/admin/keys/none", "{\"moderation\": \"off\"}", "application/json")
                        .statusCode())
                .isEqualTo(404);
    }
}
