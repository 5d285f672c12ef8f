package ai.epitome.model;

import ai.epitome.tensor.AttentionShape;
import ai.epitome.tensor.Backend;
import ai.epitome.tensor.StepArena;
import ai.epitome.tensor.Tape;
import ai.epitome.tensor.Tensor;
import java.util.Arrays;
import java.util.concurrent.locks.ReentrantLock;

/// One sequence that a model reads or writes, token by token.
///
/// ```java
/// try (Session session = new Session(model, backend, model.config().context())) {
///     float[] logits = session.advance(prompt);
///     while (...) {
///         logits = session.advance(sampler.sample(logits));
///     }
/// }
/// ```
///
/// When the context is full, the older half is forgotten and the newer half is read again from position 0: keys hold
/// the positions and the context that they were computed with, so moving them would not give what the model computes.
/// That costs one pass over half a context every half context.
///
/// A session belongs to one thread at a time. Several sessions may use one backend: each pass over at most
/// [#CHUNK] tokens holds the turn of the backend's workers, which is given in order of arrival.
public final class Session implements AutoCloseable {
    /// Tokens read in one pass.
    static final int CHUNK = 512;

    /// Rows of logits in memory at once.
    private static final int LOGIT_ROWS = 64;

    /// Gets the logits of one position.
    @FunctionalInterface
    public interface Predictions {
        /// @param index which of the tokens was read
        /// @param logits (V) of the token after it
        void accept(int index, float[] logits);
    }

    private final Transformer model;
    private final Backend backend;
    private final KeyValueCache cache;
    private final StepArena arena = new StepArena();
    private final int[] tokens;

    /// An empty sequence.
    ///
    /// @param capacity tokens that it can hold before the older half is forgotten: at most the model's context
    public Session(Transformer model, Backend backend, int capacity) {
        if (capacity < 1 || capacity > model.config().context()) {
            throw new IllegalArgumentException("a session of %d tokens, but the model's context is %d"
                    .formatted(capacity, model.config().context()));
        }
        this.model = model;
        this.backend = backend;
        this.cache = new KeyValueCache(model.config(), backend, capacity);
        this.tokens = new int[capacity];
    }

    /// Tokens that the next prediction sees.
    public int length() {
        return cache.length();
    }

    public int capacity() {
        return cache.capacity();
    }

    /// Forgets all but the first `length` tokens.
    public void rewind(int length) {
        if (length < 0 || length > length()) {
            throw new IllegalArgumentException("cannot go back to %d of %d tokens".formatted(length, length()));
        }
        cache.truncate(length);
    }

    /// Reads further tokens and returns the logits (V) of the token after them.
    ///
    /// @throws IllegalArgumentException when there is no token, or one outside the vocabulary
    public float[] advance(int... further) {
        requireTokens(further);
        int[] read = further;
        if (length() + further.length > capacity()) {
            read = newest(further);
            cache.truncate(0);
        }
        for (int from = 0; ; from += CHUNK) {
            int to = Math.min(read.length, from + CHUNK);
            boolean last = to == read.length;
            int[] chunk = Arrays.copyOfRange(read, from, to);
            float[][] logits = {null};
            pass(chunk, last ? chunk.length - 1 : chunk.length, (_, row) -> logits[0] = row);
            if (last) {
                return logits[0];
            }
        }
    }

    /// What stays in view when `further` does not fit: all of it as far as the capacity goes, and at least half a
    /// capacity in total.
    private int[] newest(int[] further) {
        int[] all = Arrays.copyOf(tokens, length() + further.length);
        System.arraycopy(further, 0, all, length(), further.length);
        int kept = Math.clamp(further.length, (capacity() + 1) / 2, capacity());
        return Arrays.copyOfRange(all, all.length - kept, all.length);
    }

    /// Reads further tokens and gives the logits after each of them.
    ///
    /// @throws IllegalArgumentException when they do not fit, or one is outside the vocabulary
    public void scan(int[] further, Predictions predictions) {
        requireTokens(further);
        if (length() + further.length > capacity()) {
            throw new IllegalArgumentException(
                    "%d tokens after %d do not fit in %d".formatted(further.length, length(), capacity()));
        }
        for (int from = 0; from < further.length; from += CHUNK) {
            int start = from;
            int[] chunk = Arrays.copyOfRange(further, from, Math.min(further.length, from + CHUNK));
            pass(chunk, 0, (index, logits) -> predictions.accept(start + index, logits));
        }
    }

    /// Reads one chunk and gives the logits of its tokens from index `wanted` on.
    private void pass(int[] chunk, int wanted, Predictions predictions) {
        ReentrantLock turn = backend.workers().turn();
        turn.lock();
        try {
            arena.reset();
            Tape tape = new Tape(backend, arena, false);
            AttentionShape shape = cache.shape(chunk.length);
            int[] positions = new int[chunk.length];
            Arrays.setAll(positions, i -> cache.length() + i);
            Tensor hidden = model.hidden(
                    tape, chunk, positions, shape, (layer, qkv) -> cache.attend(tape, layer, qkv), Dropout.NONE);
            System.arraycopy(chunk, 0, tokens, cache.length(), chunk.length);
            cache.extend(chunk.length);
            for (int from = wanted; from < chunk.length; from += LOGIT_ROWS) {
                int to = Math.min(chunk.length, from + LOGIT_ROWS);
                Tensor logits = model.logits(tape, hidden.slice(from, to)); // (to - from, V)
                for (int i = from; i < to; i++) {
                    predictions.accept(i, logits.slice(i - from, i - from + 1).toFloats());
                }
                arena.release(logits);
            }
        } finally {
            turn.unlock();
        }
    }

    private void requireTokens(int[] further) {
        if (further.length == 0) {
            throw new IllegalArgumentException("no token to read");
        }
        for (int id : further) {
            if (id < 0 || id >= model.config().vocabulary()) {
                throw new IllegalArgumentException("token %d: the model has ids 0 to %d"
                        .formatted(id, model.config().vocabulary() - 1));
            }
        }
    }

    @Override
    public void close() {
        cache.close();
        arena.close();
    }
}
