package ai.epitome.train.data;

/// Rows of tokens to train on, row after row: token t of row b is at `b * length + t`.
///
/// @param rows B
/// @param length T
/// @param inputs `(B, T)` token ids
/// @param targets `(B, T)` the token that follows each input, or [#NO_TARGET] where nothing is to be predicted
/// @param segmentStarts null, or `(B, T)`: the position in its row (`0 .. T-1`) at which the token's document begins;
///     attention at position t may look at positions `segmentStarts[t] .. t` only
/// @param bytes bytes of text that the targets stand for (end-of-text counts none)
/// @param records null, or `(B)`: the number of the record that each row was made of, for losses of whole records
public record Batch(int rows, int length, int[] inputs, int[] targets, int[] segmentStarts, long bytes, int[] records) {
    /// Marks positions without a loss.
    public static final int NO_TARGET = -1;

    /// Rows for a loss of tokens, whose records do not matter.
    public Batch(int rows, int length, int[] inputs, int[] targets, int[] segmentStarts, long bytes) {
        this(rows, length, inputs, targets, segmentStarts, bytes, null);
    }

    /// How many targets count towards the loss.
    public int targetCount() {
        int count = 0;
        for (int target : targets) {
            count += target == NO_TARGET ? 0 : 1;
        }
        return count;
    }
}
