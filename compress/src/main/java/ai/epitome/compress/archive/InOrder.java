package ai.epitome.compress.archive;

import ai.epitome.compress.Coding;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// Runs tasks on several threads and hands on their results in the order in which the tasks came. So many tasks are
/// under way at most that every thread has its next one: memory is bounded. With one thread they run where they are
/// submitted.
final class InOrder<T> implements AutoCloseable {
    @FunctionalInterface
    interface Task<T> {
        T run() throws IOException;
    }

    @FunctionalInterface
    interface Sink<T> {
        void accept(T result) throws IOException;
    }

    /// Tasks of a thread: the one that it does and the next one.
    private static final int BLOCKS = 2;

    private final Sink<T> sink;
    private final int limit;
    private final ExecutorService executor; // null with one thread
    private final Deque<Future<T>> pending = new ArrayDeque<>();

    InOrder(int threads, Sink<T> sink) {
        this.sink = sink;
        limit = BLOCKS * threads;
        executor = threads == 1
                ? null
                : Executors.newFixedThreadPool(
                        threads, Thread.ofPlatform().daemon().name("block-", 0).factory());
    }

    /// How many threads code blocks of an archive: one after another where each needs the one before, or where the
    /// coding has threads of its own; otherwise so many that their codecs and the blocks under way fit into
    /// half of the heap.
    static int threads(Coding coding, boolean solid, int blockSize, int most) {
        if (solid || coding.usesThreads()) {
            return 1;
        }
        long each = coding.memory() + 2L * BLOCKS * blockSize; // plain and coded
        long fitting = Runtime.getRuntime().maxMemory() / 2 / each;
        return Math.clamp(fitting, 1, most);
    }

    /// How many blocks are coded at a time: as many as the coding likes and as fit into a part of the heap.
    static int group(Coding coding, boolean solid, int blockSize) {
        long fitting = Runtime.getRuntime().maxMemory() / 16 / blockSize;
        return solid ? 1 : Math.clamp(fitting, 1, coding.group());
    }

    /// Whether tasks run where they are submitted.
    boolean isDirect() {
        return executor == null;
    }

    /// Waits for the oldest task when there are too many.
    void submit(Task<T> task) throws IOException {
        if (executor == null) {
            sink.accept(task.run());
            return;
        }
        if (pending.size() == limit) {
            takeOldest();
        }
        pending.add(executor.submit(task::run));
    }

    /// Waits for all tasks.
    void drain() throws IOException {
        while (!pending.isEmpty()) {
            takeOldest();
        }
    }

    private void takeOldest() throws IOException {
        try {
            sink.accept(pending.remove().get());
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case IOException cause -> throw cause;
                case RuntimeException cause -> throw cause;
                case Error cause -> throw cause;
                default -> throw new IllegalStateException(e.getCause());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    /// Gives up what is not done, and waits for what is being done: a task may use what the caller closes next.
    @Override
    public void close() {
        if (executor != null) {
            pending.forEach(task -> task.cancel(false));
            executor.close();
        }
    }
}
