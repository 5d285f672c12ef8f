package ai.epitome.tensor;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/// The fixed pool of platform threads that kernels run on; the caller is one of them.
///
/// A parallel region is a number of independent tasks. Threads draw task numbers from a counter, so a thread that
/// the system holds up delays one task and not half of the region. A task's result depends on its number alone,
/// never on which thread ran it, so the same input gives the same bits. Between regions idle threads spin for a moment
/// (the next kernel of a step follows at once) and then sleep.
///
/// One region at a time: regions do not nest, and one thread at a time may open them. Where several threads share a
/// pool (requests to a service, a training run beside them), each holds [#turn] for a step or a pass.
public final class Workers implements AutoCloseable {
    /// Work on task number `task` with the scratch memory of the thread that runs it.
    @FunctionalInterface
    public interface Task {
        void run(int task, Scratch scratch);
    }

    /// About a millisecond: a kernel of the same step follows sooner.
    private static final int SPINS = 20_000;

    /// Rounds of waiting before a thread lets go of its processor: none where there are more threads than processors,
    /// since what it waits for may need that one.
    private final int spins;
    private final Thread[] threads;
    private final Scratch[] scratch;
    private final ReentrantLock turn = new ReentrantLock(true);
    private final AtomicBoolean open = new AtomicBoolean();
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicInteger running = new AtomicInteger();
    private volatile int region;
    private volatile boolean closed;
    private volatile Throwable failure;
    private Task body;
    private int tasks;

    /// A pool of `count` threads, the caller included.
    public Workers(int count) {
        if (count < 1) {
            throw new IllegalArgumentException("threads must be at least 1, not " + count);
        }
        spins = count <= Runtime.getRuntime().availableProcessors() ? SPINS : 0;
        scratch = new Scratch[count];
        for (int i = 0; i < count; i++) {
            scratch[i] = new Scratch();
        }
        threads = new Thread[count - 1];
        for (int i = 0; i < threads.length; i++) {
            Scratch own = scratch[i + 1];
            threads[i] = Thread.ofPlatform()
                    .name("epitome-kernel-" + (i + 1))
                    .daemon()
                    .start(() -> work(own));
        }
    }

    /// The lock to hold while opening regions, where more than one thread may: it goes round in order of arrival.
    public ReentrantLock turn() {
        return turn;
    }

    /// Number of threads, the caller included.
    public int count() {
        return scratch.length;
    }

    /// Runs tasks 0 to `count - 1` and returns when all have ended. A failure of any task is thrown here.
    public void run(int count, Task task) {
        if (count <= 1 || threads.length == 0) {
            for (int i = 0; i < count; i++) {
                task.run(i, scratch[0]);
            }
            return;
        }
        if (!open.compareAndSet(false, true)) {
            throw new IllegalStateException("two threads opened a region at once: hold Workers.turn() around a pass");
        }
        body = task;
        tasks = count;
        next.set(0);
        running.set(threads.length);
        region++; // publishes the plain fields above
        for (Thread thread : threads) {
            LockSupport.unpark(thread);
        }
        draw(scratch[0]);
        awaitOthers();
        body = null;
        open.set(false);
        Throwable thrown = failure;
        if (thrown != null) {
            failure = null;
            throw thrown instanceof RuntimeException e
                    ? e
                    : new IllegalStateException("a kernel thread failed", thrown);
        }
    }

    /// Spins while the others finish, and lets go of the processor where that takes long: they may be waiting for it.
    private void awaitOthers() {
        for (int round = 0; running.get() != 0; round++) {
            if (round < spins) {
                Thread.onSpinWait();
            } else {
                Thread.yield();
            }
        }
    }

    /// Runs tasks 0 to `count - 1`: on the caller alone where they are not `worth` waking the others, which takes some
    /// microseconds.
    public void run(int count, boolean worth, Task task) {
        if (worth) {
            run(count, task);
            return;
        }
        for (int i = 0; i < count; i++) {
            task.run(i, scratch[0]);
        }
    }

    /// Splits `count` rows into consecutive ranges of at least `minimum` rows, a few per thread, and runs them all.
    public void rows(int count, int minimum, Range range) {
        int parts = Math.clamp(count / Math.max(1, minimum), 1, count() * 4);
        run(
                parts,
                (task, own) ->
                        range.run((int) ((long) count * task / parts), (int) ((long) count * (task + 1) / parts), own));
    }

    /// Work on rows `from` (inclusive) to `to` (exclusive).
    @FunctionalInterface
    public interface Range {
        void run(int from, int to, Scratch scratch);
    }

    private void work(Scratch own) {
        int seen = 0;
        while (true) {
            int round = 0;
            while (region == seen) {
                if (closed) {
                    return;
                }
                if (++round < spins) {
                    Thread.onSpinWait();
                } else {
                    LockSupport.park(this);
                }
            }
            seen++;
            draw(own);
            running.decrementAndGet();
        }
    }

    private void draw(Scratch own) {
        try {
            for (int task = next.getAndIncrement(); task < tasks; task = next.getAndIncrement()) {
                body.run(task, own);
            }
        } catch (RuntimeException | Error e) {
            next.set(tasks);
            failure = e;
        }
    }

    @Override
    public void close() {
        closed = true;
        for (Thread thread : threads) {
            LockSupport.unpark(thread);
        }
    }
}
