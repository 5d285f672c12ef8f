package ai.epitome.serve;

import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.serve.account.Database;
import ai.epitome.serve.account.TestDatabases;
import ai.epitome.serve.store.BatchStore;
import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.MultipartField;
import com.openai.models.batches.Batch;
import com.openai.models.batches.BatchCreateParams;
import com.openai.models.files.FileCreateParams;
import com.openai.models.files.FilePurpose;
import com.openai.models.responses.Response;
import com.openai.models.responses.ResponseCreateParams;
import com.openai.models.responses.ResponseStatus;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The service is killed in the middle of a batch and of a response in the background, and another one goes on with
/// its database: what was answered stays as it was, the batch goes on behind it, and the response says that it failed.
class KilledBatchTest {
    private static final int LINES = 24;
    private static final int DONE = 6;

    static Stream<String> databases() {
        return TestDatabases.urls().stream();
    }

    private static OpenAIClient client(BufferedReader out) throws Exception {
        return OpenAIOkHttpClient.builder()
                .baseUrl(ServedProcess.uri(out.readLine()) + "v1")
                .apiKey("none")
                .maxRetries(0)
                .build();
    }

    private static Batch batch(OpenAIClient client) {
        StringBuilder lines = new StringBuilder();
        IntStream.range(0, LINES)
                .forEach(i -> lines.append("{\"custom_id\": \"line-%d\", \"method\": \"POST\", ".formatted(i))
                        .append(
                                "\"url\": \"/v1/chat/completions\", \"body\": {\"model\": \"slow\", \"max_tokens\": 12, ")
                        .append("\"messages\": [{\"role\": \"user\", \"content\": \"x\"}]}}\n"));
        InputStream content = new ByteArrayInputStream(lines.toString().getBytes(StandardCharsets.UTF_8));
        String file = client.files()
                .create(FileCreateParams.builder()
                        .purpose(FilePurpose.BATCH)
                        .file(MultipartField.<InputStream>builder()
                                .value(content)
                                .filename("in.jsonl")
                                .build())
                        .build())
                .id();
        return client.batches()
                .create(BatchCreateParams.builder()
                        .inputFileId(file)
                        .endpoint(BatchCreateParams.Endpoint.V1_CHAT_COMPLETIONS)
                        .completionWindow(BatchCreateParams.CompletionWindow._24H)
                        .build());
    }

    private static Response background(OpenAIClient client, int tokens) {
        return client.responses()
                .create(ResponseCreateParams.builder()
                        .model(ServedProcess.SLOW)
                        .input("Hi")
                        .maxOutputTokens(tokens)
                        .background(true)
                        .build());
    }

    private static Response await(OpenAIClient client, Response made) throws InterruptedException {
        Response now = client.responses().retrieve(made.id()).validate();
        while (List.of(ResponseStatus.QUEUED, ResponseStatus.IN_PROGRESS)
                .contains(now.status().orElseThrow())) {
            Thread.sleep(50);
            now = client.responses().retrieve(made.id()).validate();
        }
        return now;
    }

    private static List<String> results(String url, String batch) {
        try (Database database = Database.open(url)) {
            return new BatchStore(database)
                    .results(batch).stream().map(BatchStore.Result::json).toList();
        }
    }

    @ParameterizedTest
    @MethodSource("databases")
    void aBatchGoesOnAndAResponseSaysThatItFailed(String url) throws Exception {
        Batch begun;
        Response finished;
        Response cut;
        Process process = KilledServiceTest.serve(url);
        try (BufferedReader out = KilledServiceTest.output(process)) {
            OpenAIClient client = client(out);
            finished = await(client, background(client, 3));
            begun = batch(client);
            cut = background(client, 250); // 5 s
            while (results(url, begun.id()).size() < DONE
                    || client.responses()
                            .retrieve(cut.id())
                            .status()
                            .filter(ResponseStatus.IN_PROGRESS::equals)
                            .isEmpty()) {
                Thread.sleep(20);
            }
            process.destroyForcibly().onExit().join(); // SIGKILL
            client.close();
        } finally {
            process.destroyForcibly();
        }
        List<String> before = results(url, begun.id());
        assertThat(before).hasSizeBetween(DONE, LINES - 1);
        Process next = KilledServiceTest.serve(url);
        try (BufferedReader out = KilledServiceTest.output(next)) {
            OpenAIClient client = client(out);
            assertThat(client.responses().retrieve(finished.id())).isEqualTo(finished);
            Response failed = await(client, cut);
            assertThat(failed.status()).contains(ResponseStatus.FAILED);
            assertThat(failed.error().orElseThrow().message()).contains("was stopped");
            check(client, begun, before);
            client.close();
        } finally {
            next.destroyForcibly().onExit().join();
        }
    }

    /// Every line has one answer, and those of before the kill are the same ones.
    private static void check(OpenAIClient client, Batch begun, List<String> before) throws Exception {
        Batch now = client.batches().retrieve(begun.id()).validate();
        while (now.status().equals(Batch.Status.VALIDATING)
                || now.status().equals(Batch.Status.IN_PROGRESS)
                || now.status().equals(Batch.Status.FINALIZING)) {
            Thread.sleep(100);
            now = client.batches().retrieve(begun.id()).validate();
        }
        assertThat(now.status()).isEqualTo(Batch.Status.COMPLETED);
        String output;
        try (var response = client.files().content(now.outputFileId().orElseThrow())) {
            output = new String(response.body().readAllBytes(), StandardCharsets.UTF_8);
        }
        assertThat(output.lines()).containsAll(before);
        List<String> ids = new ArrayList<>();
        output.lines().forEach(line -> {
            JsonNode json = JsonMapper.shared().readTree(line);
            ids.add(json.path("custom_id").stringValue());
            assertThat(json.path("response").path("status_code").intValue()).isEqualTo(200);
        });
        assertThat(ids)
                .containsExactlyInAnyOrderElementsOf(
                        IntStream.range(0, LINES).mapToObj(i -> "line-" + i).toList());
    }
}
