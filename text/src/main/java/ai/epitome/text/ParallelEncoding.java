package ai.epitome.text;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;

/// Encodes documents on several threads, in order: the caller's thread cuts the input into batches, keeps a bounded
/// queue of batches under way, and hands over the oldest when the queue is full.
final class ParallelEncoding {
    /// Bytes in a batch: some milliseconds of work, so that handing over costs nothing beside it.
    private static final int BATCH_BYTES = 1 << 18;

    private ParallelEncoding() {}

    static void run(Tokenizer tokenizer, Iterator<byte[]> documents, int threads, Consumer<int[]> inOrder) {
        if (threads < 1) {
            throw new IllegalArgumentException("threads must be at least 1, not " + threads);
        }
        if (threads == 1) {
            documents.forEachRemaining(document -> inOrder.accept(tokenizer.encode(document)));
            return;
        }
        ExecutorService pool = Executors.newFixedThreadPool(
                threads, Thread.ofPlatform().daemon().name("encode-", 0).factory());
        try {
            var underWay = new ArrayDeque<Future<List<int[]>>>();
            while (documents.hasNext()) {
                List<byte[]> batch = nextBatch(documents);
                underWay.add(
                        pool.submit(() -> batch.stream().map(tokenizer::encode).toList()));
                if (underWay.size() > 2 * threads) {
                    result(underWay.remove()).forEach(inOrder);
                }
            }
            while (!underWay.isEmpty()) {
                result(underWay.remove()).forEach(inOrder);
            }
        } finally {
            pool.shutdownNow();
        }
    }

    static List<byte[]> nextBatch(Iterator<byte[]> documents) {
        var batch = new ArrayList<byte[]>();
        for (long bytes = 0; bytes < BATCH_BYTES && documents.hasNext(); ) {
            byte[] document = documents.next();
            batch.add(document);
            // Empty documents count too, so that a batch ends.
            bytes += document.length + 16;
        }
        return batch;
    }

    /// The result of a task; what it threw is thrown here.
    static <T> T result(Future<T> task) {
        try {
            return task.get();
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case RuntimeException cause -> throw cause;
                case Error cause -> throw cause;
                case null, default -> throw new IllegalStateException(e);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while waiting for another thread's encoding", e);
        }
    }
}
