package ai.epitome.serve.generation;

import ai.epitome.serve.http.ApiException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;

/// Lets a few generations go on at a time and makes requests for more wait, first come first served, up to a bound.
///
/// Those that wait look every [#POLL_MILLISECONDS] whether they are still wanted, and leave the queue when they are
/// not. (A fair semaphore with a timeout would send a request that looks to the end of the queue.)
public final class GenerationQueue {
    private static final long POLL_MILLISECONDS = 100;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Deque<Object> waiting = new ArrayDeque<>();
    private final int slots;
    private final int length;
    private int running;
    /// Places that those have who run.
    private int taken;

    public GenerationQueue(int slots, int length) {
        this.slots = slots;
        this.length = length;
    }

    /// A request's turn; closing it lets the next one in.
    public interface Turn extends AutoCloseable {
        @Override
        void close();
    }

    /// Waits for a turn with one generation.
    ///
    /// @see #enter(int, BooleanSupplier)
    public Turn enter(BooleanSupplier abandoned) throws InterruptedException {
        return enter(1, abandoned);
    }

    /// Waits for a turn.
    ///
    /// @param generations that will go on at a time; as if it were all there may be, where it is more
    /// @param abandoned asked while waiting
    /// @throws ApiException with status 429 when too many wait already
    /// @throws CancelledException when the request was abandoned
    public Turn enter(int generations, BooleanSupplier abandoned) throws InterruptedException {
        int places = Math.min(generations, slots);
        lock.lock();
        try {
            if ((taken + places > slots || !waiting.isEmpty()) && waiting.size() >= length) {
                throw ApiException.queueFull(waiting.size());
            }
            var ticket = new Object();
            waiting.addLast(ticket);
            try {
                while (taken + places > slots || waiting.peekFirst() != ticket) {
                    if (abandoned.getAsBoolean()) {
                        throw new CancelledException();
                    }
                    changed.await(POLL_MILLISECONDS, TimeUnit.MILLISECONDS);
                }
                running++;
                taken += places;
                return () -> leave(places);
            } finally {
                waiting.remove(ticket);
                changed.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }

    private void leave(int places) {
        lock.lock();
        try {
            running--;
            taken -= places;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /// Requests that generate or wait.
    public int size() {
        lock.lock();
        try {
            return running + waiting.size();
        } finally {
            lock.unlock();
        }
    }
}
