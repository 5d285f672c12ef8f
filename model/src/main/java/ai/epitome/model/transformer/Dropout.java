package ai.epitome.model.transformer;

/// Dropout in training: on the embeddings and on what each attention and MLP adds to the residual stream.
///
/// @param probability of an element to be dropped; 0 for none
/// @param seed the same seed drops the same elements; give each step its own
public record Dropout(float probability, long seed) {
    /// Nothing is dropped.
    public static final Dropout NONE = new Dropout(0, 0);

    /// The seed of place `place` in the network.
    long seedAt(int place) {
        return new SplitMix64(seed).split(place).nextLong();
    }
}
