package ai.epitome.model.engine;

import ai.epitome.model.transformer.Adapter;
import ai.epitome.tensor.Tensor;

/// A sequence in an [Engine]. Belongs to the engine's thread; during a pass to the one that gets its predictions.
final class EngineSequence {
    final CachedSequence cache;
    final String owner;
    final Adapter adapter; // or null
    final Continuation continuation;
    private final PromptLookup lookup; // or null

    private int cached;
    private boolean predicted;
    /// Whether it has had to give its blocks back, so that what is found may be its own.
    private boolean gaveWay;
    /// Guesses that lie behind the sequence's last token, in the pass under way.
    private int guesses;
    /// Whether the pass under way continues the sequence.
    private boolean continued;
    /// Tokens that are certain: the guesses among them that came true.
    private int certain;
    /// The token after the certain ones; -1 before it is known.
    private int drawn = -1;
    private boolean ended;
    private Throwable failure;
    /// The predictions of the step, in memory that is used again.
    private float[] logits = {};

    EngineSequence(CachedSequence cache, Engine.Beginning beginning, boolean speculate) {
        this.cache = cache;
        this.owner = beginning.owner();
        this.adapter = beginning.adapter();
        this.continuation = beginning.continuation();
        this.lookup = speculate ? new PromptLookup() : null;
    }

    boolean over() {
        return ended || failure != null;
    }

    Throwable failure() {
        return failure;
    }

    /// Ends it by a failure, unless it has ended already.
    void fail(Throwable thrown) {
        if (!over()) {
            failure = thrown;
        }
    }

    /// Ends the sequence where its continuation no longer wants it.
    void askWhetherCancelled() {
        try {
            ended |= continuation.cancelled();
        } catch (RuntimeException | Error e) {
            failure = e;
        }
    }

    /// Whether the next pass continues it, rather than reading what is given.
    boolean continues() {
        return predicted && cache.pending() == 1;
    }

    /// Takes over what others have read of the same beginning.
    void reuse() {
        int before = cache.read();
        cache.reuse();
        if (!predicted && !gaveWay) {
            cached += cache.read() - before;
        }
    }

    /// Gives back what it has taken over: it cannot join yet.
    void stayOutside() {
        cache.forget();
        if (!predicted && !gaveWay) {
            cached = 0;
        }
    }

    /// Tokens of the prompt that others had read.
    int cached() {
        return cached;
    }

    /// Puts at most `most` guesses behind the last token.
    void guess(int most) {
        guesses = 0;
        continued = continues();
        if (lookup != null && continued) {
            int[] guessed =
                    lookup.guess(cache.tokens(), cache.length(), Math.min(most, cache.capacity() - cache.length()));
            guesses = guessed.length;
            cache.append(guessed);
        }
    }

    /// Makes ready for a pass that reads all tokens, guesses included.
    void beginPrediction() {
        certain = cache.length() - guesses;
        drawn = -1;
    }

    /// Tokens after which predictions are wanted: the last one and the guesses.
    int wanted() {
        return guesses + 1;
    }

    /// Takes the logits after the next token. A guess is right when it is the very token that is drawn: so the text is
    /// that without guesses, and every number of the random stream is used for the same token.
    void predict(Tensor prediction) {
        if (over() || drawn >= 0) {
            return; // behind a wrong guess
        }
        try {
            predicted = true;
            if (logits.length != prediction.columns()) {
                logits = new float[prediction.columns()];
            }
            prediction.get(logits);
            int token = continuation.next(logits);
            if (token < 0) {
                ended = true;
            } else if (certain < cache.length() && cache.token(certain) == token) {
                certain++;
            } else {
                drawn = token;
            }
        } catch (RuntimeException | Error e) {
            failure = e;
        }
    }

    /// Gives all blocks back, before a pass; guesses are dropped.
    void giveWay() {
        gaveWay = true;
        cache.forget();
        cache.truncate(cache.length() - guesses);
        guesses = 0;
    }

    /// After a pass: takes wrong guesses back, shares what is full, and adds the token that was drawn.
    void endPass() {
        if (guesses > 0) {
            lookup.learn(guesses, certain - (cache.length() - guesses));
            cache.truncate(certain);
            guesses = 0;
        }
        if (failure == null) {
            cache.publish(continued);
        }
        continued = false;
        if (drawn >= 0 && !over()) {
            cache.append(drawn);
            drawn = -1;
        }
    }
}
