package ai.epitome.train;

import ai.epitome.model.huggingface.Safetensors;
import ai.epitome.model.huggingface.SafetensorsWriter.Item;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.autograd.Parameter;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.tensor.optimizer.OptimizerKernels;
import ai.epitome.train.Checkpoints.Checkpoint;
import ai.epitome.train.Checkpoints.Outcome;
import ai.epitome.train.TrainingEvent.Checkpointed;
import ai.epitome.train.TrainingEvent.Evaluated;
import ai.epitome.train.TrainingEvent.Finished;
import ai.epitome.train.TrainingEvent.Noticed;
import ai.epitome.train.TrainingEvent.Planned;
import ai.epitome.train.TrainingEvent.Sampled;
import ai.epitome.train.TrainingEvent.Started;
import ai.epitome.train.TrainingEvent.Stepped;
import ai.epitome.train.data.Batch;
import ai.epitome.train.optimizer.GradientNorm;
import ai.epitome.train.optimizer.Optimizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.concurrent.CancellationException;
import java.util.concurrent.locks.ReentrantLock;

/// The loop: batches, gradients, clipping, a step of the optimizer; and now and then a checkpoint, a score, a sample.
///
/// A step is a function of the seed, the step's number, the cursor and the tensors. A run that goes on from a
/// checkpoint therefore ends with the weights of a run that was never interrupted, bit for bit, given as many threads.
///
/// ```java
/// try (Trainer trainer = new Trainer(config, job, optimizer, backend, listener).checkpointsIn(folder)) {
///     Runtime.getRuntime().addShutdownHook(new Thread(trainer::requestStop));
///     trainer.run(); // goes on where the newest whole checkpoint stands
/// }
/// ```
public final class Trainer implements AutoCloseable {
    private static final double NATS_PER_BIT = Math.log(2);

    private final TrainingConfig config;
    private final TrainingJob job;
    private final Optimizer optimizer;
    private final Backend backend;
    private final TrainingListener listener;
    private final Arena arena = Arena.ofShared();
    private final Pace pace;
    private final WeightAverage average; // or null
    private Checkpoints checkpoints; // or null
    private volatile boolean stopRequested;

    private long step;
    private long cursor;
    private long tokens;
    private long bytes;
    private double seconds;
    private LossGuard guard = new LossGuard();
    private double evaluatedAt;
    private double checkpointedAt;
    private long savedStep = -1;

    /// A run that keeps no checkpoints, until [#checkpointsIn] says where.
    public Trainer(
            TrainingConfig config, TrainingJob job, Optimizer optimizer, Backend backend, TrainingListener listener) {
        this.config = config;
        this.job = job;
        this.optimizer = optimizer;
        this.backend = backend;
        this.listener = listener;
        this.pace = new Pace(config.schedule(), config.steps(), config.seconds());
        this.average = config.average() > 0
                ? new WeightAverage(job.model().parameters(), config.average(), arena, backend.workers())
                : null;
    }

    /// Keeps checkpoints in the folder of a model, and goes on from the newest whole one in it.
    ///
    /// @throws TrainingException if the model is being trained already, or its checkpoints belong to another run
    public Trainer checkpointsIn(Path model) throws IOException {
        return checkpointsIn(model, CheckpointWriter.DISK);
    }

    Trainer checkpointsIn(Path model, CheckpointWriter writer) throws IOException {
        Checkpoints opened = new Checkpoints(model, job.model().file(), config.keep(), writer);
        try {
            Optional<Checkpoint> newest = opened.newest(message -> listener.on(new Noticed(0, message)));
            if (newest.isPresent()) {
                restore(newest.get());
                opened.publish(newest.get(), job.companions()); // a kill may have come just before
            } else if (Files.exists(model.resolve(job.model().file()))) {
                throw new TrainingException(
                        "%s holds weights, but no checkpoint that training could go on from, and they would be lost; give another folder, or delete this one"
                                .formatted(model));
            }
        } catch (IOException | RuntimeException e) {
            opened.close();
            throw e;
        }
        checkpoints = opened;
        return this;
    }

    /// Steps taken so far; after [#checkpointsIn], where the run goes on.
    public long step() {
        return step;
    }

    /// Whether all steps have been taken.
    public boolean isOver() {
        return pace.over(step, seconds);
    }

    /// Asks the run to end after the step that it is in, with a checkpoint; an evaluation is broken off. For any
    /// thread.
    public void requestStop() {
        stopRequested = true;
    }

    /// Whether the run was asked to end.
    public boolean stopRequested() {
        return stopRequested;
    }

    /// Trains to the end, or until [#requestStop]. Returns whether the end was reached: all steps taken, and the last
    /// evaluation done.
    ///
    /// @throws TrainingException if the loss or a gradient is no number, the loss has left its course, or the last
    ///     checkpoint could not be written
    public boolean run() {
        long began = System.nanoTime();
        listener.on(new Started(step, seconds, config, parameterCount(), optimizer.bytes()));
        evaluatedAt = seconds;
        checkpointedAt = seconds;
        while (!pace.over(step, seconds) && !(stopRequested && isBetween())) {
            job.objective().prepare(cursor);
            inTurn(this::takeStep);
            pollCheckpoint();
            boolean goesOn = isBetween() && !pace.over(step, seconds) && !stopRequested;
            if (goesOn && config.checkpoint().due(step, seconds - checkpointedAt)) {
                beginCheckpoint();
            }
            if (goesOn && config.evaluate().due(step, seconds - evaluatedAt)) {
                evaluate(false);
            }
        }
        boolean complete = pace.over(step, seconds);
        beginLastCheckpoint();
        if (complete) {
            complete = evaluate(true);
        }
        endLastCheckpoint();
        listener.on(new Finished(step, complete, tokens, seconds, (System.nanoTime() - began) / 1e9));
        return complete;
    }

    /// Whether no step is missing to those that belong together.
    private boolean isBetween() {
        return step % job.objective().together() == 0;
    }

    /// Others may use the kernel threads and read the weights between two steps: a request to the model that is being
    /// trained, for one. So whatever opens kernel regions or changes weights does it in its turn.
    private void inTurn(Runnable work) {
        ReentrantLock turn = backend.workers().turn();
        turn.lock();
        try {
            work.run();
        } finally {
            turn.unlock();
        }
    }

    private void takeStep() {
        long began = System.nanoTime();
        List<Batch> batches = new ArrayList<>();
        long targets = 0;
        long stepBytes = 0;
        for (int i = 0; i < config.accumulation(); i++) {
            Batch batch = job.batches().apply(cursor + (long) i * config.batchRows());
            batches.add(batch);
            targets += batch.targetCount();
            stepBytes += batch.bytes();
        }
        double nats = 0;
        float weight = targets == 0 ? 0 : 1f / targets;
        for (int i = 0; i < batches.size(); i++) {
            nats += job.objective().accumulate(batches.get(i), weight, seed(i));
        }
        double loss = targets == 0 ? 0 : nats / targets;
        GradientNorm norm = GradientNorm.of(optimizer.parameters(), backend.workers());
        requireFinite(loss, norm);
        double factor = pace.factor(step);
        if (targets > 0) { // a step that learns nothing changes nothing
            optimizer.step(config.clip() > 0 ? norm.clipTo(config.clip()) : 1, factor);
        }
        step++;
        if (average != null) {
            average.update(step);
        }
        cursor += (long) config.accumulation() * config.batchRows();
        tokens += targets;
        bytes += stepBytes;
        double duration = (System.nanoTime() - began) / 1e9;
        seconds += duration;
        boolean planned = pace.stepTaken(step, seconds, duration);
        listener.on(new Stepped(
                step,
                pace.expectedSteps(step, seconds),
                pace.progress(step, seconds),
                tokens,
                seconds,
                loss,
                stepBytes == 0 ? Double.NaN : nats / NATS_PER_BIT / stepBytes,
                factor,
                factor * config.optimizer().matrixRate(),
                norm.value(),
                targets / duration,
                job.objective().measures()));
        if (planned) {
            listener.on(new Planned(step, pace.plan().fromStep(), pace.plan().toStep()));
        }
        guard = guard.after(loss);
        requireOnCourse(loss);
    }

    /// A number of its own for each pass of a run (Steele, Lea and Flood 2014: odd multiples, then mixing).
    private long seed(int pass) {
        long z = config.seed() + 0x9E3779B97F4A7C15L * (step * config.accumulation() + pass + 1);
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }

    private void requireFinite(double loss, GradientNorm norm) {
        if (Double.isFinite(loss) && Double.isFinite(norm.value())) {
            return;
        }
        String weight = firstNotFinite();
        String what = weight != null
                ? "the weight `" + weight + "` holds a value that is not finite"
                : norm.notFinite() != null
                        ? "the gradient of `" + norm.notFinite() + "` holds a value that is not finite"
                        : "all weights and gradients are finite";
        throw new TrainingException("step %,d: the loss is %s and the gradient norm %s: %s. %s"
                .formatted(step + 1, loss, norm.value(), what, remedy()));
    }

    private void requireOnCourse(double loss) {
        if (guard.tripped()) {
            throw new TrainingException(
                    "step %,d: the loss is %.3f, and has been above %.3f for %d steps, while its running mean was %.3f. %s"
                            .formatted(step, loss, guard.limit(), LossGuard.PATIENCE, guard.mean(), remedy()));
        }
    }

    private String remedy() {
        if (checkpoints != null) {
            report(checkpoints.await());
        }
        String kept = checkpoints == null || savedStep < 0
                ? ""
                : " The checkpoint of step %,d is kept; a new run goes on from there.".formatted(savedStep);
        return "Try a lower learning rate (it was %.3g for matrices), a longer warm-up, or stronger clipping.%s"
                .formatted(pace.factor(step) * config.optimizer().matrixRate(), kept);
    }

    private String firstNotFinite() {
        for (Parameter parameter : job.model().parameters()) {
            if (!Double.isFinite(OptimizerKernels.sumOfSquares(parameter.value(), backend.workers()))) {
                return parameter.name();
            }
        }
        return null;
    }

    /// Returns false where the evaluation was broken off by [#requestStop].
    private boolean evaluate(boolean last) {
        evaluatedAt = seconds;
        if (job.evaluation() == null) {
            return true;
        }
        long began = System.nanoTime();
        inTurn(this::swapAverage);
        TrainingJob.Score score;
        String sample;
        try {
            score = job.evaluation().score(last, this::stopRequested);
            sample = job.sampler() == null ? null : job.sampler().get();
        } catch (CancellationException e) {
            return false;
        } finally {
            inTurn(this::swapAverage);
        }
        double took = (System.nanoTime() - began) / 1e9;
        listener.on(new Evaluated(
                step, seconds, score.bitsPerByte(), score.bytes(), score.whole(), took, score.measures()));
        if (sample != null) {
            listener.on(new Sampled(step, sample));
        }
        return true;
    }

    private void swapAverage() {
        if (average != null) {
            average.swap();
        }
    }

    private void beginCheckpoint() {
        if (checkpoints == null || savedStep == step) {
            return;
        }
        checkpointedAt = seconds;
        report(checkpoints.await());
        inTurn(() -> checkpoints.begin(snapshot()));
    }

    private Snapshot snapshot() {
        String broken = firstNotFinite();
        if (broken != null) {
            throw new TrainingException(
                    "step %,d: the weight `%s` holds a value that is not finite. %s".formatted(step, broken, remedy()));
        }
        swapAverage();
        List<Item> weights = job.model().weights();
        List<Item> training = training().entrySet().stream()
                .map(entry -> Item.of(entry.getKey(), entry.getValue()))
                .toList();
        Snapshot.Memory memory = checkpoints.memory();
        memory.reset(Snapshot.bytes(weights) + Snapshot.bytes(training));
        Snapshot snapshot = new Snapshot(memory.copy(weights), memory.copy(training), job.companions(), state());
        swapAverage();
        return snapshot;
    }

    private void beginLastCheckpoint() {
        if (checkpoints != null) {
            report(checkpoints.await());
            if (step > 0) {
                beginCheckpoint();
            }
        }
    }

    private void endLastCheckpoint() {
        if (checkpoints == null) {
            return;
        }
        Optional<Outcome> ended = checkpoints.await();
        if (ended.isPresent() && ended.get() instanceof Outcome.Failed failed) {
            throw new TrainingException(failed.message());
        }
        report(ended);
    }

    private void pollCheckpoint() {
        if (checkpoints != null) {
            report(checkpoints.poll());
        }
    }

    private void report(Optional<Outcome> ended) {
        ended.ifPresent(outcome -> {
            switch (outcome) {
                case Outcome.Written written -> {
                    savedStep = written.step();
                    listener.on(new Checkpointed(written.step(), written.folder(), written.bytes(), written.seconds()));
                }
                case Outcome.Failed failed -> listener.on(new Noticed(step, failed.message()));
            }
        });
    }

    private SequencedMap<String, Tensor> training() {
        SequencedMap<String, Tensor> tensors = new LinkedHashMap<>(optimizer.state());
        if (average != null) {
            tensors.putAll(average.state());
        }
        return tensors;
    }

    private TrainingState state() {
        return new TrainingState(
                TrainingState.VERSION,
                step,
                cursor,
                tokens,
                bytes,
                seconds,
                optimizer.steps(),
                pace.plan(),
                config.seconds(),
                config.steps(),
                guard,
                config.seed(),
                backend.workers().count(),
                backend.describe(),
                job.dataHash(),
                Map.of());
    }

    private void restore(Checkpoint checkpoint) throws IOException {
        TrainingState state = checkpoint.state();
        if (!state.data().equals(job.dataHash())) {
            throw new TrainingException(
                    "%s was trained on other data, or on rows made of them in another way (%s, now %s); give the same text and the same choice of packing, or another model folder"
                            .formatted(checkpoint.folder(), state.data(), job.dataHash()));
        }
        if (state.seed() != config.seed()) {
            throw new TrainingException("%s was trained with seed %d, not %d; give that seed, or another model folder"
                    .formatted(checkpoint.folder(), state.seed(), config.seed()));
        }
        if (!state.kernels().equals(backend.describe())) {
            listener.on(new Noticed(
                    state.step(),
                    "the checkpoint was computed with \"%s\", this run goes on with \"%s\": results will differ in their last digits"
                            .formatted(state.kernels(), backend.describe())));
        }
        try (Safetensors file = Safetensors.open(checkpoint.weights())) {
            job.model().load(file);
        }
        try (Safetensors file = Safetensors.open(checkpoint.training())) {
            SequencedMap<String, Tensor> expected = training();
            for (Map.Entry<String, Tensor> entry : expected.entrySet()) {
                copy(file, entry.getKey(), entry.getValue());
            }
            for (String name : file.entries().keySet()) {
                if (!expected.containsKey(name)) {
                    throw new TrainingException(
                            "%s holds a tensor `%s` that this run has no use for; it began with other settings of optimizer, average or model: give those, or another model folder"
                                    .formatted(file.file(), name));
                }
            }
        }
        job.model().parameters().forEach(Parameter::changed);
        swapAverage();
        optimizer.steps(state.optimizerSteps());
        step = state.step();
        cursor = state.cursor();
        tokens = state.tokens();
        bytes = state.bytes();
        seconds = state.seconds();
        guard = state.guard();
        boolean sameTime = state.budget() == null || state.budget() == config.seconds();
        boolean sameSteps = state.limit() == null || state.limit() == config.steps();
        if (config.seconds() > 0 && sameTime && sameSteps) {
            pace.plan(state.plan()); // a run that is given another length makes another plan
        }
        savedStep = step;
    }

    private static void copy(Safetensors file, String name, Tensor target) {
        Safetensors.Entry entry = file.entries().get(name);
        if (entry == null
                || entry.element() != Safetensors.Element.F32
                || entry.data().byteSize() != target.data().byteSize()) {
            throw new TrainingException(
                    "%s: expected a tensor `%s` of %s, found %s; the run began with other settings of optimizer, average or model: give those, or another model folder"
                            .formatted(
                                    file.file(),
                                    name,
                                    target,
                                    entry == null
                                            ? "none"
                                            : entry.element() + entry.shape().toString()));
        }
        target.data().copyFrom(entry.data());
    }

    private long parameterCount() {
        return job.model().parameters().stream()
                .mapToLong(parameter -> parameter.value().size())
                .sum();
    }

    /// Waits for the checkpoint that is being written, and frees what the run held.
    @Override
    public void close() {
        try {
            if (checkpoints != null) {
                checkpoints.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            arena.close();
        }
    }
}
