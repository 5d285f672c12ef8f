package ai.epitome.serve.batch;

import ai.epitome.serve.account.ApiKey;
import ai.epitome.serve.account.LimitException;
import ai.epitome.serve.generation.Answer;
import ai.epitome.serve.generation.Asked;
import ai.epitome.serve.generation.CancelledException;
import ai.epitome.serve.http.ApiException;
import ai.epitome.serve.http.ObjectId;
import ai.epitome.serve.metering.Metering;
import ai.epitome.serve.metering.RequestMeter;
import ai.epitome.serve.store.BatchStore;
import ai.epitome.serve.store.FileStore;
import ai.epitome.serve.store.LeaseRenewal;
import ai.epitome.serve.store.LeasedWork;
import ai.epitome.serve.store.StoredFile;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// Works on one batch until it is over, or this process stops:
///
/// ```
/// validating -> in_progress -> finalizing -> completed
///     |             |-> cancelling -> cancelled       (with the lines that are done)
///     v             '-> expired                       (likewise)
///   failed
/// ```
///
/// A line's result is durable before the next line of its thread begins, so that a run that goes on after a
/// crash repeats no line but those that were being worked on.
final class BatchRun {
    private static final System.Logger LOG = System.getLogger(BatchRun.class.getName());
    private static final JsonMapper JSON = JsonMapper.shared();
    private static final int LINES_AT_ONCE = 4;
    private static final Duration PAUSE = Duration.ofMillis(200);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(10);
    private static final Duration RENEWED = Duration.ofSeconds(1);

    private final BatchWorker.Tools tools;
    private final String id;
    private final String owner;
    private final Optional<Optional<ApiKey>> key;
    private final String endpoint;
    private final long expires;
    private volatile LeasedWork state;

    /// @param key the owner's; nothing where it is good no longer
    BatchRun(BatchWorker.Tools tools, LeasedWork batch, Optional<Optional<ApiKey>> key) {
        this.tools = tools;
        this.id = batch.id();
        this.owner = batch.owner();
        this.key = key;
        this.state = batch;
        ObjectNode body = body();
        this.endpoint = body.path("endpoint").stringValue();
        this.expires = body.path("expires_at").longValue();
    }

    private ObjectNode body() {
        return body(state);
    }

    private static ObjectNode body(LeasedWork batch) {
        return (ObjectNode) JSON.readTree(batch.body());
    }

    void run() {
        try (var _ = new LeaseRenewal(id, RENEWED, this::renew)) {
            BatchInput input = BatchInput.parse(
                    tools.files()
                            .content(owner, body().path("input_file_id").stringValue())
                            .orElse(new byte[0]),
                    endpoint);
            if (key.isEmpty() || !input.errors().isEmpty()) {
                fail(input);
                return;
            }
            LeasedWork claimed = state;
            if (claimed.status().equals("validating")) {
                ObjectNode body = body(claimed);
                ((ObjectNode) body.path("request_counts"))
                        .put("total", input.lines().size());
                advance(claimed, "in_progress", "in_progress_at", body);
            }
            work(input);
            if (!stopping()) {
                end(input);
            }
        } finally {
            if (stopping()) { // otherwise the lease runs out: what failed is not tried again at once
                tools.batches().renew(id, 0);
            }
        }
    }

    private boolean stopping() {
        return tools.answering().draining().getAsBoolean();
    }

    private boolean expired() {
        return Instant.now().getEpochSecond() >= expires;
    }

    private boolean ended() {
        return stopping() || expired() || !state.status().equals("in_progress");
    }

    private void fail(BatchInput input) {
        LeasedWork now = state;
        ObjectNode body = body(now);
        ObjectNode errors = body.putObject("errors").put("object", "list");
        if (key.isEmpty()) {
            errors.putArray("data")
                    .addObject()
                    .put("code", "invalid_api_key")
                    .put("message", "The API key of this batch is no longer valid.");
        } else {
            errors.set("data", input.errors());
        }
        advance(now, "failed", "failed_at", body);
    }

    /// @param from what was looked at when this was decided: a batch that has been cancelled meanwhile stays so
    private void advance(LeasedWork from, String status, String at, ObjectNode body, FileStore.Content... files) {
        body.put("status", status).put(at, Instant.now().getEpochSecond());
        if (tools.batches().advance(id, from.status(), status, body.toString(), files)) {
            state = new LeasedWork(id, owner, from.createdAt(), status, body.toString(), 0);
        } else {
            state = tools.batches().find(owner, id).orElse(from); // it was cancelled meanwhile
        }
    }

    private void renew() {
        tools.batches()
                .renew(id, System.currentTimeMillis() + BatchWorker.LEASE_MILLIS)
                .filter(now -> now.status().equals("cancelling"))
                .ifPresent(now -> state = now);
    }

    private void work(BatchInput input) {
        Set<Integer> done = tools.batches().results(id).stream()
                .map(BatchStore.Result::line)
                .collect(Collectors.toSet());
        Iterator<Integer> open = IntStream.range(0, input.lines().size())
                .filter(line -> !done.contains(line))
                .iterator();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < LINES_AT_ONCE; i++) {
                threads.submit(() -> work(input, open));
            }
        }
    }

    private void work(BatchInput input, Iterator<Integer> open) {
        try {
            for (Optional<Integer> line = next(open); line.isPresent() && !ended(); line = next(open)) {
                Optional<BatchStore.Result> result =
                        ask(line.get(), input.lines().get(line.get()));
                result.ifPresent(known -> tools.batches().addResult(id, known));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException e) {
            LOG.log(Level.ERROR, "The batch " + id + " is left by a thread", e);
        }
    }

    private static Optional<Integer> next(Iterator<Integer> open) {
        synchronized (open) {
            return open.hasNext() ? Optional.of(open.next()) : Optional.empty();
        }
    }

    /// Asks until there is an answer; nothing when the run ends before.
    private Optional<BatchStore.Result> ask(int number, BatchInput.Line line) throws InterruptedException {
        while (!ended()) {
            RequestMeter meter = tools.meters().apply(key.orElseThrow(), endpoint);
            Duration pause = PAUSE;
            try {
                ObjectNode answer = answer(line, meter);
                meter.settle(200);
                return Optional.of(result(number, line, meter, 200, answer));
            } catch (CancelledException e) {
                meter.settle(Metering.CLIENT_WENT_AWAY);
                return Optional.empty();
            } catch (LimitException e) {
                meter.settle(429);
                if (e.limit() == LimitException.Limit.BUDGET) {
                    return Optional.of(refusal(number, line, meter, ApiException.limited(e)));
                }
                pause = e.waitTime().compareTo(LONGEST_PAUSE) < 0 ? e.waitTime() : LONGEST_PAUSE;
            } catch (ApiException e) {
                meter.settle(e.status());
                if (e.status() != 429 && e.status() != 503) { // those are the server's, and pass
                    return Optional.of(refusal(number, line, meter, e));
                }
            } catch (RuntimeException e) {
                LOG.log(Level.ERROR, "A line of the batch " + id + " failed", e);
                meter.settle(500);
                return Optional.of(refusal(number, line, meter, ApiException.internal()));
            }
            Thread.sleep(pause);
        }
        return Optional.empty();
    }

    private ObjectNode answer(BatchInput.Line line, RequestMeter meter) throws InterruptedException {
        byte[] body = line.body().toString().getBytes(StandardCharsets.UTF_8);
        Asked asked = tools.endpoints().get(endpoint).read(body, meter);
        if (asked.stream()) {
            throw ApiException.badParameter("stream", "'stream' must be false in a batch.");
        }
        Answer answer = asked.answer().apply(this::cancelled);
        return tools.answering().whole(answer, meter, this::cancelled);
    }

    /// What is being worked on when the service stops may end; a batch that is cancelled ends at once.
    private boolean cancelled() {
        return tools.answering().stopped().getAsBoolean() || state.status().equals("cancelling");
    }

    private BatchStore.Result refusal(int number, BatchInput.Line line, RequestMeter meter, ApiException e) {
        return result(number, line, meter, e.status(), e.body());
    }

    private static BatchStore.Result result(
            int number, BatchInput.Line line, RequestMeter meter, int status, ObjectNode body) {
        ObjectNode result = JsonNodeFactory.instance
                .objectNode()
                .put("id", ObjectId.next("batch_req_"))
                .put("custom_id", line.customId());
        result.putObject("response")
                .put("status_code", status)
                .put("request_id", meter.id())
                .set("body", body);
        result.putNull("error");
        return new BatchStore.Result(number, status == 200, result.toString());
    }

    private void end(BatchInput input) {
        List<BatchStore.Result> results = tools.batches().results(id);
        boolean whole = results.size() == input.lines().size();
        LeasedWork worked = state;
        if (worked.status().equals("in_progress") && whole) {
            advance(worked, "finalizing", "finalizing_at", body(worked));
        }
        LeasedWork last = state;
        ObjectNode body = body(last);
        long good = results.stream().filter(BatchStore.Result::good).count();
        body.putObject("request_counts")
                .put("total", input.lines().size())
                .put("completed", good)
                .put("failed", results.size() - good);
        List<FileStore.Content> files = new ArrayList<>();
        keep(results, true, "output", files).ifPresent(file -> body.put("output_file_id", file));
        keep(results, false, "error", files).ifPresent(file -> body.put("error_file_id", file));
        FileStore.Content[] kept = files.toArray(FileStore.Content[]::new);
        switch (last.status()) {
            case "finalizing" -> advance(last, "completed", "completed_at", body, kept);
            case "cancelling" -> advance(last, "cancelled", "cancelled_at", body, kept);
            default -> {
                if (expired()) {
                    advance(last, "expired", "expired_at", body, kept);
                }
            }
        }
    }

    /// @param files takes the file, which is kept with the batch's last state
    private Optional<String> keep(
            List<BatchStore.Result> results, boolean good, String name, List<FileStore.Content> files) {
        String lines = results.stream()
                .filter(result -> result.good() == good)
                .map(result -> result.json() + "\n")
                .collect(Collectors.joining());
        if (lines.isEmpty()) {
            return Optional.empty();
        }
        byte[] content = lines.getBytes(StandardCharsets.UTF_8);
        StoredFile file = new StoredFile(
                ObjectId.next("file-"),
                owner,
                Instant.now().getEpochSecond(),
                id + "_" + name + ".jsonl",
                "batch_output",
                content.length);
        files.add(new FileStore.Content(file, content));
        return Optional.of(file.id());
    }
}
