package ai.epitome.train.data;

import java.util.List;

/// The order in which a training run sees its tokens. One number, the cursor, says how far it has come.
///
/// The cursor counts rows from the beginning of the run. The batch at a cursor is a pure function of the tokens, the
/// seed, the cursor, B and T: nothing else is remembered, so storing the cursor is enough to go on, and asking for any
/// batch twice gives the same one. After a batch of B rows the cursor has grown by B.
///
/// Rows come in epochs. An epoch has [#rowsPerEpoch] rows and predicts every token exactly once; the rows are in a
/// pseudo-random order of their own in each epoch (see [Permutation]). A batch may end one epoch and begin the next.
/// Safe for use by several threads.
public final class BatchStream {
    private final Rows rows;
    private final TokenTable table;
    private final long seed;
    private final int batchRows;
    private final int length;

    private BatchStream(Rows rows, TokenTable table, long seed, int batchRows, int length) {
        this.rows = rows;
        this.table = table;
        this.seed = seed;
        this.batchRows = batchRows;
        this.length = length;
    }

    /// Rows are contiguous windows of T tokens; documents follow one another with end-of-text tokens between them.
    /// The windows of each epoch begin at an offset of their own.
    ///
    /// @param shards the tokens
    /// @param seed of the order
    /// @param batchRows B, rows a batch
    /// @param length T, tokens a row
    /// @throws CorpusException if there are not more than T tokens
    public static BatchStream windows(TokenShards shards, long seed, int batchRows, int length) throws CorpusException {
        requireShape(batchRows, length);
        return new BatchStream(WindowRows.of(shards, seed, length), shards.table(), seed, batchRows, length);
    }

    /// Rows hold whole documents side by side, and pieces of T tokens of longer ones. [Batch#segmentStarts] tells them
    /// apart, so that attention stays inside a document; nothing is predicted across its border.
    ///
    /// @param shards the tokens
    /// @param seed of the order
    /// @param batchRows B, rows a batch
    /// @param length T, tokens a row
    /// @throws CorpusException if there is nothing to predict
    public static BatchStream packed(TokenShards shards, long seed, int batchRows, int length) throws CorpusException {
        requireShape(batchRows, length);
        return new BatchStream(PackedRows.of(shards, length), shards.table(), seed, batchRows, length);
    }

    /// Rows hold whole examples side by side, as [#packed] holds documents; only learned tokens are targets.
    ///
    /// @param examples none of which has more than T + 1 tokens
    /// @param table of the tokenizer
    /// @param seed of the order
    /// @param batchRows B, rows a batch
    /// @param length T, tokens a row
    /// @throws CorpusException if there is no example
    public static BatchStream examples(List<Example> examples, TokenTable table, long seed, int batchRows, int length)
            throws CorpusException {
        requireShape(batchRows, length);
        int filler = table.endOfText().orElse(0);
        return new BatchStream(ExampleRows.of(examples, filler, length), table, seed, batchRows, length);
    }

    /// Rows in one epoch.
    public long rowsPerEpoch() {
        return rows.count();
    }

    /// The rows `cursor .. cursor + B - 1`.
    ///
    /// @throws IllegalArgumentException if the cursor is negative
    public Batch batch(long cursor) {
        if (cursor < 0) {
            throw new IllegalArgumentException("a cursor counts rows from 0, not " + cursor);
        }
        int[] inputs = new int[batchRows * length];
        int[] targets = new int[batchRows * length];
        int[] starts = rows.hasSegments() ? new int[batchRows * length] : null;
        Permutation order = null;
        for (int b = 0; b < batchRows; b++) {
            long epoch = (cursor + b) / rows.count();
            long index = (cursor + b) % rows.count();
            if (order == null || index == 0) {
                order = new Permutation(rows.count(), seed, epoch);
            }
            rows.fill(epoch, order.apply(index), inputs, targets, starts, b * length);
        }
        long bytes = 0;
        for (int target : targets) {
            bytes += target == Batch.NO_TARGET ? 0 : table.byteLengths()[target];
        }
        return new Batch(batchRows, length, inputs, targets, starts, bytes);
    }

    private static void requireShape(int batchRows, int length) {
        if (batchRows < 1 || length < 1 || (long) batchRows * length > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(
                    "a batch needs at least one row and one token a row, not %d x %d".formatted(batchRows, length));
        }
    }

    /// The rows of an epoch before they are put in order.
    sealed interface Rows permits WindowRows, PackedRows, ExampleRows {
        /// How many rows an epoch has.
        long count();

        /// Whether rows are divided into segments.
        boolean hasSegments();

        /// Writes one row at `offset` of each array; `starts` is null without segments.
        void fill(long epoch, long row, int[] inputs, int[] targets, int[] starts, int offset);
    }
}
