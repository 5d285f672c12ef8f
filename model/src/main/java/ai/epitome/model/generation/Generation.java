package ai.epitome.model.generation;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// A generation under way: pieces to take as they become certain, and the result at the end.
///
/// ```java
/// Generation generation = generator.submit(request);
/// for (Optional<GenerationPiece> piece = generation.next(); piece.isPresent(); piece = generation.next()) {
///     System.out.print(piece.get().text());
/// }
/// GenerationResult result = generation.result();
/// ```
///
/// The engine does not wait for whoever takes the pieces; a request's tokens bound how many there are. For any thread,
/// virtual ones too.
public final class Generation {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    /// Apart, so that a piece wakes nobody who waits for the end alone.
    private final Condition over = lock.newCondition();
    private final Deque<GenerationPiece> pieces = new ArrayDeque<>();
    private volatile boolean cancelled;
    private ScoredToken last; // or null
    private GenerationResult result;
    private Throwable failure;
    /// Gets a permit for each piece and for the end, for whoever waits for several generations.
    private final Semaphore news;

    Generation() {
        this(new Semaphore(0));
    }

    Generation(Semaphore news) {
        this.news = news;
    }

    /// Waits for the next piece; empty when the text has ended, whatever way.
    public Optional<GenerationPiece> next() throws InterruptedException {
        lock.lock();
        try {
            while (pieces.isEmpty() && !isOver()) {
                changed.await();
            }
            return Optional.ofNullable(pieces.poll());
        } finally {
            lock.unlock();
        }
    }

    /// The next piece, if it has come.
    Optional<GenerationPiece> poll() {
        lock.lock();
        try {
            return Optional.ofNullable(pieces.poll());
        } finally {
            lock.unlock();
        }
    }

    /// Whether it is over and all of its pieces have been taken.
    boolean isTaken() {
        lock.lock();
        try {
            return pieces.isEmpty() && isOver();
        } finally {
            lock.unlock();
        }
    }

    /// Ends the text before its next token, with [FinishReason#CANCELLED].
    public void cancel() {
        cancelled = true;
    }

    boolean isCancelled() {
        return cancelled;
    }

    private boolean isOver() {
        return result != null || failure != null;
    }

    /// Waits for the end: after it the model is no longer in use by this generation.
    ///
    /// @throws IllegalStateException when it failed; a failure that is a `RuntimeException` or an `Error` is thrown
    /// itself
    public GenerationResult result() {
        awaitEnd();
        return switch (failure) {
            case null -> result;
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            default -> throw new IllegalStateException(failure);
        };
    }

    void awaitEnd() {
        lock.lock();
        try {
            while (!isOver()) {
                over.awaitUninterruptibly();
            }
        } finally {
            lock.unlock();
        }
    }

    /// The token that ended the text, which is no part of it; empty where the text ended otherwise, or goes on.
    public Optional<ScoredToken> last() {
        lock.lock();
        try {
            return Optional.ofNullable(last);
        } finally {
            lock.unlock();
        }
    }

    void last(ScoredToken token) {
        lock.lock();
        try {
            last = token;
        } finally {
            lock.unlock();
        }
    }

    void deliver(GenerationPiece piece) {
        lock.lock();
        try {
            pieces.add(piece);
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        news.release();
    }

    void end(GenerationResult ended) {
        lock.lock();
        try {
            result = ended;
            changed.signalAll();
            over.signalAll();
        } finally {
            lock.unlock();
        }
        news.release();
    }

    void fail(Throwable thrown) {
        lock.lock();
        try {
            failure = thrown;
            changed.signalAll();
            over.signalAll();
        } finally {
            lock.unlock();
        }
        news.release();
    }
}
