package ai.epitome.tensor.attention;

/// Consecutive rows of an activation that are the newest tokens of one sequence, whose keys and values lie in blocks of
/// a [KeyValueMemory].
///
/// @param row the first of the rows
/// @param count how many
/// @param position the first row's place in its sequence, from 0
/// @param blocks numbers of the sequence's blocks: token p has slot `p % BLOCK` of block `blocks[p / BLOCK]`
public record CachedRows(int row, int count, int position, int[] blocks) {
    public CachedRows {
        if (count < 1 || row < 0 || position < 0 || blocks.length * (long) KeyValueMemory.BLOCK < position + count) {
            throw new IllegalArgumentException("%d rows from row %d and position %d on, in %d blocks of %d tokens"
                    .formatted(count, row, position, blocks.length, KeyValueMemory.BLOCK));
        }
    }

    /// Tokens of the sequence, these included.
    int length() {
        return position + count;
    }

    /// The first position that the row at `position` sees.
    static int first(int position, int window) {
        return window > position ? 0 : position - window + 1;
    }
}
