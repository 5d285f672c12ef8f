package ai.epitome.model.engine;

import ai.epitome.model.engine.BatchPass.Part;
import ai.epitome.model.transformer.Adapter;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.tensor.attention.KeyValueFormat;
import ai.epitome.tensor.attention.KeyValueMemory;
import ai.epitome.tensor.backend.Backend;
import java.lang.foreign.Arena;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;

/// Continues many sequences at once, in passes that read each weight once for all of them (continuous batching, Yu et
/// al. 2022, Orca; blocks of keys and values as in Kwon et al. 2023, vLLM).
///
/// One thread owns everything and repeats a step:
///
/// 1. sequences that are cancelled leave;
/// 2. those that wait join, first come first served, while there is room for them and blocks for their tokens;
/// 3. a pass is put together: the next token of each sequence that is being continued (with guesses, where its text
///    suggests some), then chunks of what the others still have to read, so many tokens in all that nobody waits long;
/// 4. where blocks run out, the sequence that came last gives all of its own back and waits, to be read again;
/// 5. the pass is computed, and each continuation takes its logits and says which token is next, or that it ends.
///
/// Sequences of one owner that begin alike share blocks, also with those that have ended ([KeyValuePool]), and what
/// several of them have still to read alike is read by the first of them while the others wait. Those of
/// different adapters of the model share passes, and no blocks. A sequence that fails takes no other with it. The
/// thread runs while there is work, and some seconds longer.
public final class Engine {
    /// The owner that all sequences have in common which name none.
    public static final String NOBODY = "";

    private static final long IDLE_SECONDS = 5;
    /// Rows of a pass up to which guesses are added: those of a few sequences cost little beside reading the weights. A
    /// sequence has far fewer ([PromptLookup]): attention looks at them one by one, as at a single row.
    private static final int GUESSING_ROWS = 16;
    /// Tokens of a chunk at least, where several prompts share a pass.
    private static final int LEAST_CHUNK = 32;

    private final Transformer model;
    private final Backend backend;
    private final EngineLimits limits;
    private final KeyValuePool pool;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition arrived = lock.newCondition();
    private final Deque<EngineSequence> submitted = new ArrayDeque<>();
    private final Deque<Runnable> errands = new ArrayDeque<>();
    private Thread thread; // null while there is none
    private boolean closed;

    // What follows belongs to the thread.
    private final Deque<EngineSequence> waiting = new ArrayDeque<>();
    private final List<EngineSequence> running = new ArrayList<>(); // in order of arrival

    public Engine(Transformer model, Backend backend, EngineLimits limits) {
        this.model = model;
        this.backend = backend;
        this.limits = limits;
        TransformerConfig config = model.config();
        KeyValueFormat format = limits.format().orElse(KeyValueFormat.of(backend.compute()));
        long blockBytes = KeyValuePool.BLOCK * KeyValuePool.tokenBytes(config, format);
        long blocks = Math.max(limits.cacheBytes() / blockBytes, KeyValuePool.blocks(config.context()));
        this.pool = KeyValuePool.of(config, format, Arena.ofAuto(), (int) Math.min(Integer.MAX_VALUE, blocks));
    }

    KeyValueMemory memory() {
        return pool.memory();
    }

    /// What is to be continued.
    ///
    /// @param capacity tokens that the sequence can hold before its older half is forgotten
    /// @param owner whose sequences it shares blocks with
    /// @param adapter of the engine's model, which changes what this sequence is read with; or null
    public record Beginning(int[] tokens, int capacity, String owner, Adapter adapter, Continuation continuation) {
        public Beginning(int[] tokens, int capacity, String owner, Continuation continuation) {
            this(tokens, capacity, owner, null, continuation);
        }
    }

    /// A sequence's part of the next pass.
    private record Planned(EngineSequence sequence, Part part) {}

    /// Begins to continue all of these. They arrive at once, so the passes of an idle engine do not depend on time.
    ///
    /// @throws IllegalStateException after [#close]
    public void submit(List<Beginning> beginnings) {
        enqueue(submitted, beginnings.stream().map(this::sequence).toList());
    }

    private EngineSequence sequence(Beginning beginning) {
        CachedSequence cache = new CachedSequence(pool, beginning.capacity);
        cache.append(beginning.tokens);
        return new EngineSequence(cache, beginning, speculates(beginning.adapter));
    }

    private boolean speculates(Adapter adapter) {
        return switch (limits.speculation()) {
            case NEVER -> false;
            case WHERE_UNCHANGED -> (adapter == null ? model : model.with(adapter)).batchInvariant(backend);
            case ALWAYS -> true;
        };
    }

    /// Does something with the blocks between two steps; the result, or what it threw.
    <T> CompletableFuture<T> run(Function<KeyValuePool, T> errand) {
        CompletableFuture<T> result = new CompletableFuture<>();
        Runnable task = () -> {
            try {
                result.complete(errand.apply(pool));
            } catch (RuntimeException | Error e) {
                result.completeExceptionally(e);
            }
        };
        enqueue(errands, List.of(task));
        return result;
    }

    private <T> void enqueue(Deque<T> queue, List<T> items) {
        lock.lock();
        try {
            if (closed) {
                throw new IllegalStateException("the engine is closed");
            }
            queue.addAll(items);
            arrived.signal();
            if (thread == null) {
                thread = Thread.ofPlatform().name("epitome-engine").daemon().start(this::loop);
            }
        } finally {
            lock.unlock();
        }
    }

    /// Takes no more sequences. Those under way go on, unless they are cancelled.
    void close() {
        lock.lock();
        try {
            closed = true;
            arrived.signal();
        } finally {
            lock.unlock();
        }
    }

    private void loop() {
        try (BatchPass passes = new BatchPass(model, backend, pool)) {
            while (hasWork()) {
                step(passes);
            }
        } catch (RuntimeException | Error e) { // no memory for a pass, say
            giveUp(e);
        }
    }

    private void giveUp(Throwable failure) {
        lock.lock();
        try {
            thread = null;
            waiting.addAll(submitted);
            submitted.clear();
        } finally {
            lock.unlock();
        }
        waiting.forEach(sequence -> sequence.fail(failure));
        running.forEach(sequence -> sequence.fail(failure));
        dismissSequences();
    }

    /// Waits for work, for some seconds; false when none came, and the thread is given up.
    private boolean hasWork() {
        lock.lock();
        try {
            long left = TimeUnit.SECONDS.toNanos(IDLE_SECONDS);
            while (running.isEmpty() && waiting.isEmpty() && submitted.isEmpty() && errands.isEmpty()) {
                if (closed || left <= 0) {
                    thread = null;
                    return false;
                }
                left = arrived.awaitNanos(left);
            }
            waiting.addAll(submitted);
            submitted.clear();
            return true;
        } catch (InterruptedException e) {
            return true; // nobody has a reason to; look again
        } finally {
            lock.unlock();
        }
    }

    private void step(BatchPass passes) {
        ReentrantLock turn = backend.workers().turn();
        turn.lock();
        try {
            runErrands();
            running.forEach(EngineSequence::askWhetherCancelled);
            waiting.forEach(EngineSequence::askWhetherCancelled);
            dismissSequences();
            admit();
            List<Planned> plan = plan();
            plan.sort(
                    Comparator.comparingInt(planned -> number(planned.part.adapter()))); // neighbours are read together
            if (!plan.isEmpty()) {
                List<Part> parts = plan.stream().map(Planned::part).toList();
                passes.run(parts, (part, _, logits) -> plan.get(part).sequence.predict(logits));
                plan.forEach(planned -> planned.sequence.endPass());
            }
        } catch (RuntimeException | Error e) {
            running.forEach(sequence -> sequence.fail(e));
        } finally {
            turn.unlock();
        }
        dismissSequences();
    }

    private void runErrands() {
        List<Runnable> taken;
        lock.lock();
        try {
            taken = List.copyOf(errands);
            errands.clear();
        } finally {
            lock.unlock();
        }
        taken.forEach(Runnable::run);
    }

    /// Says goodbye to sequences that have ended or failed.
    private void dismissSequences() {
        List<EngineSequence> over = new ArrayList<>();
        running.removeIf(sequence -> sequence.over() && over.add(sequence));
        waiting.removeIf(sequence -> sequence.over() && over.add(sequence));
        for (EngineSequence sequence : over) {
            sequence.cache.forget();
            if (sequence.failure() != null) {
                sequence.continuation.failed(sequence.failure());
            } else {
                sequence.continuation.ended(sequence.cached());
            }
        }
    }

    private static int number(Adapter adapter) {
        return adapter == null ? 0 : adapter.number();
    }

    /// What texts of an owner begin with that are read with an adapter of the model (null for none). For the engine's
    /// thread.
    long root(String owner, Adapter adapter) {
        return pool.root(owner, number(adapter), model.changes());
    }

    /// Lets sequences that wait join. A block for each that runs is kept free, so that they can go on for a while.
    private void admit() {
        while (!waiting.isEmpty() && running.size() < limits.sequences()) {
            EngineSequence first = waiting.peek();
            first.cache.share(root(first.owner, first.adapter));
            first.reuse();
            int needed = first.cache.missing(first.cache.pending()) + running.size();
            if (!running.isEmpty() && pool.available() < needed) {
                first.stayOutside(); // what it found may be what the others need
                return;
            }
            running.add(waiting.remove());
        }
    }

    /// Chooses the tokens of a pass.
    private List<Planned> plan() {
        List<Planned> plan = new ArrayList<>();
        List<EngineSequence> reading = new ArrayList<>();
        int continued = (int) running.stream().filter(EngineSequence::continues).count();
        int guesses = continued == 0 ? 0 : GUESSING_ROWS / continued - 1;
        for (EngineSequence sequence : List.copyOf(running)) {
            if (!running.contains(sequence)) {
                continue; // it had to give its blocks to another one
            }
            if (!sequence.continues()) {
                sequence.reuse();
                if (reading.stream().noneMatch(other -> sequence.cache.follows(other.cache))) {
                    reading.add(sequence);
                }
                continue;
            }
            sequence.guess(guesses);
            add(sequence, sequence.cache.pending(), plan);
        }
        int budget = (plan.isEmpty() ? limits.stepTokens() : limits.sharedStepTokens()) - plan.size();
        for (int i = 0; i < reading.size(); i++) {
            EngineSequence sequence = reading.get(i);
            if (!running.contains(sequence)) {
                continue;
            }
            if (budget <= 0) {
                break;
            }
            int share = Math.max(LEAST_CHUNK, budget / (reading.size() - i));
            int count = Math.min(sequence.cache.pending(), Math.min(budget, share));
            if (add(sequence, count, plan)) {
                budget -= count;
            }
        }
        return plan;
    }

    /// Adds the next `count` tokens of a sequence to the pass, if it gets the blocks for them.
    private boolean add(EngineSequence sequence, int count, List<Planned> plan) {
        while (pool.available() < sequence.cache.missing(count)) {
            EngineSequence last = running.getLast();
            plan.removeIf(planned -> planned.sequence == last);
            running.removeLast();
            last.giveWay();
            waiting.addFirst(last);
            if (last == sequence) {
                return false;
            }
        }
        sequence.cache.reserve(count);
        boolean all = count == sequence.cache.pending();
        if (all) {
            sequence.beginPrediction();
        }
        Part part = new Part(sequence.cache, sequence.adapter, count, all ? sequence.wanted() : 0);
        plan.add(new Planned(sequence, part));
        return true;
    }
}
