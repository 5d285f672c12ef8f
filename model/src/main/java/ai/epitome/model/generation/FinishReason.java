package ai.epitome.model.generation;

/// Why a generation ended.
public enum FinishReason {
    /// The model ended the text, or a stop string came up.
    STOP,
    /// The allowed number of tokens was reached.
    LENGTH,
    /// The caller asked for it.
    CANCELLED,
    /// A filter of contents, which stands behind the generation, let no more of it through.
    FILTERED
}
