package ai.epitome.tensor.autograd;

import ai.epitome.tensor.Matrix;
import ai.epitome.tensor.Scratch;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.VectorMath;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.tensor.backend.Panels;
import ai.epitome.tensor.backend.RowTile12;
import ai.epitome.tensor.backend.Tile12;
import ai.epitome.tensor.backend.Tile6;
import ai.epitome.tensor.backend.VectorProduct;

/// Attention where products are Java's own ([VectorProduct]): keys, queries and values of a head are packed
/// once into panels of the innermost tile, scores stay in arrays as tiles leave them, and no product is a
/// call of its own.
///
/// Forward, 32 queries (two registers) are columns and keys are rows: tiles of `K Qᵀ` leave a panel of
/// scores, the softmax is elementwise in a register of queries, and the same panel is an operand of `Vᵀ Pᵀ`.
/// Backward, 32 keys are columns and queries are rows: panels of P and dS are operands of `dOᵀ P` and
/// `Qᵀ dS`, which end with the panel, and each tile of dS is the unpacked operand of `dS K` ([RowTile12]).
/// Only tiles that a query may look at are computed.
///
/// One instance is one head of keys and values of one sequence, on the scratch memory of the thread that does
/// it.
final class PackedAttention {
    static final int ROWS = Tile12.ROWS;
    static final int COLUMNS = 2 * VectorMath.LANES;
    /// Steps that a tile does at once: see [VectorProduct].
    private static final int STEPS = 256;

    private static final ThreadLocal<Buffers> BUFFERS = ThreadLocal.withInitial(
            () -> new Buffers(new HeadRows(), new HeadRows(), new HeadRows(), new Panels(), new int[1]));

    /// What a thread keeps.
    ///
    /// @param rows rows of queries, keys or values
    /// @param gradients rows of the result's gradient
    /// @param results rows of the result
    /// @param read what was read only so that it is near; kept, or the compiler would leave the reads out
    private record Buffers(HeadRows rows, HeadRows gradients, HeadRows results, Panels panels, int[] read) {}

    private final AttentionOperation.Inputs inputs;
    private final AttentionShape shape;
    private final int sequence;
    private final int keyHead;
    private final Scratch scratch;
    private final Buffers buffers = BUFFERS.get();
    private final int dimension;

    PackedAttention(AttentionOperation.Inputs inputs, int sequence, int keyHead, Scratch scratch) {
        this.inputs = inputs;
        this.shape = inputs.shape();
        this.sequence = sequence;
        this.keyHead = keyHead;
        this.scratch = scratch;
        this.dimension = shape.headDimension();
    }

    /// Whether attention of this shape can be done here: by tiles of 12 rows, with whole registers of
    /// channels.
    static boolean fits(Backend backend, AttentionShape shape) {
        return backend.product() instanceof VectorProduct
                && VectorProduct.WIDE
                && shape.headDimension() % VectorMath.LANES == 0;
    }

    private int firstHead() {
        return keyHead * (shape.heads() / shape.keyValueHeads());
    }

    private int lastHead() {
        return (keyHead + 1) * (shape.heads() / shape.keyValueHeads());
    }

    /// Results and `m + log l` of the queries `from` to `to`.
    void forward(int from, int to, Tensor result, Tensor logSums) {
        int low = inputs.firstKey(sequence, from);
        int count = inputs.lastKey(to - 1) + 1 - low;
        float[] keys = scratch.floats(0, rowsSize(count, dimension));
        float[] values = scratch.floats(1, rowsSize(dimension, count));
        buffers.rows
                .load(inputs.keys().of(shape, sequence, keyHead, low, low + count))
                .packAcross(ROWS, keys);
        buffers.rows
                .load(inputs.values().of(shape, sequence, keyHead, low, low + count))
                .packAlong(ROWS, values);
        float[] columns = scratch.floats(2, Panels.size(to - from, dimension, COLUMNS));
        for (int head = firstHead(); head < lastHead(); head++) {
            buffers.rows
                    .load(inputs.queries().of(shape, sequence, head, from, to))
                    .packAcross(COLUMNS, columns);
            for (int query = from; query < to; query += COLUMNS) {
                int queries = Math.min(COLUMNS, to - query);
                int panel = (query - from) * dimension;
                forwardColumns(head, query, queries, columns, panel, keys, values, low, count, result, logSums);
            }
        }
    }

    /// The same of one head and of no more queries than a panel has columns.
    ///
    /// @param low the first key that is packed
    /// @param count how many are
    private void forwardColumns(
            int head,
            int query,
            int queries,
            float[] columns,
            int panel,
            float[] keys,
            float[] values,
            int low,
            int count,
            Tensor result,
            Tensor logSums) {
        int start = (inputs.firstKey(sequence, query) - low) / ROWS * ROWS;
        int end = inputs.lastKey(query + queries - 1) + 1 - low;
        float[] scores = scratch.floats(3, (end - start + ROWS) * COLUMNS);
        for (int row = start; row < end; row += ROWS) {
            int at = (row - start) * COLUMNS;
            PackedAttentionKernels.clear(scores, at, ROWS);
            tile(count - row, dimension, keys, row, dimension, 0, columns, panel, scores, at);
        }
        maskColumns(query, queries, low + start, low + end, scores);
        float[] maxima = scratch.floats(12, COLUMNS);
        float[] sums = scratch.floats(13, COLUMNS);
        PackedAttentionKernels.softmax(scores, end - start, shape.scale(), maxima, sums);
        float[] output = scratch.floats(4, (dimension + ROWS) * COLUMNS);
        PackedAttentionKernels.clear(output, 0, dimension);
        rowsByPanel(values, count, start, scores, end - start, output, 0);
        PackedAttentionKernels.divideColumns(output, dimension, sums);
        long first = (long) sequence * shape.queries() + query;
        storeColumns(output, 0, queries, result, (first * shape.heads() + head) * dimension, false);
        for (int r = 0; r < queries; r++) {
            float logSum = maxima[r] + (float) Math.log(sums[r]);
            logSums.data().setAtIndex(Tensor.FLOAT, (first + r) * shape.heads() + head, logSum);
        }
    }

    /// Keys `from` to `to` that some query does not see weigh nothing there.
    private void maskColumns(int query, int queries, int from, int to, float[] scores) {
        int seenByAll = inputs.firstKey(sequence, query + queries - 1);
        int unseen = inputs.lastKey(query) + 1;
        if (seenByAll <= from && unseen >= to) {
            return;
        }
        int[] first = new int[COLUMNS];
        int[] last = new int[COLUMNS];
        for (int j = 0; j < COLUMNS; j++) {
            int q = query + Math.min(j, queries - 1);
            first[j] = inputs.firstKey(sequence, q);
            last[j] = inputs.lastKey(q);
        }
        for (int key = from; key < to; key++) {
            if (key < seenByAll || key >= unseen) {
                PackedAttentionKernels.maskColumns(scores, (key - from) * COLUMNS, key, first, last);
            }
        }
    }

    /// Adds to, or sets, the gradient of the fused rows.
    ///
    /// @param result the forward pass's, with its gradient
    void backward(Tensor result, Tensor logSums, Tensor gradient, boolean accumulate) {
        int count = shape.keys();
        int strips = (count + COLUMNS - 1) / COLUMNS;
        float[] dKeys = scratch.floats(10, strips * paddedChannels() * COLUMNS);
        float[] dValues = scratch.floats(11, strips * paddedChannels() * COLUMNS);
        PackedAttentionKernels.clear(dKeys, 0, strips * paddedChannels());
        PackedAttentionKernels.clear(dValues, 0, strips * paddedChannels());
        float[] keys = scratch.floats(0, Panels.size(count, dimension, COLUMNS));
        float[] values = scratch.floats(1, Panels.size(count, dimension, COLUMNS));
        float[] keysAlong = scratch.floats(2, Panels.size(dimension, count, COLUMNS));
        buffers.rows.load(inputs.keys().of(shape, sequence, keyHead, 0, count));
        buffers.rows.packAcross(COLUMNS, keys);
        buffers.rows.packAlong(COLUMNS, keysAlong);
        buffers.rows
                .load(inputs.values().of(shape, sequence, keyHead, 0, count))
                .packAcross(COLUMNS, values);
        for (int head = firstHead(); head < lastHead(); head++) {
            Head one = pack(head, result, logSums);
            for (int from = 0; from < count; from += COLUMNS) {
                backwardColumns(one, from, keys, values, keysAlong, dKeys, dValues);
            }
            storeQueries(one, gradient, accumulate);
        }
        for (int from = 0; from < count; from += COLUMNS) {
            int keysHere = Math.min(COLUMNS, count - from);
            long row = ((long) sequence * shape.queries() + from) * gradient.columns();
            long place = row + (long) keyHead * dimension;
            int at = from * paddedChannels();
            storeColumns(dKeys, at, keysHere, gradient, place + inputs.keys().column(), accumulate);
            storeColumns(
                    dValues, at, keysHere, gradient, place + inputs.values().column(), accumulate);
        }
    }

    /// A query head's packed rows and what is known of each of them.
    private record Head(
            int number,
            float[] queries,
            float[] gradients,
            float[] queriesAlong,
            float[] gradientsAlong,
            float[] logSums,
            float[] alongs,
            float[] dQueries) {}

    private Head pack(int number, Tensor result, Tensor logSums) {
        int count = shape.queries();
        Head head = new Head(
                number,
                scratch.floats(3, rowsSize(count, dimension)),
                scratch.floats(4, rowsSize(count, dimension)),
                scratch.floats(5, rowsSize(dimension, count)),
                scratch.floats(6, rowsSize(dimension, count)),
                scratch.floats(12, count),
                scratch.floats(13, count),
                scratch.floats(9, queryPanels() * paddedQueries() * COLUMNS));
        buffers.rows.load(inputs.queries().of(shape, sequence, number, 0, count));
        buffers.rows.packAcross(ROWS, head.queries);
        buffers.rows.packAlong(ROWS, head.queriesAlong);
        buffers.gradients.load(ofHead(result.gradient(), number));
        buffers.gradients.packAcross(ROWS, head.gradients);
        buffers.gradients.packAlong(ROWS, head.gradientsAlong);
        buffers.gradients.dots(buffers.results.load(ofHead(result, number)), head.alongs);
        PackedAttentionKernels.clear(head.dQueries, 0, queryPanels() * paddedQueries());
        long first = (long) sequence * count * shape.heads() + number;
        for (int q = 0; q < count; q++) {
            head.logSums[q] = logSums.data().getAtIndex(Tensor.FLOAT, first + (long) q * shape.heads());
        }
        return head;
    }

    private Matrix ofHead(Tensor tensor, int head) {
        int count = shape.queries();
        return new AttentionOperation.Heads(tensor, 0, count).of(shape, sequence, head, 0, count);
    }

    /// Rows of a strip of gradients: a tile's last rows must not lie in the next strip.
    private int paddedChannels() {
        return (dimension + ROWS - 1) / ROWS * ROWS;
    }

    private int queryPanels() {
        return (dimension + COLUMNS - 1) / COLUMNS;
    }

    private int paddedQueries() {
        return (shape.queries() + ROWS - 1) / ROWS * ROWS;
    }

    /// What the keys from `from` on, no more than a panel has columns, give and get.
    private void backwardColumns(
            Head head, int from, float[] keys, float[] values, float[] keysAlong, float[] dKeys, float[] dValues) {
        int count = Math.min(COLUMNS, shape.keys() - from);
        int start = Math.max(0, from - inputs.lastKey(0)) / ROWS * ROWS;
        int end = lastQuery(from + count - 1) + 1;
        if (end <= start) {
            return;
        }
        float[] weights = scratch.floats(7, (end - start + ROWS) * COLUMNS);
        float[] dScores = scratch.floats(8, (end - start + ROWS) * COLUMNS);
        for (int query = start; query < end; query += ROWS) {
            int at = (query - start) * COLUMNS;
            int rows = Math.min(ROWS, shape.queries() - query);
            PackedAttentionKernels.clear(weights, at, ROWS);
            PackedAttentionKernels.clear(dScores, at, ROWS);
            int left = shape.queries() - query;
            tile(left, dimension, head.queries, query, dimension, 0, keys, from * dimension, weights, at);
            tile(left, dimension, head.gradients, query, dimension, 0, values, from * dimension, dScores, at);
            maskRows(query, rows, from, count, weights, at);
            PackedAttentionKernels.scoreGradients(
                    weights, dScores, at, rows, shape.scale(), head.logSums, head.alongs, query);
            for (int panel = 0; panel < queryPanels(); panel++) {
                int right = (panel * shape.keys() + from) * COLUMNS;
                int to = (panel * paddedQueries() + query) * COLUMNS;
                RowTile12.multiply(count, dScores, at, keysAlong, right, head.dQueries, to);
            }
        }
        int queries = shape.queries();
        rowsByPanel(head.gradientsAlong, queries, start, weights, end - start, dValues, from * paddedChannels());
        rowsByPanel(head.queriesAlong, queries, start, dScores, end - start, dKeys, from * paddedChannels());
    }

    /// The last query that sees key `key` or an earlier one.
    private int lastQuery(int key) {
        int low = Math.max(0, key - inputs.lastKey(0)) - 1;
        int high = shape.queries();
        while (high - low > 1) { // first keys ascend
            int middle = (low + high) >>> 1;
            if (inputs.firstKey(sequence, middle) <= key) {
                low = middle;
            } else {
                high = middle;
            }
        }
        return low;
    }

    private void maskRows(int query, int rows, int from, int count, float[] scores, int at) {
        if (inputs.firstKey(sequence, query + rows - 1) <= from && inputs.lastKey(query) >= from + count - 1) {
            return;
        }
        for (int r = 0; r < rows; r++) {
            int low = inputs.firstKey(sequence, query + r) - from;
            int high = inputs.lastKey(query + r) + 1 - from;
            PackedAttentionKernels.maskRow(scores, at + r * COLUMNS, low, high);
        }
    }

    /// Adds `a · b` to `c`, for all rows of `a`, one for each channel, and a panel `b` of `depth` steps.
    ///
    /// @param steps steps that the rows of `a` have
    /// @param from where in them those of `b` begin
    private void rowsByPanel(float[] a, int steps, int from, float[] b, int depth, float[] c, int at) {
        for (int step = 0; step < depth; step += STEPS) {
            int length = Math.min(STEPS, depth - step);
            for (int row = 0; row < dimension; row += ROWS) {
                int place = at + row * COLUMNS;
                tile(dimension - row, length, a, row, steps, from + step, b, step * COLUMNS, c, place);
            }
        }
    }

    /// A tile of the `rows` rows that are left, at most [#ROWS], of panels that [HeadRows] has made.
    ///
    /// @param row the tile's first row
    /// @param steps steps of a panel
    /// @param from the first of the `depth` that are done
    private static void tile(
            int rows, int depth, float[] a, int row, int steps, int from, float[] b, int bFrom, float[] c, int at) {
        if (rows > Tile6.ROWS) {
            Tile12.multiply(depth, a, row * steps + from * Tile12.ROWS, b, bFrom, c, at);
        } else {
            Tile6.multiply(depth, a, row * steps + from * Tile6.ROWS, b, bFrom, c, at);
        }
    }

    private static int rowsSize(int rows, int depth) {
        return Panels.size(rows, depth, ROWS);
    }

    /// Writes or adds the first `count` columns of a panel, one row for each channel, to rows of `target`:
    /// the first at element index `to`, the others one row of its columns after another.
    private void storeColumns(float[] panel, int from, int count, Tensor target, long to, boolean accumulate) {
        float[] rows = scratch.floats(14, COLUMNS * dimension);
        for (int channel = 0; channel < dimension; channel += VectorMath.LANES) {
            int at = from + channel * COLUMNS;
            buffers.panels.transpose(panel, at, COLUMNS, rows, channel, dimension);
            buffers.panels.transpose(
                    panel, at + VectorMath.LANES, COLUMNS, rows, VectorMath.LANES * dimension + channel, dimension);
        }
        buffers.read[0] += PackedAttentionKernels.storeRows(
                rows, 0, dimension, count, dimension, target, to, target.columns(), accumulate);
    }

    private void storeQueries(Head head, Tensor gradient, boolean accumulate) {
        long row = (long) sequence * shape.queries() * gradient.columns();
        long to = row + inputs.queries().column() + (long) head.number * dimension;
        for (int panel = 0; panel < queryPanels(); panel++) {
            int channel = panel * COLUMNS;
            int width = Math.min(COLUMNS, dimension - channel);
            int from = panel * paddedQueries() * COLUMNS;
            buffers.read[0] += PackedAttentionKernels.storeRows(
                    head.dQueries,
                    from,
                    COLUMNS,
                    shape.queries(),
                    width,
                    gradient,
                    to + channel,
                    gradient.columns(),
                    accumulate);
        }
    }
}
