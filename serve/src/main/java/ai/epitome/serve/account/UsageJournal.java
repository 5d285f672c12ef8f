package ai.epitome.serve.account;

import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.LinkedBlockingQueue;

/// Writes usage rows on a thread of its own, and lets each request wait until its row is durable.
///
/// Rows that come while a transaction is being written go into the next one together, so that the disk's time for a
/// commit is shared by all who wait for it.
final class UsageJournal implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(UsageJournal.class.getName());
    private static final int MOST_AT_ONCE = 256;
    /// A database that restarts is worth waiting for: a row that is not written is money lost.
    private static final int ATTEMPTS = 4;

    private static final long FIRST_PAUSE_MILLIS = 100;

    private final UsageStore store;
    private final LinkedBlockingQueue<Entry> queue = new LinkedBlockingQueue<>();
    private Thread writer;
    private boolean closed;

    UsageJournal(UsageStore store) {
        this.store = store;
    }

    /// @param row null for the end
    private record Entry(UsageRow row, CompletableFuture<Void> written) {}

    /// Returns when the row is durable.
    ///
    /// @throws DatabaseException when it could not be written
    void write(UsageRow row) {
        Entry entry = new Entry(row, new CompletableFuture<>());
        add(entry);
        try {
            entry.written().join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof DatabaseException failure ? failure : e;
        }
    }

    private synchronized void add(Entry entry) {
        if (closed) {
            throw new IllegalStateException("the accounts are closed");
        }
        if (writer == null) {
            writer = Thread.ofPlatform().name("usage journal").daemon().start(this::writeOn);
        }
        queue.add(entry);
    }

    private void writeOn() {
        boolean end = false;
        while (!end) {
            List<Entry> entries = new ArrayList<>();
            try {
                entries.add(queue.take());
            } catch (InterruptedException e) {
                return; // nobody interrupts it but the end of the process
            }
            queue.drainTo(entries, MOST_AT_ONCE - 1);
            end = entries.removeIf(entry -> entry.row() == null);
            if (!entries.isEmpty()) {
                write(entries);
            }
        }
    }

    private void write(List<Entry> entries) {
        List<UsageRow> rows = entries.stream().map(Entry::row).toList();
        for (int attempt = 1; ; attempt++) {
            try {
                store.add(rows);
                entries.forEach(entry -> entry.written().complete(null));
                return;
            } catch (RuntimeException | Error e) { // whatever it is: requests wait for an answer
                if (attempt == ATTEMPTS) {
                    LOG.log(Level.ERROR, rows.size() + " usage rows are lost: " + rows, e);
                    entries.forEach(entry -> entry.written().completeExceptionally(e));
                    return;
                }
                pause(FIRST_PAUSE_MILLIS << attempt);
            }
        }
    }

    private static void pause(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /// Writes what is still to be written.
    @Override
    public void close() {
        Thread last;
        synchronized (this) {
            closed = true;
            last = writer;
            queue.add(new Entry(null, null));
        }
        try {
            if (last != null) {
                last.join();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
