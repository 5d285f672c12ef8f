package ai.epitome.tensor.autograd;

/// The dimensions of an attention.
///
/// @param batch sequences, B
/// @param queries query rows of each sequence, T
/// @param keys key rows of each sequence that may be looked at, S; query row t has position `keys - queries + t`
/// among them
/// @param keyCapacity rows of each sequence in the memory that holds keys and values; at least `keys` (a cache has
/// room)
/// @param heads query heads, H
/// @param keyValueHeads key and value heads, divides `heads` (grouped-query attention, Ainslie et al. 2023)
/// @param headDimension channels of one head, D
/// @param window how many positions back, itself included, a query sees; `Integer.MAX_VALUE` for all (sliding
/// windows, Mistral)
public record AttentionShape(
        int batch,
        int queries,
        int keys,
        int keyCapacity,
        int heads,
        int keyValueHeads,
        int headDimension,
        int window) {

    public AttentionShape {
        if (heads % keyValueHeads != 0) {
            throw new IllegalArgumentException(
                    "%d query heads cannot share %d key-value heads evenly".formatted(heads, keyValueHeads));
        }
        if (window < 1) {
            throw new IllegalArgumentException("a query sees at least itself: the window cannot be " + window);
        }
        if (keys < queries || keyCapacity < keys) {
            throw new IllegalArgumentException("%d queries, %d keys, room for %d: each must not exceed the next"
                    .formatted(queries, keys, keyCapacity));
        }
    }

    /// Causal self-attention of a training batch.
    public static AttentionShape training(int batch, int length, int heads, int keyValueHeads, int headDimension) {
        return new AttentionShape(
                batch, length, length, length, heads, keyValueHeads, headDimension, Integer.MAX_VALUE);
    }

    /// The usual scale of the scores, `1 / sqrt(D)`.
    public float scale() {
        return (float) (1 / Math.sqrt(headDimension));
    }

    /// Columns of a fused (query, key, value) row.
    public int fusedColumns() {
        return (heads + 2 * keyValueHeads) * headDimension;
    }
}
