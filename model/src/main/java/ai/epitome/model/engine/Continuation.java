package ai.epitome.model.engine;

/// What is made of a sequence's predictions. Calls come one at a time, from threads of the [Engine], and must not wait.
public interface Continuation {
    /// Asked before each pass; true ends the sequence.
    boolean cancelled();

    /// Takes the logits (V) after all tokens of the sequence; the array is used again for the next ones.
    ///
    /// @return the next token, or -1 when the sequence ends here
    int next(float[] logits);

    /// The sequence has ended, by itself or because it was cancelled; the engine knows it no longer.
    ///
    /// @param cached tokens at the beginning that another sequence had read already
    void ended(int cached);

    /// The sequence has ended by a failure: its own, or that of a pass.
    void failed(Throwable failure);
}
