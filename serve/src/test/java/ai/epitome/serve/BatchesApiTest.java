package ai.epitome.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.epitome.serve.account.Accounts;
import ai.epitome.serve.account.Database;
import ai.epitome.serve.account.KeyLimits;
import ai.epitome.serve.account.Scope;
import ai.epitome.serve.account.TestDatabases;
import ai.epitome.serve.account.UsageStore;
import ai.epitome.serve.body.MultipartForm;
import ai.epitome.serve.http.ApiException;
import ai.epitome.serve.moderation.ModerationPolicy;
import com.openai.client.OpenAIClient;
import com.openai.core.MultipartField;
import com.openai.errors.BadRequestException;
import com.openai.errors.NotFoundException;
import com.openai.errors.PermissionDeniedException;
import com.openai.models.batches.Batch;
import com.openai.models.batches.BatchCreateParams;
import com.openai.models.files.FileCreateParams;
import com.openai.models.files.FileListParams;
import com.openai.models.files.FileObject;
import com.openai.models.files.FilePurpose;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// OpenAI's own Java client at `/v1/files` and `/v1/batches`, every answer validated against its schema.
class BatchesApiTest {
    private static TestServer server;
    private static OpenAIClient client;

    @BeforeAll
    static void start() {
        server = TestServer.start(ApiSuite.BATCHES);
        server.models.put(server.model, TestServer.CREATED, Optional.of(UntrainedModel.format()));
        client = server.openai();
    }

    @AfterAll
    static void stop() {
        client.close();
        server.close();
    }

    private static FileObject upload(OpenAIClient client, String name, String content) {
        return client.files()
                .create(FileCreateParams.builder()
                        .purpose(FilePurpose.BATCH)
                        .file(MultipartField.<InputStream>builder()
                                .value(new ByteArrayInputStream(content.getBytes(StandardCharsets.UTF_8)))
                                .filename(name)
                                .build())
                        .build())
                .validate();
    }

    private static String content(OpenAIClient client, String file) throws Exception {
        try (var response = client.files().content(file)) {
            return new String(response.body().readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    @Test
    void linesAreHeldToTheKeysModerationPolicy() throws Exception {
        try (Accounts accounts = new Accounts(Database.inMemory());
                TestServer moderated = TestServer.start(ServerConfig.local(0), accounts)) {
            String secret = accounts.keys()
                    .create(
                            "k",
                            EnumSet.of(Scope.INFERENCE, Scope.FILES),
                            KeyLimits.NONE,
                            Optional.of(ModerationPolicy.parse("refuse")),
                            Instant.now(),
                            Optional.empty())
                    .secret();
            OpenAIClient holder = moderated.withKey(secret).openai();
            String lines = line("good", "/v1/completions", "{\"model\": \"fake\", \"prompt\": \"To be\"}")
                    + line("bad", "/v1/completions", "{\"model\": \"fake\", \"prompt\": \"I will kill you\"}");
            Batch done = end(holder, create(holder, lines, BatchCreateParams.Endpoint.V1_COMPLETIONS));
            assertThat(done.status().asString()).isEqualTo("completed");
            assertThat(content(holder, done.outputFileId().orElseThrow())).contains("\"custom_id\":\"good\"");
            assertThat(content(holder, done.errorFileId().orElseThrow()))
                    .contains("\"custom_id\":\"bad\"")
                    .contains("\"code\":\"content_filter\"");
            holder.close();
        }
    }

    @Test
    void filesAreKeptAsTheyCame() throws Exception {
        String text = "Grüße\r\n--x\r\n\u0000\n";
        FileObject made = upload(client, "größe.jsonl", text);
        assertThat(made.id()).startsWith("file-");
        assertThat(made.bytes()).isEqualTo(text.getBytes(StandardCharsets.UTF_8).length);
        assertThat(made.filename()).isEqualTo("größe.jsonl");
        assertThat(client.files().retrieve(made.id()).validate()).isEqualTo(made);
        assertThat(content(client, made.id())).isEqualTo(text);
        for (int i = 0; i < 4; i++) {
            upload(client, "more.jsonl", "x");
        }
        List<FileObject> all = client
                .files()
                .list(FileListParams.builder()
                        .limit(2)
                        .order(FileListParams.Order.ASC)
                        .purpose("batch")
                        .build())
                .autoPager()
                .stream()
                .map(FileObject::validate)
                .toList();
        assertThat(all).hasSizeGreaterThanOrEqualTo(5).contains(made).doesNotHaveDuplicates();
        assertThat(client.files().delete(made.id()).validate().deleted()).isTrue();
        assertThatThrownBy(() -> client.files().retrieve(made.id())).isInstanceOf(NotFoundException.class);
        assertThatThrownBy(() -> content(client, made.id())).isInstanceOf(NotFoundException.class);
    }

    private static Batch create(OpenAIClient client, String lines, BatchCreateParams.Endpoint endpoint) {
        return client.batches()
                .create(BatchCreateParams.builder()
                        .inputFileId(upload(client, "in.jsonl", lines).id())
                        .endpoint(endpoint)
                        .completionWindow(BatchCreateParams.CompletionWindow._24H)
                        .build())
                .validate();
    }

    private static Batch end(OpenAIClient client, Batch batch) throws InterruptedException {
        Batch now = batch;
        for (int i = 0; i < 400; i++) {
            now = client.batches().retrieve(batch.id()).validate();
            if (List.of("completed", "failed", "cancelled", "expired")
                    .contains(now.status().asString())) {
                return now;
            }
            Thread.sleep(50);
        }
        throw new AssertionError("the batch does not end: " + now);
    }

    private static String line(String id, String url, String body) {
        return "{\"custom_id\": \"%s\", \"method\": \"POST\", \"url\": \"%s\", \"body\": %s}\n"
                .formatted(id, url, body);
    }

    private static String chat(String id, String model) {
        return line(
                id,
                "/v1/chat/completions",
                "{\"model\": \"" + model
                        + "\", \"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}], \"max_tokens\": 5, \"temperature\": 0}");
    }

    private static List<JsonNode> lines(String jsonl) {
        return jsonl.lines().map(line -> JsonMapper.shared().readTree(line)).toList();
    }

    @Test
    void everyLineIsAnsweredInItsFile() throws Exception {
        StringBuilder input = new StringBuilder();
        IntStream.range(0, 20).forEach(i -> input.append(chat("c" + i, i == 7 ? "nobody" : "fake")));
        Batch made = create(client, input.toString(), BatchCreateParams.Endpoint.V1_CHAT_COMPLETIONS);
        assertThat(made.id()).startsWith("batch_");
        Batch ended = end(client, made);
        assertThat(ended.status().asString()).isEqualTo("completed");
        var counts = ended.requestCounts().orElseThrow();
        assertThat(List.of(counts.total(), counts.completed(), counts.failed())).containsExactly(20L, 19L, 1L);
        List<JsonNode> good = lines(content(client, ended.outputFileId().orElseThrow()));
        assertThat(good).hasSize(19);
        assertThat(good.getFirst().path("custom_id").asString()).isEqualTo("c0");
        assertThat(good.getFirst()
                        .at("/response/body/choices/0/message/content")
                        .asString())
                .isEqualTo(FakeModel.VERSE.substring(0, 5));
        List<JsonNode> bad = lines(content(client, ended.errorFileId().orElseThrow()));
        assertThat(bad).hasSize(1);
        assertThat(bad.getFirst().path("custom_id").asString()).isEqualTo("c7");
        assertThat(bad.getFirst().at("/response/status_code").intValue()).isEqualTo(404);
        assertThat(client.batches().list().autoPager().stream().map(Batch::validate))
                .contains(ended);
        assertThatThrownBy(() -> client.batches().cancel(made.id()))
                .hasMessageContaining("cannot be cancelled any more");
    }

    @Test
    void otherRoutesToo() throws Exception {
        for (String[] each : new String[][] {
            {"/v1/completions", "{\"model\": \"fake\", \"prompt\": \"x\"}", "/choices/0/text"},
            {"/v1/embeddings", "{\"model\": \"fake\", \"input\": \"x\"}", "/data/0/embedding"},
            {"/v1/responses", "{\"model\": \"fake\", \"input\": \"x\", \"max_output_tokens\": 3}", "/output/0/id"},
            {"/v1/moderations", "{\"input\": \"x\"}", "/results/0/flagged"}
        }) {
            Batch ended =
                    end(client, create(client, line("a", each[0], each[1]), BatchCreateParams.Endpoint.of(each[0])));
            assertThat(ended.outputFileId()).as(each[0] + " " + ended).isPresent();
            JsonNode answer =
                    lines(content(client, ended.outputFileId().orElseThrow())).getFirst();
            assertThat(answer.at("/response/body" + each[2]).isMissingNode())
                    .as(answer.toString())
                    .isFalse();
        }
    }

    @Test
    void wrongLinesFailTheBatch() throws Exception {
        String lines = chat("a", "fake") + chat("a", "fake") + "{]\n" + line("b", "/v1/embeddings", "{}")
                + "{\"custom_id\": 5}\n";
        Batch ended = end(client, create(client, lines, BatchCreateParams.Endpoint.V1_CHAT_COMPLETIONS));
        assertThat(ended.status().asString()).isEqualTo("failed");
        assertThat(ended.errors().orElseThrow().data().orElseThrow())
                .extracting(error -> error.line().orElse(0L))
                .containsExactly(2L, 3L, 4L, 5L);
        Batch streamed = end(
                client,
                create(
                        client,
                        line("a", "/v1/completions", "{\"model\": \"fake\", \"stream\": true}"),
                        BatchCreateParams.Endpoint.V1_COMPLETIONS));
        assertThat(streamed.requestCounts().orElseThrow().failed()).isEqualTo(1);
    }

    @Test
    void whatNoBatchCanBeIsRefused() {
        assertThatThrownBy(() -> create(client, "x", BatchCreateParams.Endpoint.of("/v1/models")))
                .isInstanceOf(BadRequestException.class);
        assertThatThrownBy(() -> client.batches()
                        .create(BatchCreateParams.builder()
                                .inputFileId("file-none")
                                .endpoint(BatchCreateParams.Endpoint.V1_COMPLETIONS)
                                .completionWindow(BatchCreateParams.CompletionWindow._24H)
                                .build()))
                .isInstanceOf(BadRequestException.class);
        assertThatThrownBy(() -> client.batches().retrieve("batch_none")).isInstanceOf(NotFoundException.class);
    }

    @Test
    void aBatchThatIsCancelledKeepsWhatIsDone() throws Exception {
        try (TestServer gated = TestServer.start(ApiSuite.CANCELLED_BATCHES)) {
            gated.model.allowed = 30;
            StringBuilder input = new StringBuilder();
            IntStream.range(0, 30)
                    .forEach(i -> input.append(line(
                            "c" + i,
                            "/v1/completions",
                            "{\"model\": \"fake\", \"prompt\": \"x\", \"max_tokens\": 5}")));
            OpenAIClient own = gated.openai();
            Batch made = create(own, input.toString(), BatchCreateParams.Endpoint.V1_COMPLETIONS);
            while (gated.model.generated.get() < 30) {
                Thread.sleep(5);
            }
            assertThat(own.batches().cancel(made.id()).validate().status().asString())
                    .isEqualTo("cancelling");
            Batch ended = end(own, made);
            assertThat(ended.status().asString()).isEqualTo("cancelled");
            assertThat(ended.requestCounts().orElseThrow().completed()).isLessThanOrEqualTo(6);
            own.close();
        }
    }

    /// The server stops in the middle of a batch; the next one on the same database ends it, and does nothing twice.
    @Test
    void aBatchSurvivesARestart() throws Exception {
        String url = TestDatabases.sqlite();
        String id;
        int before;
        try (Accounts accounts = new Accounts(Database.open(url));
                TestServer first = TestServer.start(ServerConfig.local(0), accounts)) {
            first.model.allowed = 25;
            StringBuilder input = new StringBuilder();
            IntStream.range(0, 20)
                    .forEach(i -> input.append(line(
                            "c" + i,
                            "/v1/completions",
                            "{\"model\": \"fake\", \"prompt\": \"x\", \"max_tokens\": 5}")));
            OpenAIClient own = first.openai();
            id = create(own, input.toString(), BatchCreateParams.Endpoint.V1_COMPLETIONS)
                    .id();
            while (first.model.generated.get() < 25) {
                Thread.sleep(5);
            }
            own.close();
            first.server.close();
            before = (int) accounts.usage().rows(UsageStore.month(Instant.now()), 1000).stream()
                    .filter(row -> row.status() == 200 && row.completionTokens() == 5)
                    .count();
            assertThat(before).isBetween(1, 5);
        }
        try (Accounts accounts = new Accounts(Database.open(url));
                TestServer second = TestServer.start(ServerConfig.local(0), accounts)) {
            OpenAIClient own = second.openai();
            Batch ended = end(own, own.batches().retrieve(id));
            assertThat(ended.requestCounts().orElseThrow().completed()).isEqualTo(20);
            assertThat(second.model.generated.get()).isEqualTo((20 - before) * 5);
            own.close();
        }
    }

    @Test
    void aKeySeesOnlyItsOwn() throws Exception {
        try (Accounts accounts = new Accounts(Database.inMemory());
                TestServer own = TestServer.start(ServerConfig.local(0), accounts)) {
            List<OpenAIClient> clients = new ArrayList<>();
            for (EnumSet<Scope> scopes : List.of(
                    EnumSet.of(Scope.FILES, Scope.INFERENCE),
                    EnumSet.of(Scope.FILES, Scope.INFERENCE),
                    EnumSet.of(Scope.FILES))) {
                clients.add(own.withKey(accounts.keys()
                                .create("k" + clients.size(), scopes, KeyLimits.NONE, Instant.now(), Optional.empty())
                                .secret())
                        .openai());
            }
            String completion = line("a", "/v1/completions", "{\"model\": \"fake\", \"prompt\": \"x\"}");
            Batch batch = create(clients.get(0), completion, BatchCreateParams.Endpoint.V1_COMPLETIONS);
            end(clients.get(0), batch);
            for (OpenAIClient other : clients.subList(1, 3)) {
                assertThatThrownBy(() -> other.batches().retrieve(batch.id())).isInstanceOf(NotFoundException.class);
                assertThatThrownBy(() -> other.files().retrieve(batch.inputFileId()))
                        .isInstanceOf(NotFoundException.class);
                assertThatThrownBy(() -> other.files().delete(batch.inputFileId()))
                        .isInstanceOf(NotFoundException.class);
                assertThat(other.files().list().data()).isEmpty();
                assertThat(other.batches().list().data()).isEmpty();
            }
            assertThatThrownBy(() -> create(clients.get(2), completion, BatchCreateParams.Endpoint.V1_COMPLETIONS))
                    .isInstanceOf(PermissionDeniedException.class);
            assertThat(accounts.usage().rows(UsageStore.month(Instant.now()), 100))
                    .filteredOn(row -> row.route().equals("/v1/completions"))
                    .singleElement()
                    .satisfies(row -> assertThat(row.completionTokens()).isEqualTo(16));
            clients.forEach(OpenAIClient::close);
        }
    }

    @Test
    void formsFromOtherSitesAreRefused() throws Exception {
        String form = "--b\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--b\r\n"
                + "Content-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nx\r\n--b--\r\n";
        String head = "POST /v1/files HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\n"
                + "Content-Length: " + form.length() + "\r\nConnection: close\r\n";
        assertThat(server.raw(head + "\r\n" + form)).startsWith("HTTP/1.1 200");
        assertThat(server.raw(head + "Origin: http://localhost\r\n\r\n" + form)).startsWith("HTTP/1.1 200");
        assertThat(server.raw(head + "Origin: https://evil.example\r\n\r\n" + form))
                .startsWith("HTTP/1.1 403");
    }

    @Property(tries = 2_000)
    void formsAreRefusedOrTaken(@ForAll long seed) {
        Random random = new Random(seed);
        byte[] form = ("--b\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--b\r\n"
                        + "Content-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nx\r\n--b--\r\n")
                .getBytes(StandardCharsets.ISO_8859_1);
        byte[] bytes = Arrays.copyOf(form, random.nextInt(form.length + 1));
        for (int i = random.nextInt(4); i > 0 && bytes.length > 0; i--) {
            bytes[random.nextInt(bytes.length)] = "\r\n-b\"".getBytes(StandardCharsets.ISO_8859_1)[random.nextInt(5)];
        }
        try {
            MultipartForm.parse("multipart/form-data; boundary=b", bytes);
        } catch (ApiException e) {
            assertThat(e.status()).isEqualTo(400);
        }
    }
}
