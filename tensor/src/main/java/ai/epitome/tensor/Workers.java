package ai.epitome.tensor;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/// The fixed pool of platform threads that kernels run on; the caller is one of them.
///
/// A parallel region is a number of independent tasks. Threads draw task numbers, so a thread that the
/// system holds up delays one task and not half of the region. Every second thread draws from the end: rows
/// that a thread has written in one region it reads in the next, as a rule, from its own cache. A task's
/// result depends on its number alone, never on which thread ran it, so the same input gives the same bits.
/// A region ends when its tasks have ended: nobody waits for a thread that comes too late for any. Between
/// regions idle threads spin for a moment (the next kernel of a step follows at once) and then sleep.
///
/// One region at a time: regions do not nest, and one thread at a time may open them. Where several threads
/// share a pool (requests to a service, a training run beside them), each holds [#turn] for a step or a
/// pass.
public final class Workers implements AutoCloseable {
    /// Work on task number `task` with the scratch memory of the thread that runs it.
    @FunctionalInterface
    public interface Task {
        void run(int task, Scratch scratch);
    }

    /// About a millisecond: a kernel of the same step follows sooner.
    private static final int SPINS = 20_000;
    /// Elements of a task of a row loop.
    private static final int WORTHWHILE = 2048;

    /// Rounds of waiting before a thread lets go of its processor: none where there are more threads than
    /// processors, since what it waits for may need that one.
    private final int spins;
    private final Thread[] threads;
    private final Scratch[] scratch;
    private final ReentrantLock turn = new ReentrantLock(true);
    private final AtomicBoolean open = new AtomicBoolean();
    private final AtomicInteger asleep = new AtomicInteger();
    private volatile Region current;
    private volatile boolean closed;

    /// The tasks of one region.
    private static final class Region {
        private final int tasks;
        /// How many tasks have been drawn from the beginning, in the upper half, and from the end.
        private final AtomicLong drawn = new AtomicLong();
        private final AtomicInteger ended = new AtomicInteger();
        private volatile Throwable failure;
        private Task body; // null when all have ended, so that what it refers to can go

        Region(Task body, int tasks) {
            this.body = body;
            this.tasks = tasks;
        }

        /// Runs tasks until none is left. After a failure, those that are left are not run.
        void draw(Scratch own, boolean fromEnd) {
            int count = 0;
            for (int task = next(fromEnd); task >= 0; task = next(fromEnd)) {
                if (failure == null) {
                    run(task, own);
                }
                count++;
            }
            if (count > 0) {
                ended.addAndGet(count);
            }
        }

        /// The number of a task that nobody has drawn, or -1.
        private int next(boolean fromEnd) {
            long before = drawn.getAndAdd(fromEnd ? 1 : 1L << 32);
            int first = (int) (before >>> 32);
            int last = tasks - 1 - (int) before;
            return first > last ? -1 : fromEnd ? last : first;
        }

        private void run(int task, Scratch own) {
            try {
                body.run(task, own);
            } catch (RuntimeException | Error e) {
                failure = e;
            }
        }
    }

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
            boolean fromEnd = i % 2 == 0;
            threads[i] = Thread.ofPlatform()
                    .name("epitome-kernel-" + (i + 1))
                    .daemon()
                    .start(() -> work(own, fromEnd));
        }
    }

    /// The lock to hold while opening regions, where more than one thread may: it goes round in order of
    /// arrival.
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
        Region region = new Region(task, count);
        current = region;
        if (asleep.get() > 0) {
            wakeAll();
        }
        region.draw(scratch[0], false);
        await(region);
        region.body = null;
        open.set(false);
        Throwable thrown = region.failure;
        if (thrown != null) {
            throw thrown instanceof RuntimeException e
                    ? e
                    : new IllegalStateException("a kernel thread failed", thrown);
        }
    }

    /// Spins while the others finish, and lets go of the processor where that takes long: they may be
    /// waiting for it.
    private void await(Region region) {
        for (int round = 0; region.ended.get() != region.tasks; round++) {
            if (round < spins) {
                Thread.onSpinWait();
            } else {
                Thread.yield();
            }
        }
    }

    /// Runs tasks 0 to `count - 1`: on the caller alone where they are not `worth` waking the others, which
    /// takes some microseconds.
    public void run(int count, boolean worth, Task task) {
        if (worth) {
            run(count, task);
            return;
        }
        for (int i = 0; i < count; i++) {
            task.run(i, scratch[0]);
        }
    }

    /// Splits `count` rows into consecutive ranges of at least `minimum` rows, a few per thread, and runs
    /// them all.
    public void rows(int count, int minimum, Range range) {
        int parts = Math.clamp(count / Math.max(1, minimum), 1, count() * 4);
        run(
                parts,
                (task, own) ->
                        range.run((int) ((long) count * task / parts), (int) ((long) count * (task + 1) / parts), own));
    }

    /// Rows of so many elements that are worth waking another thread, at most `most`: for loops that take some
    /// nanoseconds an element.
    public static int worthwhile(int columns, int most) {
        return Math.clamp(WORTHWHILE / Math.max(1, columns), 1, most);
    }

    /// Work on rows `from` (inclusive) to `to` (exclusive).
    @FunctionalInterface
    public interface Range {
        void run(int from, int to, Scratch scratch);
    }

    private void work(Scratch own, boolean fromEnd) {
        Region seen = null;
        while (!closed) {
            awaitOtherThan(seen);
            seen = current;
            if (seen != null) {
                seen.draw(own, fromEnd);
            }
        }
    }

    private void awaitOtherThan(Region seen) {
        for (int round = 0; current == seen && !closed; round++) {
            if (round < spins) {
                Thread.onSpinWait();
                continue;
            }
            asleep.incrementAndGet(); // seen by whoever opens the next region, or the region is seen here
            if (current == seen && !closed) {
                LockSupport.park(this);
            }
            asleep.decrementAndGet();
        }
    }

    private void wakeAll() {
        for (Thread thread : threads) {
            LockSupport.unpark(thread);
        }
    }

    @Override
    public void close() {
        closed = true;
        wakeAll();
    }
}
