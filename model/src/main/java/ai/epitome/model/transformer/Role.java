package ai.epitome.model.transformer;

/// What a parameter is to the network: optimizers and initialisation treat them differently.
public enum Role {
    /// A table that rows are looked up in; also the head when tied.
    EMBEDDING,
    /// A matrix that vectors are multiplied with.
    MATRIX,
    /// A matrix whose product is added to the residual stream.
    OUTPUT_MATRIX,
    /// The factors of a normalisation.
    GAIN,
    /// Numbers that are added.
    BIAS,
    /// The matrix from the last hidden state to logits, when not tied.
    HEAD
}
