package ai.epitome.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.epitome.model.LoadedModel;
import ai.epitome.model.generation.GenerationDefaults;
import ai.epitome.model.generation.Sampling;
import ai.epitome.model.huggingface.AdapterFolder;
import ai.epitome.model.transformer.Adapter;
import ai.epitome.model.transformer.Initialization;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.serve.tuning.TuningSetup;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.text.ByteTokenizer;
import com.openai.client.OpenAIClient;
import com.openai.core.MultipartField;
import com.openai.errors.BadRequestException;
import com.openai.errors.NotFoundException;
import com.openai.models.files.FileCreateParams;
import com.openai.models.files.FilePurpose;
import com.openai.models.finetuning.jobs.FineTuningJob;
import com.openai.models.finetuning.jobs.FineTuningJobEvent;
import com.openai.models.finetuning.jobs.JobCreateParams;
import com.openai.models.finetuning.jobs.JobListEventsParams;
import com.openai.models.finetuning.jobs.JobListParams;
import com.openai.models.finetuning.jobs.checkpoints.FineTuningJobCheckpoint;
import com.openai.models.models.ModelDeleted;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/// OpenAI's own Java client at `/v1/fine_tuning/jobs`, every answer validated against its schema. What trains is a
/// script that says what a training process would.
@DisabledOnOs(OS.WINDOWS)
class FineTuningApiTest {
    private static final String MODEL = "base";
    private static final String LINES = """
            {"event":"started","step":0,"steps":4,"epochs":3.0,"batchSize":2,"rateMultiplier":1.0}
            {"event":"measured","step":2,"steps":4,"tokens":20,"values":{"train_loss":2.5,"valid_loss":1.5}}
            {"event":"checkpointed","step":2,"folder":"model/checkpoints/step-2","values":{"valid_loss":1.5}}
            """;
    private static final String END = "{\"event\":\"finished\",\"step\":4,\"tokens\":40}\n";

    @TempDir
    static Path folder;

    private static TestServer server;
    private static OpenAIClient client;
    private static LoadedModel base;

    @BeforeAll
    static void start() {
        base = new LoadedModel(
                Path.of(MODEL),
                new Transformer(
                        TransformerConfig.ofDepth(1, 257, 64).with(c -> {
                            c.width = 32;
                            c.headDimension = 8;
                            c.heads = 4;
                            c.keyValueHeads = 2;
                            c.hidden = 48;
                        }),
                        new Initialization(
                                5, Initialization.Matrices.FAN_IN_UNIFORM, Initialization.Outputs.PLAIN, 0.1f, 0.1f)),
                Optional.of(new ByteTokenizer()),
                new GenerationDefaults(Set.of(256), OptionalInt.empty(), Sampling.ofTemperature(1, 0)));
        Backend backend = Backend.best(1);
        server = TestServer.start(ApiSuite.FINE_TUNING, new TuningSetup(folder, FineTuningApiTest::train, backend));
        server.models.put(base, base.generator(backend), TestServer.CREATED, Optional.of(UntrainedModel.format()));
        client = server.openai();
    }

    @AfterAll
    static void stop() {
        client.close();
        server.close();
    }

    /// Comes to its end where the job's file says so, and else goes on until it is stopped.
    private static Process train(Path job) throws IOException {
        adapter(job.resolve("model"));
        adapter(job.resolve("model/checkpoints/step-2"));
        Files.writeString(job.resolve("results.csv"), "step,train_loss\n2,2.5\n");
        boolean whole = Files.exists(job.resolve("data/training_file/whole.jsonl"));
        Path told = Files.writeString(job.resolve("told"), whole ? LINES + END : LINES);
        return new ProcessBuilder("/bin/sh", "-c", "cat '" + told + "'" + (whole ? "" : "; cat > /dev/null")).start();
    }

    private static void adapter(Path to) throws IOException {
        Transformer transformer = base.transformer();
        AdapterFolder.save(
                to,
                Adapter.create(transformer, Adapter.Settings.of(2, Adapter.names(transformer)), 1),
                transformer,
                MODEL);
    }

    private static FineTuningJob create(String file) {
        String id = client.files()
                .create(FileCreateParams.builder()
                        .purpose(FilePurpose.FINE_TUNE)
                        .file(MultipartField.<InputStream>builder()
                                .value(new ByteArrayInputStream("{}".getBytes(StandardCharsets.UTF_8)))
                                .filename(file)
                                .build())
                        .build())
                .validate()
                .id();
        return client.fineTuning()
                .jobs()
                .create(JobCreateParams.builder()
                        .model(MODEL)
                        .trainingFile(id)
                        .seed(7)
                        .build())
                .validate();
    }

    private static FineTuningJob await(String id, FineTuningJob.Status status) throws InterruptedException {
        FineTuningJob job = client.fineTuning().jobs().retrieve(id).validate();
        for (int i = 0; i < 600 && !job.status().equals(status); i++) {
            Thread.sleep(50);
            job = client.fineTuning().jobs().retrieve(id).validate();
        }
        assertThat(job.status()).isEqualTo(status);
        return job;
    }

    @Test
    void aJobComesToAModel() throws Exception {
        FineTuningJob job = create("whole.jsonl");
        assertThat(job.status()).isEqualTo(FineTuningJob.Status.QUEUED);
        job = await(job.id(), FineTuningJob.Status.SUCCEEDED);
        assertThat(job.trainedTokens()).contains(40L);
        assertThat(job.resultFiles()).hasSize(1);
        String model = job.fineTunedModel().orElseThrow();
        List<FineTuningJobEvent> events = client.fineTuning()
                .jobs()
                .listEvents(job.id(), JobListEventsParams.builder().limit(50).build())
                .items();
        assertThat(events).hasSizeGreaterThanOrEqualTo(4).allSatisfy(FineTuningJobEvent::validate);
        List<FineTuningJobCheckpoint> checkpoints =
                client.fineTuning().jobs().checkpoints().list(job.id()).items();
        assertThat(checkpoints).hasSize(1).allSatisfy(FineTuningJobCheckpoint::validate);
        assertThat(checkpoints.getFirst().metrics().validLoss()).contains(1.5);
        assertThat(client.fineTuning()
                        .jobs()
                        .list(JobListParams.builder().limit(10).build())
                        .items())
                .extracting(FineTuningJob::id)
                .contains(job.id());
        assertThat(client.models().retrieve(model).validate().id()).isEqualTo(model);
        ModelDeleted deleted = client.models().delete(model).validate();
        assertThat(deleted.deleted()).isTrue();
        assertThatThrownBy(() -> client.models().retrieve(model)).isInstanceOf(NotFoundException.class);
    }

    @Test
    void aJobIsPausedResumedAndCancelled() throws Exception {
        String id = create("endless.jsonl").id();
        await(id, FineTuningJob.Status.RUNNING);
        // A status that this client does not know yet.
        assertThat(client.fineTuning().jobs().pause(id).status().asString()).isEqualTo("paused");
        assertThat(client.fineTuning().jobs().resume(id).validate().status()).isEqualTo(FineTuningJob.Status.QUEUED);
        await(id, FineTuningJob.Status.RUNNING);
        assertThat(client.fineTuning().jobs().cancel(id).validate().status()).isEqualTo(FineTuningJob.Status.CANCELLED);
    }

    @Test
    void wrongJobsAreRefused() {
        assertThatThrownBy(() -> client.fineTuning()
                        .jobs()
                        .create(JobCreateParams.builder()
                                .model(MODEL)
                                .trainingFile("file-none")
                                .build()))
                .isInstanceOf(BadRequestException.class);
        assertThatThrownBy(() -> client.fineTuning().jobs().retrieve("ftjob-none"))
                .isInstanceOf(NotFoundException.class);
    }
}
