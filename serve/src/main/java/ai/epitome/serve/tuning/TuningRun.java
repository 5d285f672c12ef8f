package ai.epitome.serve.tuning;

import ai.epitome.serve.account.LimitException;
import ai.epitome.serve.account.Limiter;
import ai.epitome.serve.account.UsageRow;
import ai.epitome.serve.store.FileStore;
import ai.epitome.serve.store.LeasedWork;
import ai.epitome.serve.store.StoredFile;
import ai.epitome.serve.store.TuningStore;
import ai.epitome.serve.tuning.TuningRequest.Method;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// Works on one job until it is over, or is to stop:
///
/// ```text
/// queued -> validating_files -> running -> succeeded
///   |              |              |-> failed
///   |              '-> failed     |-> paused -> queued
///   '-----------------------------'-> cancelled
/// ```
///
/// The process that trains is started again, some times, when it ends without having said why.
final class TuningRun {
    private static final String TRAINING_FAILED = "training_failed";
    private static final String SERVER_ERROR = "server_error";
    private static final String INSUFFICIENT_QUOTA = "insufficient_quota";
    private static final Set<String> OWN_FAULTS = Set.of(TRAINING_FAILED, SERVER_ERROR);
    private static final System.Logger LOG = System.getLogger(TuningRun.class.getName());
    private static final JsonMapper JSON = JsonMapper.shared();
    private static final Set<String> OVER = Set.of("succeeded", "failed", "cancelled");
    private static final Set<String> ENDED_EARLY = Set.of("failed", "cancelled");
    private static final Set<String> STOPPED = Set.of("paused", "cancelled");
    private static final Set<String> KEPT = Set.of("running", "paused", "cancelled");
    private static final Set<String> UNDER_WAY = Set.of("validating_files", "running");
    private static final Duration ESTIMATED_AGAIN = Duration.ofSeconds(5);
    private static final int ATTEMPTS = 3;
    private static final int MOST_MESSAGE = 2_000;

    private final TuningWorker.Tools tools;
    private final TuningBase base;
    private final String id;
    private final String owner;
    private final Path folder;
    private volatile LeasedWork state;
    /// Those that were trained on so far.
    private volatile long tokens;
    /// Of them, those that the database knows of, and the metrics of whoever trained on them.
    private long counted;
    private final Optional<Limiter.Tab> tab;
    /// Why its owner's budget does not reach any further.
    private volatile Optional<String> refusal = Optional.empty();
    /// The first step that the process under way has told of, from which its pace is taken; -1 before.
    private long firstStep = -1;
    private Instant begun = Instant.now();
    private Instant estimated = Instant.EPOCH;

    TuningRun(TuningWorker.Tools tools, LeasedWork job, TuningBase base) {
        this.tools = tools;
        this.base = base;
        this.id = job.id();
        this.owner = job.owner();
        this.folder = tools.folder().resolve(id).toAbsolutePath();
        this.state = job;
        this.tokens = TuningWorker.trainedSoFar(job);
        this.counted = tokens;
        this.tab = tools.meter().open(owner);
    }

    /// The name of what a job comes to.
    private String name() {
        String suffix = body().path("suffix").asString("");
        return "ft:" + base.name() + ":" + suffix + ":" + id.substring(id.length() - 12);
    }

    private ObjectNode body() {
        return body(state);
    }

    private static ObjectNode body(LeasedWork job) {
        return (ObjectNode) JSON.readTree(job.body());
    }

    void run() throws InterruptedException {
        LeasedWork claimed = state;
        if (claimed.status().equals("queued")) {
            advance(claimed, "validating_files", body(claimed));
        }
        try (TuningLease lease = new TuningLease(this::renew)) {
            if (!prepare()) {
                return;
            }
            for (int attempt = 1; goesOn(); attempt++) {
                hold();
                if (refusal.isPresent()) {
                    fail(INSUFFICIENT_QUOTA, Optional.empty(), refusal.get());
                    break;
                }
                TuningProcess process = TuningProcess.start(tools.program(), folder);
                lease.holds(process);
                process.follow(this::on);
                Optional<String> failure = process.failure();
                if (!goesOn() || failure.isEmpty()) {
                    break;
                }
                if (refusal.isPresent()) {
                    continue;
                }
                if (attempt == ATTEMPTS) {
                    fail(TRAINING_FAILED, Optional.empty(), failure.get());
                    break;
                }
                say("warn", "Training ended unexpectedly and goes on from its last checkpoint: " + failure.get());
                Thread.sleep(1_000L * attempt);
            }
        } catch (IOException e) {
            fail(SERVER_ERROR, Optional.empty(), "The job's files could not be written: " + e.getMessage());
        } finally {
            end();
        }
    }

    private void end() {
        try {
            keep();
            if (OVER.contains(state.status())) {
                deleteData();
            }
            giveBack();
        } finally {
            tab.ifPresent(Limiter.Tab::close);
        }
    }

    /// Counts what the job has cost so far against its owner's budget.
    private void hold() {
        try {
            if (tab.isPresent()) {
                tab.get().hold(tools.meter().costPico(base.name(), tokens), Instant.now());
            }
            refusal = Optional.empty();
        } catch (LimitException e) {
            refusal = Optional.of(e.getMessage() + " The job ends with its newest checkpoint.");
        }
    }

    /// Writes down what the job was trained on, where that is still to be paid for.
    private void keep() {
        for (LeasedWork left = state; KEPT.contains(left.status()); left = state) {
            if (advance(left, left.status(), body(left)) || state == left) {
                return;
            }
        }
    }

    /// A job that ended early keeps a lease that has run out until its row is written, so that one is written, by
    /// [TuningWorker], after a crash as well.
    private void giveBack() {
        tools.store()
                .renew(id, TuningStore.GIVEN_BACK)
                .filter(now -> ENDED_EARLY.contains(now.status())) // it may have been cancelled just now
                .ifPresent(now -> TuningWorker.settle(tools, now));
    }

    /// The files that were learned from are in the database, as long as their owner wants them to be.
    private void deleteData() {
        Path data = folder.resolve(TuningRequest.DATA);
        if (Files.exists(data)) {
            try (Stream<Path> files = Files.walk(data)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            } catch (IOException | UncheckedIOException e) {
                LOG.log(Level.WARNING, "Files of a fine-tuning job that is over are left in " + data, e);
            }
        }
    }

    /// Whether the job is still to be worked on.
    private boolean goesOn() {
        return goesOn(state);
    }

    private boolean goesOn(LeasedWork job) {
        return !tools.stopping().getAsBoolean() && UNDER_WAY.contains(job.status());
    }

    /// @return how the process is to end, if it is to
    private synchronized Optional<TuningLease.End> renew() {
        Optional<LeasedWork> known = tools.store().renew(id, System.currentTimeMillis() + TuningWorker.LEASE_MILLIS);
        known.filter(now -> STOPPED.contains(now.status())).ifPresent(now -> state = now);
        LeasedWork own = state;
        if (goesOn(own) && known.filter(now -> now.status().equals("queued")).isPresent()) {
            // It was paused and resumed before this run saw it: it goes on as it is.
            advance(own, own.status(), body(own));
        }
        if (state.status().equals("cancelled")) {
            return Optional.of(TuningLease.End.AT_ONCE);
        }
        boolean stops = state.status().equals("paused")
                || refusal.isPresent()
                || tools.stopping().getAsBoolean();
        return stops ? Optional.of(TuningLease.End.KEEPING) : Optional.empty();
    }

    /// @param from what was looked at when this was decided: a job that has been cancelled meanwhile stays so
    /// @return whether the job has come to that
    private boolean advance(LeasedWork from, String status, ObjectNode body) {
        return advance(from, status, body, TuningStore.Outcome.NONE);
    }

    private synchronized boolean advance(LeasedWork from, String status, ObjectNode body, TuningStore.Outcome outcome) {
        long trained = tokens;
        body.put("status", status).put(TuningWorker.TRAINED_SO_FAR, trained);
        if (status.equals("succeeded") || status.equals("failed")) {
            body.put("finished_at", Instant.now().getEpochSecond());
        }
        // Second, it may have been paused and resumed before this run saw it: it goes on as it is.
        boolean had = tools.store().advance(id, from.status(), status, body.toString(), outcome)
                || UNDER_WAY.contains(from.status())
                        && tools.store().advance(id, "queued", status, body.toString(), outcome);
        if (had && trained > counted) {
            tools.meter().trained(base.name(), trained - counted);
            counted = trained;
        }
        state = had
                ? new LeasedWork(id, owner, from.createdAt(), status, body.toString(), 0)
                : tools.store().find(owner, id).orElse(from); // it was cancelled meanwhile, or paused
        return had;
    }

    /// Writes what the process needs. False when it is not there.
    private boolean prepare() throws IOException {
        ObjectNode body = body();
        Optional<Path> training = file(body.path("training_file"), "training_file");
        Optional<Path> validation = file(body.path("validation_file"), "validation_file");
        boolean whole = training.isPresent() && (body.path("validation_file").isNull() || validation.isPresent());
        if (whole) {
            request(body, training.get(), validation).write(folder);
        }
        return whole;
    }

    private Optional<Path> file(JsonNode file, String param) throws IOException {
        if (!file.isString()) {
            return Optional.empty();
        }
        Optional<StoredFile> stored = tools.files().find(owner, file.stringValue());
        Optional<byte[]> content = tools.files().content(owner, file.stringValue());
        if (stored.isEmpty() || content.isEmpty()) {
            fail("file_not_found", Optional.of(param), "The file '" + file.stringValue() + "' is not there any more.");
            return Optional.empty();
        }
        String name =
                stored.get().filename().replaceAll("[^\\p{L}\\p{N}. _-]", "_").replaceAll("^[. ]+", "_");
        Path path = folder.resolve(TuningRequest.DATA).resolve(param).resolve(name);
        Files.createDirectories(path.getParent());
        Files.write(path, content.get());
        return Optional.of(path);
    }

    private TuningRequest request(ObjectNode body, Path training, Optional<Path> validation) {
        Method method =
                Method.valueOf(body.path("method").path("type").stringValue().toUpperCase(Locale.ROOT));
        JsonNode wanted =
                body.path("method").path(method.name().toLowerCase(Locale.ROOT)).path("hyperparameters");
        return new TuningRequest(
                base.name() + ", fine-tuned on " + training.getFileName(),
                base.source().toAbsolutePath(),
                base.name(),
                base.adapter(),
                method,
                training,
                validation,
                number(wanted.path("n_epochs")),
                wanted.path("batch_size").isNumber()
                        ? OptionalInt.of(wanted.path("batch_size").intValue())
                        : OptionalInt.empty(),
                number(wanted.path("learning_rate_multiplier")),
                number(wanted.path("beta")),
                wanted.path("lora_rank").intValue(),
                body.path("seed").longValue());
    }

    private static OptionalDouble number(JsonNode value) {
        return value.isNumber() ? OptionalDouble.of(value.doubleValue()) : OptionalDouble.empty();
    }

    private void on(TuningEvent event) {
        switch (event) {
            case TuningEvent.Started started -> started(started);
            case TuningEvent.Said said -> say(said.warning() ? "warn" : "info", said.message());
            case TuningEvent.Measured measured -> measured(measured);
            case TuningEvent.Checkpointed checkpoint -> checkpoint(checkpoint);
            case TuningEvent.Finished finished -> succeed(finished);
            case TuningEvent.Failed failed -> fail(failed.code(), failed.param(), failed.message());
        }
    }

    private void started(TuningEvent.Started started) {
        firstStep = -1;
        LeasedWork now = state;
        ObjectNode body = body(now);
        ObjectNode used = JsonNodeFactory.instance
                .objectNode()
                .put("n_epochs", Math.max(1, Math.round(started.epochs())))
                .put("batch_size", started.batchSize())
                .put("learning_rate_multiplier", started.rateMultiplier());
        body.set("hyperparameters", used);
        String type = body.path("method").path("type").stringValue();
        ((ObjectNode) body.path("method").path(type).path("hyperparameters")).setAll(used);
        if (now.status().equals("validating_files")) {
            advance(now, "running", body);
        }
        say("info", started.step() == 0 ? "Fine-tuning job started" : "Going on after step " + started.step());
    }

    private void measured(TuningEvent.Measured measured) {
        tokens = Math.max(tokens, measured.tokens());
        hold();
        estimate(measured.step(), measured.steps());
        ObjectNode data = JsonNodeFactory.instance
                .objectNode()
                .put("step", measured.step())
                .put("total_steps", measured.steps());
        StringBuilder message = new StringBuilder("Step " + measured.step() + "/" + measured.steps() + ":");
        String separator = " ";
        for (Map.Entry<String, Double> value : measured.values().entrySet()) {
            data.put(value.getKey(), value.getValue());
            message.append(separator)
                    .append(String.format(Locale.ROOT, "%s=%.4f", value.getKey().replace('_', ' '), value.getValue()));
            separator = ", ";
        }
        event("info", message.toString(), "metrics", data);
    }

    /// Tells when the job will have ended if it goes on as it has gone since its process told of its first
    /// step. Not at every step: it is written to the database.
    private void estimate(long step, long steps) {
        Instant now = Instant.now();
        if (firstStep < 0) {
            firstStep = step;
            begun = now;
        }
        LeasedWork job = state;
        if (step <= firstStep || !job.status().equals("running") || now.isBefore(estimated.plus(ESTIMATED_AGAIN))) {
            return;
        }
        estimated = now;
        double left = (double) (steps - step) / (step - firstStep);
        Duration more =
                Duration.ofMillis(Math.round(left * Duration.between(begun, now).toMillis()));
        ObjectNode body = body(job).put("estimated_finish", now.plus(more).getEpochSecond());
        advance(job, "running", body);
    }

    private void checkpoint(TuningEvent.Checkpointed checkpoint) {
        ObjectNode metrics = JsonNodeFactory.instance.objectNode().put("step", checkpoint.step());
        checkpoint.values().forEach(metrics::put);
        String name = name() + ":ckpt-step-" + checkpoint.step();
        tools.store().addModel(model(name, checkpoint.folder(), checkpoint.step(), true, metrics));
        for (TuningStore.Model kept : tools.store().checkpoints(id)) {
            if (Files.notExists(tools.folder().resolve(kept.folder()))) {
                tools.store().deleteModel(kept.id()); // the run keeps the newest only
            }
        }
        say("info", "Checkpoint created at step " + checkpoint.step() + ": " + name);
    }

    private TuningStore.Model model(String name, String within, long step, boolean checkpoint, ObjectNode metrics) {
        long now = Instant.now().getEpochSecond();
        return new TuningStore.Model(
                name, owner, now, base.name(), id + "/" + within, id, step, checkpoint, metrics.toString());
    }

    /// The model and the usage row are there when the job says so, and not without it.
    private void succeed(TuningEvent.Finished finished) {
        LeasedWork now = state;
        if (!goesOn(now)) {
            return;
        }
        tokens = Math.max(tokens, finished.tokens());
        ObjectNode body = body(now);
        String name = name();
        TuningStore.Model model =
                model(name, TuningRequest.MODEL, finished.step(), false, JsonNodeFactory.instance.objectNode());
        body.put("fine_tuned_model", name).put("trained_tokens", tokens);
        Optional<FileStore.Content> results = results();
        results.ifPresent(
                kept -> body.withArrayProperty("result_files").add(kept.file().id()));
        UsageRow usage = tools.meter().row(now, base.name(), tokens, false);
        if (advance(now, "succeeded", body, new TuningStore.Outcome(Optional.of(model), results, Optional.of(usage)))) {
            say("info", "New fine-tuned model created: " + name);
            say("info", "The job has successfully completed");
        }
    }

    private Optional<FileStore.Content> results() {
        try {
            byte[] content = Files.readAllBytes(folder.resolve(TuningRequest.RESULTS));
            StoredFile file = new StoredFile(
                    tools.ids().apply("file-"),
                    owner,
                    Instant.now().getEpochSecond(),
                    id + "_step_metrics.csv",
                    "fine-tune-results",
                    content.length);
            return Optional.of(new FileStore.Content(file, content));
        } catch (IOException e) {
            say("warn", "The results by step could not be kept: " + e.getMessage());
            return Optional.empty();
        }
    }

    private synchronized void fail(String code, Optional<String> param, String message) {
        LeasedWork now = state;
        if (!goesOn(now)) {
            return; // it has been cancelled meanwhile, say
        }
        long trained = tokens;
        if (OWN_FAULTS.contains(code)) {
            tokens = 0; // what the service could not bring to an end is not paid for
        }
        ObjectNode body = body(now);
        String told = shortened(message);
        body.putObject("error").put("code", code).put("message", told).put("param", param.orElse(null));
        if (advance(now, "failed", body)) {
            say("error", told);
        } else {
            tokens = trained; // it has been cancelled just now
        }
    }

    /// Without where the service keeps things: files go by the names that they came with.
    private String shortened(String message) {
        String data = folder.resolve(TuningRequest.DATA) + "/";
        String told = message.replace(data + "training_file/", "")
                .replace(data + "validation_file/", "")
                .replace(folder + "/", "");
        return told.length() <= MOST_MESSAGE ? told : told.substring(0, MOST_MESSAGE) + "…";
    }

    private void say(String level, String message) {
        event(level, shortened(message), "message", JsonNodeFactory.instance.objectNode());
    }

    private void event(String level, String message, String type, ObjectNode data) {
        ObjectNode event = JsonNodeFactory.instance
                .objectNode()
                .put("object", "fine_tuning.job.event")
                .put("created_at", Instant.now().getEpochSecond())
                .put("level", level)
                .put("message", message)
                .put("type", type);
        event.set("data", data);
        tools.store()
                .addEvent(id, number -> event.put("id", eventId(id, number)).toString());
    }

    private static String eventId(String job, long number) {
        return "ftevent-" + job.substring("ftjob-".length()) + "-" + number;
    }
}
