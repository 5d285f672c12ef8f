package ai.epitome.serve;

import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.model.LoadedModel;
import ai.epitome.model.generation.GenerationDefaults;
import ai.epitome.model.generation.Sampling;
import ai.epitome.model.huggingface.AdapterFolder;
import ai.epitome.model.huggingface.ModelFolder;
import ai.epitome.model.transformer.Adapter;
import ai.epitome.model.transformer.Initialization;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.serve.account.Accounts;
import ai.epitome.serve.account.Database;
import ai.epitome.serve.account.KeyLimits;
import ai.epitome.serve.account.KeyStore;
import ai.epitome.serve.account.Price;
import ai.epitome.serve.account.Scope;
import ai.epitome.serve.account.UsageRow;
import ai.epitome.serve.account.UsageStore;
import ai.epitome.serve.registry.ModelRegistry;
import ai.epitome.serve.store.LeasedWork;
import ai.epitome.serve.store.PromotionStore;
import ai.epitome.serve.store.TuningStore;
import ai.epitome.serve.tuning.TuningProgram;
import ai.epitome.serve.tuning.TuningSetup;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.text.ByteTokenizer;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Fine-tuning jobs whose processes are scripts, and adapters that answer for their model.
@DisabledOnOs(OS.WINDOWS)
class FineTuningRoutesTest {
    private static final String MODEL = "base";
    private static final String STARTED =
            "{\"event\":\"started\",\"step\":0,\"steps\":4,\"epochs\":3.0,\"batchSize\":2,\"rateMultiplier\":1.0}";
    private static final String FINISHED = "{\"event\":\"finished\",\"step\":4,\"tokens\":77}";

    @TempDir
    Path folder;

    private final Transformer transformer = new Transformer(
            TransformerConfig.ofDepth(1, 257, 64).with(c -> {
                c.width = 32;
                c.headDimension = 8;
                c.heads = 4;
                c.keyValueHeads = 2;
                c.hidden = 48;
            }),
            new Initialization(5, Initialization.Matrices.FAN_IN_UNIFORM, Initialization.Outputs.PLAIN, 0.1f, 0.1f));
    private final Accounts accounts = new Accounts(Database.inMemory());
    private final HttpClient http = HttpClient.newHttpClient();
    private EpitomeServer server;
    private volatile TuningProgram program = _ -> script("cat > /dev/null");

    @BeforeEach
    void start() {
        Backend backend = Backend.best(1);
        LoadedModel model = new LoadedModel(
                Path.of(MODEL),
                transformer,
                Optional.of(new ByteTokenizer()),
                new GenerationDefaults(Set.of(256), OptionalInt.empty(), Sampling.ofTemperature(1, 0)));
        ModelRegistry models = new ModelRegistry()
                .put(model, model.generator(backend), TestServer.CREATED, Optional.of(UntrainedModel.format()));
        server = EpitomeServer.start(
                ServerConfig.local(0),
                models,
                Optional.empty(),
                accounts,
                Optional.of(new TuningSetup(folder, job -> program.start(job), backend)));
    }

    @AfterEach
    void stop() {
        server.close();
        accounts.close();
        http.close();
    }

    private static Process script(String commands) throws IOException {
        return new ProcessBuilder("/bin/sh", "-c", commands).start();
    }

    private static String told(String... lines) {
        return "printf '%s\\n' '" + String.join("' '", lines) + "'";
    }

    private JsonNode ask(String method, String path, String type, String body) throws Exception {
        return ask(method, path, type, body, Optional.empty());
    }

    private JsonNode ask(String method, String path, String type, String body, Optional<String> key) throws Exception {
        HttpRequest.BodyPublisher content =
                body.isEmpty() ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofString(body);
        HttpResponse<String> answer = http.send(
                HttpRequest.newBuilder(URI.create(server.uri() + path))
                        .header("Content-Type", type)
                        .headers(key.map(secret -> new String[] {"Authorization", "Bearer " + secret})
                                .orElseGet(() -> new String[] {"Accept", "*/*"}))
                        .method(method, content)
                        .build(),
                HttpResponse.BodyHandlers.ofString());
        assertThat(answer.statusCode()).as(answer.body()).isLessThan(500);
        if (path.startsWith("v1/fine_tuning")) {
            String shape = answer.statusCode() >= 400 ? "error" : shape(method, path);
            assertThat(OpenAiShapes.faults(shape, answer.body())).isEmpty();
        }
        return JsonMapper.shared().readTree(answer.body());
    }

    private static String shape(String method, String path) {
        String plain = path.replaceFirst("[?].*", "");
        if (plain.endsWith("/events")) {
            return "fine_tuning.job.event-list";
        }
        if (plain.endsWith("/checkpoints")) {
            return "fine_tuning.job.checkpoint-list";
        }
        return method.equals("GET") && plain.endsWith("/jobs") ? "fine_tuning.job-list" : "fine_tuning.job";
    }

    private JsonNode post(String path, String body) throws Exception {
        return ask("POST", path, "application/json", body);
    }

    private JsonNode get(String path) throws Exception {
        return ask("GET", path, "application/json", "");
    }

    private String upload() throws Exception {
        return upload(Optional.empty());
    }

    private String upload(Optional<String> key) throws Exception {
        String form = "--b\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nfine-tune\r\n--b\r\n"
                + "Content-Disposition: form-data; name=\"file\"; filename=\"a/../b c.jsonl\"\r\n\r\n{}\r\n--b--\r\n";
        return ask("POST", "v1/files", "multipart/form-data; boundary=b", form, key)
                .path("id")
                .asString();
    }

    private String create() throws Exception {
        JsonNode job = post(
                "v1/fine_tuning/jobs",
                "{\"model\": \"base\", \"training_file\": \"" + upload() + "\", \"suffix\": \"mine\"}");
        assertThat(job.path("status").asString("")).as(job.toString()).isEqualTo("queued");
        return job.path("id").stringValue();
    }

    private JsonNode await(String id, String status) throws Exception {
        JsonNode job = get("v1/fine_tuning/jobs/" + id);
        for (int i = 0; i < 600 && !job.path("status").stringValue().equals(status); i++) {
            Thread.sleep(50);
            job = get("v1/fine_tuning/jobs/" + id);
        }
        assertThat(job.path("status").stringValue())
                .as("%s %s", job, get("v1/fine_tuning/jobs/" + id + "/events"))
                .isEqualTo(status);
        return job;
    }

    private String say(String model) throws Exception {
        return post(
                        "v1/completions",
                        "{\"model\": \"" + model + "\", \"prompt\": \"To be\", \"max_tokens\": 12, \"temperature\": 0}")
                .path("choices")
                .path(0)
                .path("text")
                .asString("");
    }

    private void adapter(Path to, int seed) throws IOException {
        Adapter adapter = Adapter.create(transformer, Adapter.Settings.of(2, Adapter.names(transformer)), seed);
        Random random = new Random(seed);
        for (Adapter.Target target : adapter.targets()) {
            for (long i = 0; i < target.up().value().size(); i++) {
                target.up().value().set(i, (float) random.nextGaussian());
            }
        }
        AdapterFolder.save(to, adapter, transformer, MODEL);
    }

    @Test
    void whatAProcessTellsBecomesOfTheJob() throws Exception {
        program = job -> {
            adapter(job.resolve("model"), 1);
            adapter(job.resolve("model/checkpoints/step-2"), 2);
            Files.writeString(job.resolve("results.csv"), "step,train_loss\n1,2.5\n");
            assertThat(job.resolve("data/training_file/a_.._b c.jsonl").toFile())
                    .exists();
            return script(told(
                    STARTED,
                    "{\"event\":\"measured\",\"step\":1,\"steps\":4,\"tokens\":20,\"values\":{\"train_loss\":2.5}}",
                    "{\"event\":\"checkpointed\",\"step\":1,\"folder\":\"model/checkpoints/step-1\",\"values\":{}}",
                    "{\"event\":\"checkpointed\",\"step\":2,\"folder\":\"model/checkpoints/step-2\",\"values\":{\"valid_loss\":1.5}}",
                    FINISHED));
        };
        accounts.prices().set(MODEL, new Price(0, 0, 0, 3_000_000));
        String id = create();
        JsonNode job = await(id, "succeeded");
        assertThat(paid(id)).containsExactly(77L, 200L, 77 * 3_000_000L);
        String model = job.path("fine_tuned_model").stringValue();
        assertThat(model).matches("ft:base:mine:[0-9a-f]{12}");
        assertThat(job.path("trained_tokens").intValue()).isEqualTo(77);
        assertThat(job.path("hyperparameters").path("n_epochs").intValue()).isEqualTo(3);
        JsonNode checkpoints = get("v1/fine_tuning/jobs/" + id + "/checkpoints").path("data");
        assertThat(checkpoints).hasSize(1); // the folder of the first is not there any more
        assertThat(checkpoints.path(0).path("metrics").path("valid_loss").doubleValue())
                .isEqualTo(1.5);
        assertThat(say(model)).isNotEqualTo(say(MODEL)).isNotEmpty();
        assertThat(say(model + ":ckpt-step-2")).isNotEqualTo(say(model)).isNotEmpty();
        JsonNode events = get("v1/fine_tuning/jobs/" + id + "/events?limit=2");
        assertThat(events.path("has_more").booleanValue()).isTrue();
        JsonNode older = get("v1/fine_tuning/jobs/" + id + "/events?after="
                + events.path("last_id").stringValue());
        assertThat(older.toString()).contains("train loss=2.5000").doesNotContain("successfully");
        String file = job.path("result_files").path(0).stringValue();
        assertThat(get("v1/files/" + file).path("purpose").stringValue()).isEqualTo("fine-tune-results");
        assertThat(get("api/models").toString()).contains(model);
    }

    /// Tokens, status and cost of a job's usage row.
    private List<Long> paid(String id) {
        return accounts.usage().rows(UsageStore.month(Instant.now()), 100).stream()
                .filter(row -> row.requestId().equals(id))
                .flatMap(row -> Stream.of(row.trainingTokens(), (long) row.status(), row.costPico()))
                .toList();
    }

    private String eventsOf(String id) throws Exception {
        return get("v1/fine_tuning/jobs/" + id + "/events").toString();
    }

    @Test
    void aBudgetThatIsUsedUpLetsNoJobBeginOrGoOn() throws Exception {
        KeyStore.Created key = accounts.keys()
                .create(
                        "poor",
                        EnumSet.of(Scope.INFERENCE, Scope.FILES),
                        new KeyLimits(OptionalLong.empty(), OptionalLong.empty(), OptionalLong.of(1)),
                        Instant.now(),
                        Optional.empty());
        Optional<String> id = Optional.of(key.key().id());
        accounts.record(new UsageRow("r", Instant.now(), id, Optional.of(MODEL), "/", 1, 0, 0, 200, 1, 1_000_000));
        HttpResponse<String> refused = http.send(
                HttpRequest.newBuilder(URI.create(server.uri() + "v1/fine_tuning/jobs"))
                        .header("Content-Type", "application/json")
                        .header("Authorization", "Bearer " + key.secret())
                        .POST(HttpRequest.BodyPublishers.ofString("{\"model\": \"base\", \"training_file\": \""
                                + upload(Optional.of(key.secret())) + "\"}"))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
        assertThat(refused.statusCode()).as(refused.body()).isEqualTo(429);
        assertThat(refused.body()).contains("insufficient_quota");
        TuningStore store = new TuningStore(accounts.database());
        String body = "{\"id\": \"ftjob-rests\", \"model\": \"base\", \"status\": \"paused\"}";
        store.add(new LeasedWork("ftjob-rests", key.key().id(), 1, "paused", body, 0), 10, 10);
        assertThat(ask(
                                "POST",
                                "v1/fine_tuning/jobs/ftjob-rests/resume",
                                "application/json",
                                "{}",
                                Optional.of(key.secret()))
                        .toString())
                .contains("insufficient_quota");
        assertThat(store.find(key.key().id(), "ftjob-rests").orElseThrow().status())
                .isEqualTo("paused");
    }

    @Test
    void whatACancelledJobWasTrainedOnIsPaidFor() throws Exception {
        accounts.prices().set(MODEL, new Price(0, 0, 0, 2));
        program = _ -> script(told(STARTED) + "; "
                + told("{\"event\":\"measured\",\"step\":1,\"steps\":1000,\"tokens\":20,\"values\":{\"train_loss\":1}}")
                + "; sleep 0.2; "
                + told("{\"event\":\"measured\",\"step\":2,\"steps\":1000,\"tokens\":55,\"values\":{\"train_loss\":1}}")
                + "; cat > /dev/null");
        long before = Instant.now().getEpochSecond();
        String id = create();
        JsonNode job = get("v1/fine_tuning/jobs/" + id);
        for (int i = 0; i < 600 && !job.path("estimated_finish").isNumber(); i++) {
            Thread.sleep(50);
            job = get("v1/fine_tuning/jobs/" + id);
        }
        assertThat(job.path("estimated_finish").longValue()).isGreaterThanOrEqualTo(before);
        job = post("v1/fine_tuning/jobs/" + id + "/cancel", "{}");
        assertThat(job.path("estimated_finish").isNull()).isTrue();
        for (int i = 0; i < 600 && paid(id).isEmpty(); i++) {
            Thread.sleep(50);
        }
        assertThat(paid(id)).containsExactly(55L, 499L, 110L);

        String paused = create();
        await(paused, "running");
        for (int i = 0; i < 600 && !eventsOf(paused).contains("Step 2/1000"); i++) {
            Thread.sleep(50);
        }
        post("v1/fine_tuning/jobs/" + paused + "/pause", "{}");
        String next = create(); // which begins when the one before has come to rest
        await(next, "running");
        assertThat(paid(paused)).isEmpty();
        post("v1/fine_tuning/jobs/" + paused + "/cancel", "{}");
        assertThat(paid(paused)).containsExactly(55L, 499L, 110L);
        post("v1/fine_tuning/jobs/" + next + "/cancel", "{}");
    }

    @Test
    void aPauseForgetsNothingThatIsToBePaid() throws Exception {
        accounts.prices().set(MODEL, new Price(0, 0, 0, 2));
        program = _ -> script(told(
                        STARTED,
                        "{\"event\":\"measured\",\"step\":1,\"steps\":1000,\"tokens\":20,\"values\":{\"train_loss\":1}}")
                + "; cat > /dev/null");
        for (boolean claimed : List.of(false, true)) {
            String id = create();
            for (int i = 0; i < 600 && !eventsOf(id).contains("Step 1/1000"); i++) {
                Thread.sleep(50);
            }
            post("v1/fine_tuning/jobs/" + id + "/pause", "{}");
            String next = create(); // which begins when the one before has come to rest
            await(next, "running");
            program = _ -> script("cat > /dev/null");
            post("v1/fine_tuning/jobs/" + id + "/resume", "{}");
            if (claimed) {
                post("v1/fine_tuning/jobs/" + next + "/cancel", "{}");
                await(id, "validating_files");
            }
            post("v1/fine_tuning/jobs/" + id + "/cancel", "{}");
            for (int i = 0; i < 100 && paid(id).isEmpty(); i++) {
                Thread.sleep(50);
            }
            assertThat(paid(id)).containsExactly(20L, 499L, 40L);
            if (!claimed) {
                post("v1/fine_tuning/jobs/" + next + "/cancel", "{}");
                program = _ -> script(told(
                                STARTED,
                                "{\"event\":\"measured\",\"step\":1,\"steps\":1000,\"tokens\":20,\"values\":{\"a\":1}}")
                        + "; cat > /dev/null");
            }
        }
    }

    @Test
    void whatAJobWasTrainedOnIsPaidForWhenItFailsOrItsServiceDied() throws Exception {
        accounts.prices().set(MODEL, new Price(0, 0, 0, 2));
        program = _ -> script(told(
                STARTED,
                "{\"event\":\"measured\",\"step\":1,\"steps\":1000,\"tokens\":20,\"values\":{\"train_loss\":1}}",
                "{\"event\":\"failed\",\"code\":\"c\",\"param\":null,\"message\":\"m\"}"));
        String failed = create();
        await(failed, "failed");
        String body = "{\"model\": \"base\", \"status\": \"cancelled\", \"trained_so_far\": 30}";
        LeasedWork left = new LeasedWork("ftjob-left", "", 1, "cancelled", body, 5);
        assertThat(new TuningStore(accounts.database()).add(left, 10, 10)).isTrue();
        for (int i = 0; i < 100 && (paid(failed).isEmpty() || paid("ftjob-left").isEmpty()); i++) {
            Thread.sleep(50);
        }
        assertThat(paid(failed)).containsExactly(20L, 499L, 40L);
        assertThat(paid("ftjob-left")).containsExactly(30L, 499L, 60L);
    }

    /// A model of its own weights is no base for adapters: those would be added to other weights.
    @Test
    void allWeightsAndAdaptersAreNotMixed() throws Exception {
        GenerationDefaults defaults =
                new GenerationDefaults(Set.of(256), OptionalInt.empty(), Sampling.ofTemperature(1, 0));
        program = job -> {
            Path model = job.resolve("model");
            ModelFolder.save(model, transformer, defaults);
            for (var file : ModelFolder.companions(transformer, new ByteTokenizer(), defaults)
                    .entrySet()) {
                Files.write(model.resolve(file.getKey()), file.getValue());
            }
            return script(told(STARTED, FINISHED));
        };
        String own = await(create(), "succeeded").path("fine_tuned_model").stringValue();
        assertThat(say(own)).isEqualTo(say(MODEL)).isNotEmpty();
        assertThat(job(own, 8).path("error").path("message").asString("")).contains("'lora_rank' must be 0");
        program = job -> {
            adapter(job.resolve("model"), 1);
            return script(told(STARTED, FINISHED));
        };
        String adapted = await(create(), "succeeded").path("fine_tuned_model").stringValue();
        assertThat(job(adapted, 0).path("error").path("message").asString("")).contains("'lora_rank' cannot be 0");
    }

    private JsonNode job(String model, int rank) throws Exception {
        return post(
                "v1/fine_tuning/jobs",
                "{\"model\": \"" + model + "\", \"training_file\": \"" + upload()
                        + "\", \"hyperparameters\": {\"lora_rank\": " + rank + "}}");
    }

    @Test
    void aProcessThatDiesIsBegunAgainAndThenGivenUp() throws Exception {
        accounts.prices().set(MODEL, new Price(0, 0, 0, 2));
        program = _ -> script(told(
                        STARTED,
                        "{\"event\":\"measured\",\"step\":1,\"steps\":9,\"tokens\":20,\"values\":{\"train_loss\":1}}")
                + "; echo 'no room' >&2; exit 3");
        JsonNode job = await(create(), "failed");
        assertThat(job.path("error").path("code").stringValue()).isEqualTo("training_failed");
        assertThat(job.path("error").path("message").stringValue()).isEqualTo("exit status 3: no room");
        String events = get("v1/fine_tuning/jobs/" + job.path("id").stringValue() + "/events")
                .toString();
        assertThat(events.split("goes on from its last checkpoint", -1)).hasSize(3);
        Thread.sleep(500);
        assertThat(paid(job.path("id").stringValue()))
                .as("the service's fault is not paid for")
                .isEmpty();
    }

    @Test
    void nonsenseFromAProcessEndsIt() throws Exception {
        program = _ -> script("echo 'OpenJDK warning: none'; "
                + told(STARTED, "{\"event\":\"failed\",\"code\":\"c\",\"param\":null,\"message\":\"m\"}"));
        assertThat(await(create(), "failed").path("error").path("code").stringValue())
                .isEqualTo("c");
        program = _ -> script(told("{\"event\":\"danced\"}") + "; sleep 60");
        assertThat(await(create(), "failed").path("error").path("message").stringValue())
                .contains("the training process said what is no event: {\"event\":\"danced\"}");
    }

    @Test
    void jobsStopWhenTheyAreTold() throws Exception {
        program = _ -> script(told(STARTED) + "; cat > /dev/null");
        String first = create();
        String second = create();
        await(first, "running");
        assertThat(get("v1/fine_tuning/jobs/" + second).path("status").stringValue())
                .isEqualTo("queued");
        List<String> others = List.of(create(), create());
        assertThat(post("v1/fine_tuning/jobs", "{\"model\": \"base\", \"training_file\": \"" + upload() + "\"}")
                        .path("error")
                        .path("code")
                        .stringValue())
                .isEqualTo("too_many_jobs");
        assertThat(post("v1/fine_tuning/jobs/" + first + "/pause", "{}")
                        .path("status")
                        .stringValue())
                .isEqualTo("paused");
        await(second, "running");
        post("v1/fine_tuning/jobs/" + second + "/cancel", "{}");
        assertThat(post("v1/fine_tuning/jobs/" + second + "/cancel", "{}")
                        .path("error")
                        .path("code")
                        .stringValue())
                .isEqualTo("job_cancelled");
        for (String other : others) {
            post("v1/fine_tuning/jobs/" + other + "/cancel", "{}");
        }
        post("v1/fine_tuning/jobs/" + first + "/resume", "{}");
        await(first, "running");
        assertThat(get("v1/fine_tuning/jobs?limit=2").path("data")).hasSize(2);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"training_file\": \"FILE\"}",
                "{\"model\": \"none\", \"training_file\": \"FILE\"}",
                "{\"model\": \"base\", \"training_file\": \"file-none\"}",
                "{\"model\": \"base\", \"training_file\": \"FILE\", \"validation_file\": \"file-none\"}",
                "{\"model\": \"base\", \"training_file\": \"FILE\", \"suffix\": \"a:b\"}",
                "{\"model\": \"base\", \"training_file\": \"FILE\", \"method\": {\"type\": \"reinforcement\"}}",
                "{\"model\": \"base\", \"training_file\": \"FILE\", \"method\": 7}",
                "{\"model\": \"base\", \"training_file\": \"FILE\", \"hyperparameters\": {\"n_epochs\": 1e9}}",
                "{\"model\": \"base\", \"training_file\": \"FILE\", \"hyperparameters\": {\"beta\": 1}}",
                "{\"model\": \"base\", \"training_file\": \"FILE\", \"hyperparameters\": []}",
                "{\"model\": \"base\", \"training_file\": \"FILE\", \"seed\": -1}",
                "{\"model\": \"base\", \"training_file\": \"FILE\", \"integrations\": [{\"type\": \"wandb\"}]}",
                "{\"model\": \"base\", \"training_file\": \"FILE\", \"colour\": \"red\"}"
            })
    void wrongJobsAreRefused(String body) throws Exception {
        JsonNode answer = post("v1/fine_tuning/jobs", body.replace("FILE", upload()));
        assertThat(answer.path("error").path("message").asString("")).isNotEmpty();
        assertThat(get("v1/fine_tuning/jobs").path("data")).isEmpty();
    }

    @Test
    void promotedAdaptersAnswerForTheirModelUntilTheyAreTakenBack() throws Exception {
        PromotionStore promotions = new PromotionStore(accounts.database());
        String before = say(MODEL);
        Path first = folder.resolve("first");
        adapter(first, 3);
        promotions.promote(MODEL, Optional.empty(), first, "better", Instant.now());
        String after = changed(before);
        promotions.promote(MODEL, Optional.of(first), folder.resolve("missing"), "better", Instant.now());
        Thread.sleep(2_500);
        assertThat(say(MODEL))
                .as("an adapter that is not there changes nothing")
                .isEqualTo(after);
        promotions.takeBack(MODEL, Instant.now());
        promotions.takeBack(MODEL, Instant.now());
        assertThat(changed(after)).isEqualTo(before);
        assertThat(ask("DELETE", "v1/models/base", "application/json", "")
                        .path("error")
                        .path("code")
                        .stringValue())
                .isEqualTo("not_deletable");
        assertThat(List.of(before, after)).doesNotHaveDuplicates();
    }

    private String changed(String from) throws Exception {
        for (int i = 0; i < 200; i++) {
            String now = say(MODEL);
            if (!now.equals(from)) {
                return now;
            }
            Thread.sleep(50);
        }
        throw new AssertionError("nothing changes: " + from);
    }
}
