package ai.epitome.cli.serve;

import static ai.epitome.cli.CommandResult.done;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.epitome.cli.CommandProcess;
import ai.epitome.serve.account.Accounts;
import ai.epitome.serve.account.Database;
import ai.epitome.serve.account.KeyLimits;
import ai.epitome.serve.account.Scope;
import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.core.MultipartField;
import com.openai.errors.NotFoundException;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.files.FileCreateParams;
import com.openai.models.files.FilePurpose;
import com.openai.models.finetuning.jobs.FineTuningJob;
import com.openai.models.finetuning.jobs.FineTuningJobEvent;
import com.openai.models.finetuning.jobs.JobCreateParams;
import com.openai.models.finetuning.jobs.checkpoints.FineTuningJobCheckpoint;
import com.openai.models.finetuning.methods.DpoHyperparameters;
import com.openai.models.finetuning.methods.DpoMethod;
import com.openai.models.finetuning.methods.SupervisedHyperparameters;
import com.openai.models.finetuning.methods.SupervisedMethod;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Jobs that really train, in the processes of a served command, asked for by OpenAI's own client.
class FineTuningJobsTest {
    private static final Pattern SERVING = Pattern.compile("serving .* at http://127[.]0[.]0[.]1:(\\d+)/");
    private static final int PATIENCE_SECONDS = 120;

    @TempDir
    static Path folder;

    private static CommandProcess service;
    private static OpenAIClient client;
    private static String key;

    @BeforeAll
    static void start() throws Exception {
        Path text = Files.writeString(folder.resolve("text.txt"), "to be, or not to be\n".repeat(50));
        done(
                "pretrain",
                text.toString(),
                "-o",
                folder.resolve("tiny").toString(),
                "--depth",
                "1",
                "--context",
                "48",
                "--batch",
                "2",
                "--steps",
                "2",
                "--threads",
                "1");
        key = key("first");
        serve();
    }

    private static String key(String name) {
        try (Accounts accounts = new Accounts(Database.open(database()))) {
            return accounts.keys()
                    .create(
                            name,
                            EnumSet.of(Scope.INFERENCE, Scope.FILES),
                            KeyLimits.NONE,
                            Instant.now(),
                            Optional.empty())
                    .secret();
        }
    }

    private static String database() {
        return folder.resolve("accounts.db").toString();
    }

    private static void serve() throws IOException, InterruptedException {
        service = CommandProcess.start(
                folder,
                List.of(
                        "serve",
                        folder.resolve("tiny").toString(),
                        "--port",
                        "0",
                        "--threads",
                        "1",
                        "--require-key",
                        "--database",
                        database(),
                        "--tuned",
                        folder.resolve("tuned").toString()));
        Matcher serving = SERVING.matcher(service.output());
        while (!serving.find()) {
            assertThat(service.isAlive()).as(service.output()).isTrue();
            Thread.sleep(20);
            serving = SERVING.matcher(service.output());
        }
        client = client(serving.group(1), key);
    }

    private static OpenAIClient client(String port, String secret) {
        return OpenAIOkHttpClient.builder()
                .baseUrl("http://127.0.0.1:" + port + "/v1")
                .apiKey(secret)
                .maxRetries(0)
                .build();
    }

    private static void killAndServe() throws IOException, InterruptedException {
        client.close();
        service.kill();
        serve();
    }

    @AfterAll
    static void stop() {
        client.close();
        service.close();
    }

    private static String upload(String name, String content) {
        return client.files()
                .create(FileCreateParams.builder()
                        .purpose(FilePurpose.FINE_TUNE)
                        .file(MultipartField.<InputStream>builder()
                                .value(new ByteArrayInputStream(content.getBytes(StandardCharsets.UTF_8)))
                                .filename(name)
                                .build())
                        .build())
                .validate()
                .id();
    }

    private static String chats(int from, int count) {
        StringBuilder lines = new StringBuilder();
        for (int i = from; i < from + count; i++) {
            lines.append("""
                    {"messages": [{"role": "user", "content": "%d?"}, {"role": "assistant", "content": "%d"}]}
                    """.formatted(i, i + 1));
        }
        return lines.toString();
    }

    private static String preferences(int count) {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < count; i++) {
            lines.append("""
                    {"input": {"messages": [{"role": "user", "content": "%d?"}]}, "preferred_output": [{"role": \
                    "assistant", "content": "yes"}], "non_preferred_output": [{"role": "assistant", "content": "no"}]}
                    """.formatted(i));
        }
        return lines.toString();
    }

    private static JobCreateParams.Builder supervised(String file, long epochs) {
        SupervisedHyperparameters hyperparameters = SupervisedHyperparameters.builder()
                .nEpochs(epochs)
                .batchSize(2)
                .learningRateMultiplier(2.0)
                .putAdditionalProperty("lora_rank", JsonValue.from(2))
                .build();
        return JobCreateParams.builder()
                .model("tiny")
                .trainingFile(file)
                .seed(7)
                .method(JobCreateParams.Method.builder()
                        .type(JobCreateParams.Method.Type.SUPERVISED)
                        .supervised(SupervisedMethod.builder()
                                .hyperparameters(hyperparameters)
                                .build())
                        .build());
    }

    private static FineTuningJob create(JobCreateParams.Builder wanted) {
        return client.fineTuning().jobs().create(wanted.build()).validate();
    }

    private static FineTuningJob now(FineTuningJob job) {
        return client.fineTuning().jobs().retrieve(job.id()).validate();
    }

    private static FineTuningJob end(FineTuningJob job) throws Exception {
        return await(job, FineTuningJobsTest::isOver);
    }

    private static boolean isOver(FineTuningJob job) {
        return List.of("succeeded", "failed", "cancelled").contains(job.status().asString());
    }

    private static FineTuningJob await(FineTuningJob job, Predicate<FineTuningJob> wanted) throws Exception {
        for (int i = 0; i < PATIENCE_SECONDS * 10; i++) {
            FineTuningJob now = now(job);
            if (wanted.test(now)) {
                return now;
            }
            assertThat(isOver(now)).as("%s: %s", now, events(job)).isFalse();
            Thread.sleep(100);
        }
        throw new AssertionError("the job does not get there: " + events(job));
    }

    /// The oldest first.
    private static List<FineTuningJobEvent> events(FineTuningJob job) {
        return client.fineTuning().jobs().listEvents(job.id()).autoPager().stream()
                .map(FineTuningJobEvent::validate)
                .toList()
                .reversed();
    }

    private static List<String> messages(FineTuningJob job) {
        return events(job).stream().map(FineTuningJobEvent::message).toList();
    }

    private static List<FineTuningJobCheckpoint> checkpoints(FineTuningJob job) {
        return client.fineTuning().jobs().checkpoints().list(job.id()).autoPager().stream()
                .map(FineTuningJobCheckpoint::validate)
                .toList();
    }

    private static String say(String model) {
        return client.chat()
                .completions()
                .create(ChatCompletionCreateParams.builder()
                        .model(model)
                        .addUserMessage("3?")
                        .maxCompletionTokens(8)
                        .temperature(0)
                        .build())
                .validate()
                .choices()
                .getFirst()
                .message()
                .content()
                .orElse("");
    }

    private static List<String> models() {
        return client.models().list().data().stream()
                .map(model -> model.validate().id())
                .toList();
    }

    @Test
    void aModelIsMadeServedKeptAndDeleted() throws Exception {
        FineTuningJob made = create(supervised(upload("chats.jsonl", chats(0, 40)), 12)
                .validationFile(upload("others.jsonl", chats(40, 5)))
                .suffix("sums"));
        assertThat(made.status()).isEqualTo(FineTuningJob.Status.QUEUED);
        FineTuningJob job = end(made);
        assertThat(job.status()).as("%s", messages(job)).isEqualTo(FineTuningJob.Status.SUCCEEDED);
        String model = job.fineTunedModel().orElseThrow();
        assertThat(model).startsWith("ft:tiny:sums:");
        assertThat(job.trainedTokens().orElseThrow()).isPositive();
        assertThat(job.hyperparameters().nEpochs().orElseThrow().asInteger()).isEqualTo(12);

        List<FineTuningJobEvent> events = events(job);
        assertThat(events).extracting(FineTuningJobEvent::message).contains("Fine-tuning job started");
        assertThat(events.toString()).contains("45 conversations, 5 of them held out");
        List<String> metrics = events.stream()
                .filter(event -> event.type().equals(Optional.of(FineTuningJobEvent.Type.METRICS)))
                .map(FineTuningJobEvent::message)
                .toList();
        assertThat(metrics)
                .anyMatch(line -> line.contains("train loss="))
                .anyMatch(line -> line.contains("valid loss="));
        List<FineTuningJobCheckpoint> checkpoints = checkpoints(job);
        assertThat(checkpoints).hasSize(3);
        assertThat(checkpoints.getFirst().metrics().validLoss()).isPresent();
        try (var csv = client.files().content(job.resultFiles().getFirst())) {
            List<String> lines = new String(csv.body().readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .toList();
            assertThat(lines.getFirst()).startsWith("step,train_loss,valid_loss,");
            assertThat(lines).hasSize(1 + (int) checkpoints.getFirst().stepNumber());
        }

        assertThat(models()).contains("tiny", model);
        String answer = say(model);
        assertThat(answer).isNotEqualTo(say("tiny"));
        assertThat(say(checkpoints.getFirst().fineTunedModelCheckpoint())).isEqualTo(answer);
        othersSeeNothing(job, model);
        killAndServe();
        assertThat(models()).contains(model);
        assertThat(say(model)).isEqualTo(answer);
        assertThat(client.models().delete(model).validate().deleted()).isTrue();
        assertThat(models()).doesNotContain(model);
        assertThatThrownBy(() -> say(model)).isInstanceOf(NotFoundException.class);
        assertThat(folder.resolve("tuned").resolve(job.id())).doesNotExist();
        assertThat(now(job).fineTunedModel()).isPresent();
    }

    private static void othersSeeNothing(FineTuningJob job, String model) throws IOException {
        Matcher serving = SERVING.matcher(service.output());
        assertThat(serving.find()).isTrue();
        OpenAIClient other = client(serving.group(1), key("other"));
        assertThat(other.models().list().data().toString()).doesNotContain(model);
        assertThatThrownBy(() -> other.models().retrieve(model)).isInstanceOf(NotFoundException.class);
        assertThatThrownBy(() -> other.models().delete(model)).isInstanceOf(NotFoundException.class);
        assertThatThrownBy(() -> other.fineTuning().jobs().retrieve(job.id())).isInstanceOf(NotFoundException.class);
        assertThat(other.fineTuning().jobs().list().data()).isEmpty();
        other.close();
    }

    /// Killed with its service, a job ends with the same weights as one that was left in peace; preferences go on from
    /// what it has made.
    @Test
    void aKilledJobGoesOnAndPreferencesFromThere() throws Exception {
        String file = upload("chats.jsonl", chats(0, 60));
        FineTuningJob peace = end(create(supervised(file, 50)));
        FineTuningJob killed = create(supervised(file, 50));
        while (checkpoints(killed).isEmpty()) {
            assertThat(isOver(now(killed))).isFalse();
            Thread.sleep(20);
        }
        killAndServe();
        FineTuningJob whole = end(killed);
        assertThat(messages(killed)).anyMatch(message -> message.matches("Going on after step [1-9]\\d*"));
        assertThat(whole.status()).isEqualTo(FineTuningJob.Status.SUCCEEDED);
        assertThat(weights(whole)).hasSameBinaryContentAs(weights(peace));

        FineTuningJob preferring = end(create(JobCreateParams.builder()
                .model(whole.fineTunedModel().orElseThrow())
                .trainingFile(upload("preferences.jsonl", preferences(30)))
                .method(JobCreateParams.Method.builder()
                        .type(JobCreateParams.Method.Type.DPO)
                        .dpo(DpoMethod.builder()
                                .hyperparameters(DpoHyperparameters.builder()
                                        .beta(0.2)
                                        .nEpochs(2)
                                        .build())
                                .build())
                        .build())));
        assertThat(preferring.status()).as("%s", messages(preferring)).isEqualTo(FineTuningJob.Status.SUCCEEDED);
        assertThat(messages(preferring)).anyMatch(message -> message.contains("valid accuracy="));
        assertThat(say(preferring.fineTunedModel().orElseThrow())).isNotNull();
    }

    private static Path weights(FineTuningJob job) {
        return folder.resolve("tuned").resolve(job.id()).resolve("model").resolve("adapter_model.safetensors");
    }

    @Test
    void whatIsWrongIsToldByFileAndLine() throws Exception {
        String bad = upload("bad.jsonl", chats(0, 3) + "{\"messages\": [{\"content\": \"Hi\"}]}\n");
        FineTuningJob job = end(create(supervised(bad, 1)));
        assertThat(job.status()).isEqualTo(FineTuningJob.Status.FAILED);
        FineTuningJob.Error error = job.error().orElseThrow();
        assertThat(error.code()).isEqualTo("invalid_training_file");
        assertThat(error.param()).contains("training_file");
        assertThat(error.message()).startsWith("bad.jsonl, line 4: turn 1 has no `role`");
        FineTuningJob other =
                end(create(supervised(upload("good.jsonl", chats(0, 20)), 1).validationFile(bad)));
        assertThat(other.error().orElseThrow().param()).contains("validation_file");
    }

    @Test
    void aJobIsPausedResumedAndCancelled() throws Exception {
        FineTuningJob job = create(supervised(upload("chats.jsonl", chats(0, 60)), 50));
        await(job, now -> now.status().equals(FineTuningJob.Status.RUNNING));
        assertThat(client.fineTuning().jobs().pause(job.id()).status().asString())
                .isEqualTo("paused");
        FineTuningJob next = end(create(supervised(upload("few.jsonl", chats(0, 20)), 1)));
        assertThat(next.status()).isEqualTo(FineTuningJob.Status.SUCCEEDED);
        client.fineTuning().jobs().resume(job.id()).validate();
        while (messages(job).stream().noneMatch(message -> message.startsWith("Going on after step"))) {
            assertThat(isOver(now(job))).isFalse();
            Thread.sleep(50);
        }
        assertThat(client.fineTuning().jobs().cancel(job.id()).validate().status())
                .isEqualTo(FineTuningJob.Status.CANCELLED);
        FineTuningJob after = end(create(supervised(upload("few.jsonl", chats(0, 20)), 1)));
        assertThat(after.status()).isEqualTo(FineTuningJob.Status.SUCCEEDED);
        assertThat(now(job).status()).isEqualTo(FineTuningJob.Status.CANCELLED);
        assertThat(now(job).fineTunedModel()).isEmpty();
    }
}
