package ai.epitome.model.engine;

import ai.epitome.model.transformer.Transformer;
import ai.epitome.tensor.attention.KeyValueFormat;
import ai.epitome.tensor.backend.Backend;
import java.lang.foreign.Arena;
import java.util.List;

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

    /// Gets the logits of one position.
    @FunctionalInterface
    public interface Predictions {
        /// @param index which of the tokens was read
        /// @param logits (V) of the token after it
        void accept(int index, float[] logits);
    }

    private final Transformer model;
    private final Arena memory = Arena.ofShared();
    private final CachedSequence sequence;
    private final BatchPass passes;

    /// An empty sequence.
    ///
    /// @param capacity tokens that it can hold before the older half is forgotten: at most the model's context
    public Session(Transformer model, Backend backend, int capacity) {
        this(model, backend, capacity, KeyValueFormat.of(backend.compute()));
    }

    /// The same with keys and values in a format of the caller's choice.
    public Session(Transformer model, Backend backend, int capacity, KeyValueFormat format) {
        if (capacity < 1 || capacity > model.config().context()) {
            throw new IllegalArgumentException("a session of %d tokens, but the model's context is %d"
                    .formatted(capacity, model.config().context()));
        }
        this.model = model;
        KeyValuePool pool = KeyValuePool.of(model.config(), format, memory, KeyValuePool.blocks(capacity));
        this.sequence = new CachedSequence(pool, capacity);
        this.passes = new BatchPass(model, backend, pool);
    }

    /// Tokens that the next prediction sees.
    public int length() {
        return sequence.length();
    }

    /// Tokens that it can hold before the older half is forgotten.
    public int capacity() {
        return sequence.capacity();
    }

    /// Forgets all but the first `length` tokens.
    public void rewind(int length) {
        if (length < 0 || length > length()) {
            throw new IllegalArgumentException("cannot go back to %d of %d tokens".formatted(length, length()));
        }
        sequence.truncate(length);
    }

    /// Reads further tokens and returns the logits (V) of the token after them.
    ///
    /// @throws IllegalArgumentException when there is no token, or one outside the vocabulary
    public float[] advance(int... further) {
        requireTokens(further);
        sequence.append(further);
        float[][] logits = {null};
        while (sequence.pending() > 0) {
            boolean last = sequence.pending() <= CHUNK;
            read(last ? 1 : 0, (_, _, row) -> logits[0] = row.toFloats());
        }
        return logits[0];
    }

    /// Reads further tokens and gives the logits after each of them.
    ///
    /// @throws IllegalArgumentException when they do not fit, or one is outside the vocabulary
    public void scan(int[] further, Predictions predictions) {
        requireTokens(further);
        requireRoom(further.length);
        sequence.append(further);
        int before = length() - further.length;
        while (sequence.pending() > 0) {
            int start = sequence.read() - before;
            read(CHUNK, (_, index, logits) -> predictions.accept(start + index, logits.toFloats()));
        }
    }

    /// Reads further tokens and gives the mean of their last hidden states, (C): what the head would multiply.
    ///
    /// @throws IllegalArgumentException when there is no token, or one outside the vocabulary, or they do not fit
    public float[] meanHidden(int... further) {
        requireTokens(further);
        requireRoom(further.length);
        sequence.append(further);
        double[] sums = new double[model.config().width()];
        while (sequence.pending() > 0) {
            int count = Math.min(sequence.pending(), CHUNK);
            sequence.reserve(count);
            passes.addHidden(new BatchPass.Part(sequence, count, 0), sums);
        }
        float[] mean = new float[sums.length];
        for (int channel = 0; channel < mean.length; channel++) {
            mean[channel] = (float) (sums[channel] / further.length);
        }
        return mean;
    }

    private void requireRoom(int more) {
        if (length() + more > capacity()) {
            throw new IllegalArgumentException(
                    "%d tokens after %d do not fit in %d".formatted(more, length(), capacity()));
        }
    }

    /// Reads the next chunk and gives the predictions after the last `wanted` of its tokens.
    private void read(int wanted, BatchPass.Predictions predictions) {
        int count = Math.min(sequence.pending(), CHUNK);
        sequence.reserve(count);
        passes.run(List.of(new BatchPass.Part(sequence, count, Math.min(wanted, count))), predictions);
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
        passes.close();
        memory.close();
    }
}
