package ai.epitome.serve.tuning;

import ai.epitome.serve.account.Accounts;
import ai.epitome.serve.account.Database;
import ai.epitome.serve.account.UsageRow;
import ai.epitome.serve.account.UsageStore;
import ai.epitome.serve.metering.Metering;
import ai.epitome.serve.metric.ServiceMetrics;
import ai.epitome.serve.moderation.ModerationPolicy;
import ai.epitome.serve.moderation.Moderator;
import ai.epitome.serve.store.FileStore;
import ai.epitome.serve.store.LeasedWork;
import ai.epitome.serve.store.StoredFile;
import ai.epitome.serve.store.TuningStore;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// One of several services on a database, that works on jobs when it is told to. What trains is a shell script.
final class JobReplica implements AutoCloseable {
    static final String MODEL = "base";
    static final String STARTED =
            "{\"event\":\"started\",\"step\":0,\"steps\":4,\"epochs\":3.0,\"batchSize\":2,\"rateMultiplier\":1.0}";
    static final String FINISHED = "{\"event\":\"finished\",\"step\":4,\"tokens\":77}";
    private static final Pattern TRAINED =
            Pattern.compile("epitome_training_tokens_total\\{model_name=\"base\"} ([0-9.E+]+)");

    final Accounts accounts;
    final TuningStore store;
    private final Path folder;
    private final FileStore files;
    private final ServiceMetrics metrics = new ServiceMetrics();
    private final Metering metering;
    /// Is asked for the id of the file of results, after training has come to its end and before the job has.
    volatile UnaryOperator<String> ids = prefix -> prefix + Long.toHexString(System.nanoTime());

    volatile boolean stopping;

    JobReplica(String url, Path folder) {
        this.folder = folder;
        this.accounts = new Accounts(Database.open(url));
        this.store = new TuningStore(accounts.database());
        this.files = new FileStore(accounts.database());
        this.metering = new Metering(accounts, metrics, Moderator.bundled(), ModerationPolicy.LOG);
    }

    static String measured(int step, long tokens) {
        return "{\"event\":\"measured\",\"step\":" + step + ",\"steps\":4,\"tokens\":" + tokens
                + ",\"values\":{\"train_loss\":1}}";
    }

    static String told(String... lines) {
        return "printf '%s\\n' '" + String.join("' '", lines) + "'";
    }

    /// A job that nobody works on.
    LeasedWork create(String id, String owner) {
        byte[] content = {'{', '}'};
        files.add(new StoredFile("file-" + id, owner, 1, "a.jsonl", "fine-tune", 2), content, 1_000);
        String body = """
                {"id": "%s", "object": "fine_tuning.job", "model": "base", "status": "queued", "suffix": "mine",
                 "training_file": "file-%s", "validation_file": null, "seed": 1, "error": null,
                 "fine_tuned_model": null, "trained_tokens": null, "estimated_finish": null, "result_files": [],
                 "method": {"type": "supervised", "supervised": {"hyperparameters": {"lora_rank": 8}}}}""".formatted(id, id);
        LeasedWork job = new LeasedWork(id, owner, Instant.now().getEpochSecond(), "queued", body, 0);
        if (!store.add(job, 1_000, 1_000)) {
            throw new IllegalStateException("a job of the name " + id + " is there");
        }
        return job;
    }

    TuningWorker.Tools tools(TuningProgram program) {
        return new TuningWorker.Tools(
                store,
                files,
                folder,
                program,
                (_, _) -> Optional.of(new TuningBase(MODEL, folder, Optional.empty(), false)),
                metering.training(),
                prefix -> ids.apply(prefix),
                () -> stopping);
    }

    /// Works on a job, and returns when nobody does any more.
    void work(LeasedWork job, TuningProgram program) throws InterruptedException {
        TuningWorker.Tools tools = tools(program);
        if (!store.claim(job, System.currentTimeMillis() + TuningWorker.LEASE_MILLIS)) {
            throw new IllegalStateException("somebody works on " + job);
        }
        new TuningRun(tools, job, tools.bases().find("", MODEL).orElseThrow()).run();
    }

    static Process script(String commands) throws IOException {
        return new ProcessBuilder("/bin/sh", "-c", commands).start();
    }

    LeasedWork find(LeasedWork job) {
        return store.find(job.owner(), job.id()).orElseThrow();
    }

    JsonNode body(LeasedWork job) {
        return JsonMapper.shared().readTree(find(job).body());
    }

    String events(LeasedWork job) {
        return store.events(job.id(), Long.MAX_VALUE, 100).toString();
    }

    List<UsageRow> rows(LeasedWork job) {
        return accounts.usage().rows(UsageStore.month(Instant.now()), 1_000).stream()
                .filter(row -> row.requestId().equals(job.id()))
                .toList();
    }

    /// What its metrics say of the tokens that it has trained on.
    long trained() {
        Matcher found = TRAINED.matcher(metrics.scrape());
        return found.find() ? (long) Double.parseDouble(found.group(1)) : 0;
    }

    @Override
    public void close() {
        accounts.close();
    }
}
