package ai.epitome.model;

import ai.epitome.model.transformer.Dropout;
import ai.epitome.model.transformer.Sequences;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.tensor.StepArena;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.autograd.Tape;
import ai.epitome.tensor.backend.Backend;
import java.util.Arrays;
import java.util.OptionalInt;
import java.util.concurrent.CancellationException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;

/// What a text costs under a model: the log-probability of every token, each exactly once, with context carried over.
///
/// The text is read in windows of the model's context that begin a *stride* apart. The first window's tokens all count;
/// of each later one only the last `stride`, which have seen at least `context - stride` tokens before them:
///
/// ```text
/// window 0  |ssssssssssssssss|
/// window 1          |........ssssssss|            s counts, . is context
/// window 2                  |........ssssssss|
/// ```
///
/// Every prediction sees earlier tokens only, and which ones depends on its place alone, so an arithmetic coder that
/// moves through the text the same way pays exactly this (see `docs/held-out.md`).
public final class Scorer implements AutoCloseable {
    /// Tokens of the windows that are computed side by side.
    private static final int TOKENS_AT_ONCE = 8192;

    private final Transformer model;
    private final Backend backend;
    private final OptionalInt start;
    private final int context;
    private final int stride;
    private final StepArena arena = new StepArena();

    /// The price of a text.
    ///
    /// @param logProbabilities natural logarithm of each token's probability
    /// @param firstIsPredicted whether the first token's comes from the model (given a start token) and not from
    ///     the uniform distribution
    /// @param bytes bytes of the text
    public record Score(float[] logProbabilities, boolean firstIsPredicted, long bytes) {
        /// The length of the code in bits.
        public double bits() {
            double sum = 0;
            for (float value : logProbabilities) {
                sum -= value;
            }
            return sum / Math.log(2);
        }

        /// Bits of code per byte of text.
        public double bitsPerByte() {
            return bits() / bytes;
        }
    }

    /// Scores with the model's whole context and a stride of half of it.
    ///
    /// @param start the token that every text is taken to follow (end-of-text, where the tokenizer has one);
    ///     without it the first token costs `log2(V)` bits
    public Scorer(Transformer model, Backend backend, OptionalInt start) {
        this(
                model,
                backend,
                start,
                model.config().context(),
                Math.max(1, model.config().context() / 2));
    }

    /// @param context tokens of a window, at most the model's context
    /// @param stride tokens by which windows move on: 1 gives every prediction a full context,
    ///     `context` is cheapest
    public Scorer(Transformer model, Backend backend, OptionalInt start, int context, int stride) {
        if (context < 1 || context > model.config().context() || stride < 1 || stride > context) {
            throw new IllegalArgumentException("windows of %d tokens moved by %d, but the model's context is %d"
                    .formatted(context, stride, model.config().context()));
        }
        this.model = model;
        this.backend = backend;
        this.start = start;
        this.context = context;
        this.stride = stride;
    }

    /// Scores one text.
    ///
    /// @param ids its tokens
    /// @param bytes its length in bytes
    /// @throws IllegalArgumentException when an id is outside the vocabulary
    public Score score(int[] ids, long bytes) {
        return score(ids, bytes, () -> false);
    }

    /// Scores one text, unless `cancelled`, which is asked every few thousand tokens.
    ///
    /// @throws CancellationException when it was cancelled
    public Score score(int[] ids, long bytes, BooleanSupplier cancelled) {
        float[] result = new float[ids.length];
        if (ids.length == 0) {
            return new Score(result, false, bytes);
        }
        // inputs[i] predicts the token at ids[i + first]
        int first = start.isPresent() ? 0 : 1;
        int[] inputs = Arrays.copyOf(ids, ids.length - 1);
        if (start.isPresent()) {
            inputs = new int[ids.length];
            inputs[0] = start.getAsInt();
            System.arraycopy(ids, 0, inputs, 1, ids.length - 1);
        } else {
            result[0] = (float) -Math.log(model.config().vocabulary());
        }
        int[] targets = Arrays.copyOfRange(ids, first, ids.length);
        int length = Math.min(context, inputs.length);
        int windows = inputs.length <= context ? 1 : 1 + (inputs.length - context + stride - 1) / stride;
        int atOnce = Math.max(1, TOKENS_AT_ONCE / Math.max(1, length));
        for (int from = 0; from < windows && inputs.length > 0; from += atOnce) {
            if (cancelled.getAsBoolean()) {
                throw new CancellationException("scoring was cancelled");
            }
            score(inputs, targets, length, from, Math.min(windows, from + atOnce), result, first);
        }
        return new Score(result, start.isPresent(), bytes);
    }

    /// Scores windows `from` to `to - 1`. The last window of a text is filled up behind its end, where nothing that
    /// counts can see it.
    private void score(int[] inputs, int[] targets, int length, int from, int to, float[] result, int first) {
        int[] rows = new int[(to - from) * length];
        for (int window = from; window < to; window++) {
            int begin = window * stride;
            System.arraycopy(inputs, begin, rows, (window - from) * length, Math.min(length, inputs.length - begin));
        }
        ReentrantLock turn = backend.workers().turn();
        turn.lock();
        try {
            arena.reset();
            Tape tape = new Tape(backend, arena, false);
            Tensor hidden = model.hidden(tape, new Sequences(rows, to - from), Dropout.NONE); // (windows * length, C)
            for (int window = from; window < to; window++) {
                int begin = window * stride;
                int fresh = window == 0 ? 0 : length - stride;
                int end = Math.min(length, inputs.length - begin);
                int row = (window - from) * length;
                Tensor losses = tape.tokenLosses(
                        hidden.slice(row + fresh, row + end),
                        model.head(),
                        Arrays.copyOfRange(targets, begin + fresh, begin + end));
                float[] values = losses.toFloats();
                for (int i = 0; i < values.length; i++) {
                    result[first + begin + fresh + i] = -values[i];
                }
            }
        } finally {
            turn.unlock();
        }
    }

    @Override
    public void close() {
        arena.close();
    }
}
