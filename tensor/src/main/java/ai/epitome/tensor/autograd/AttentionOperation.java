package ai.epitome.tensor.autograd;

import ai.epitome.tensor.DType;
import ai.epitome.tensor.Matrix;
import ai.epitome.tensor.Rows;
import ai.epitome.tensor.Scratch;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.attention.AttentionKernels;
import ai.epitome.tensor.attention.OnlineSoftmax;
import ai.epitome.tensor.backend.Backend;
import java.util.Arrays;

/// Causal attention in blocks (FlashAttention-2, Dao 2023): scores exist for a block of queries and a chunk of keys
/// at a time, in a tile that stays in the second-level cache, and never for all pairs.
///
/// Forward, a block of queries goes over the chunks of keys that it may look at, from left to right, with a running
/// maximum m, a running sum l of exponentials, and the weighted sum of values so far, rescaled whenever m grows.
/// What is kept for the way back is `m + log l` of each row and head. Backward, scores are made again and turned
/// into probabilities P by it; with `D = sum(dO * O)` of a row, `dS = P * (dO Vᵀ - D)`.
///
/// Products read windows of the fused rows where they lie. A task is a block of queries of one head forward, and one
/// key-value head of one sequence backward, where its gradients add up.
final class AttentionOperation {
    /// Rows of a block. Only the square on the diagonal is computed in vain above its middle.
    private static final int BLOCK = 128;
    /// Keys of a chunk: 128 x 512 scores are 256 KiB.
    private static final int CHUNK = 512;
    /// Queries of a task of [PackedAttention], which packs the keys that they see.
    private static final int PACKED_BLOCK = 512;
    private static final int FEW_TASKS = 32;

    private AttentionOperation() {}

    /// A tensor of rows, and the column where its first head begins.
    record Heads(Tensor tensor, int column, int rowsOfSequence) {
        Matrix of(AttentionShape shape, int sequence, int head, int from, int to) {
            int start = column + head * shape.headDimension();
            return tensor.matrix()
                    .rows(sequence * rowsOfSequence + from, sequence * rowsOfSequence + to)
                    .columns(start, start + shape.headDimension());
        }
    }

    /// What both ways read.
    record Inputs(AttentionShape shape, Heads queries, Heads keys, Heads values, int[] segmentStarts) {
        int firstKey(int sequence, int query) {
            int position = shape.keys() - shape.queries() + query;
            int first = shape.window() > position ? 0 : position - shape.window() + 1;
            return segmentStarts == null ? first : Math.max(first, segmentStarts[sequence * shape.queries() + query]);
        }

        int lastKey(int query) {
            return shape.keys() - shape.queries() + query;
        }

        int keyHead(int head) {
            return head / (shape.heads() / shape.keyValueHeads());
        }
    }

    /// Self-attention over fused rows; see [Tape#attention(Tensor, AttentionShape, int[])].
    static Tensor apply(Tape tape, Tensor qkv, AttentionShape shape, int[] segmentStarts) {
        if (qkv.columns() != shape.fusedColumns() || qkv.rows() != shape.batch() * shape.queries()) {
            throw new IllegalArgumentException("%s does not fit %s".formatted(qkv, shape));
        }
        if (shape.keys() != shape.queries()) {
            throw new IllegalArgumentException("fused rows hold as many keys as queries, unlike " + shape);
        }
        if (segmentStarts != null) {
            requireSegments(segmentStarts, shape);
        }
        int keyColumn = shape.heads() * shape.headDimension();
        int valueColumn = keyColumn + shape.keyValueHeads() * shape.headDimension();
        Inputs inputs = new Inputs(
                shape,
                new Heads(qkv, 0, shape.queries()),
                new Heads(qkv, keyColumn, shape.queries()),
                new Heads(qkv, valueColumn, shape.queries()),
                segmentStarts);
        Tensor result = tape.allocate(qkv.dtype(), qkv.rows(), keyColumn);
        Tensor logSums = tape.allocate(DType.F32, qkv.rows(), shape.heads());
        forward(tape, inputs, result, logSums);
        tape.record(result, qkv.requiresGradient(), () -> {
            backward(tape, inputs, result, logSums, qkv);
            tape.arena().release(logSums);
        });
        return result;
    }

    /// A row that sees no key would divide by zero, and blocks take their first row's first key for the lowest.
    private static void requireSegments(int[] starts, AttentionShape shape) {
        int length = shape.queries();
        if (starts.length != shape.batch() * length) {
            throw new IllegalArgumentException("%d segment starts for %s".formatted(starts.length, shape));
        }
        for (int n = 0; n < starts.length; n++) {
            int position = n % length;
            int lowest = position == 0 ? 0 : starts[n - 1];
            if (starts[n] < lowest || starts[n] > position) {
                throw new IllegalArgumentException(
                        "row %d starts its segment at %d; expected %d to %d".formatted(n, starts[n], lowest, position));
            }
        }
    }

    private static void forward(Tape tape, Inputs inputs, Tensor result, Tensor logSums) {
        AttentionShape shape = inputs.shape;
        if (PackedAttention.fits(tape.backend(), shape)) {
            forwardPacked(tape, inputs, result, logSums);
            return;
        }
        int blocks = (shape.queries() + BLOCK - 1) / BLOCK;
        int perSequence = shape.heads() * blocks;
        tape.backend().workers().run(shape.batch() * perSequence, (task, scratch) -> {
            int sequence = task / perSequence;
            int head = task % perSequence / blocks;
            int from = (blocks - 1 - task % blocks) * BLOCK;
            int to = Math.min(shape.queries(), from + BLOCK);
            forwardBlock(tape.backend(), inputs, sequence, head, from, to, result, logSums, scratch);
        });
    }

    /// Queries of a task: fewer where heads are few, so that many threads find work. The shape alone
    /// decides, since sums may depend on it.
    private static int packedBlock(AttentionShape shape) {
        int block = PACKED_BLOCK;
        int heads = shape.batch() * shape.keyValueHeads();
        while (block > BLOCK && heads * ((shape.queries() + block - 1) / block) < FEW_TASKS) {
            block /= 2;
        }
        return block;
    }

    private static void forwardPacked(Tape tape, Inputs inputs, Tensor result, Tensor logSums) {
        AttentionShape shape = inputs.shape;
        int block = packedBlock(shape);
        int blocks = (shape.queries() + block - 1) / block;
        int perSequence = shape.keyValueHeads() * blocks;
        tape.backend().workers().run(shape.batch() * perSequence, (task, scratch) -> {
            int sequence = task / perSequence;
            int keyHead = task % perSequence / blocks;
            int from = (blocks - 1 - task % blocks) * block;
            int to = Math.min(shape.queries(), from + block);
            new PackedAttention(inputs, sequence, keyHead, scratch).forward(from, to, result, logSums);
        });
    }

    private static void forwardBlock(
            Backend backend,
            Inputs inputs,
            int sequence,
            int head,
            int from,
            int to,
            Tensor result,
            Tensor logSums,
            Scratch scratch) {
        AttentionShape shape = inputs.shape;
        int rows = to - from;
        int dimension = shape.headDimension();
        float[] maxima = scratch.floats(0, BLOCK);
        float[] sums = scratch.floats(1, BLOCK);
        Arrays.fill(maxima, 0, rows, Float.NEGATIVE_INFINITY);
        Arrays.fill(sums, 0, rows, 0f);
        Tensor output = scratch.tile(0, DType.F32, rows, dimension);
        Matrix query = inputs.queries.of(shape, sequence, head, from, to);
        int last = inputs.lastKey(to - 1) + 1;
        int first = inputs.firstKey(sequence, from);
        for (int chunk = first; chunk < last; chunk += CHUNK) {
            int end = Math.min(last, chunk + CHUNK);
            int width = end - chunk;
            Tensor scores = scratch.tile(1, DType.F32, rows, AttentionKernels.padded(width));
            Tensor weights = scratch.tile(2, query.dtype(), rows, AttentionKernels.padded(width));
            Matrix keys = inputs.keys.of(shape, sequence, inputs.keyHead(head), chunk, end);
            backend.product().multiply(query, keys.transpose(), columnsOf(scores, width), false);
            for (int r = 0; r < rows; r++) {
                int low = Math.clamp(inputs.firstKey(sequence, from + r) - chunk, 0, width);
                int high = Math.min(end, inputs.lastKey(from + r) + 1) - chunk;
                OnlineSoftmax.weighRow(
                        scores, weights, r, r, low, high, shape.scale(), maxima, sums, output, chunk > first, scratch);
            }
            Matrix values = inputs.values.of(shape, sequence, inputs.keyHead(head), chunk, end);
            backend.product().multiply(columnsOf(weights, width), values, output.matrix(), chunk > first);
        }
        for (int r = 0; r < rows; r++) {
            long n = (long) sequence * shape.queries() + from + r;
            long at = (n * shape.heads() + head) * dimension;
            OnlineSoftmax.storeRow(output, r, 1f / sums[r], result, at, scratch);
            if (logSums != null) {
                float logSum = maxima[r] + (float) Math.log(sums[r]);
                logSums.data().setAtIndex(Tensor.FLOAT, n * shape.heads() + head, logSum);
            }
        }
    }

    private static void backward(Tape tape, Inputs inputs, Tensor result, Tensor logSums, Tensor qkv) {
        AttentionShape shape = inputs.shape;
        boolean accumulate = qkv.gradient() != null;
        Tensor gradient = tape.gradientOf(qkv);
        if (PackedAttention.fits(tape.backend(), shape)) {
            tape.backend().workers().run(shape.batch() * shape.keyValueHeads(), (task, scratch) -> {
                int sequence = task / shape.keyValueHeads();
                int keyHead = task % shape.keyValueHeads();
                new PackedAttention(inputs, sequence, keyHead, scratch).backward(result, logSums, gradient, accumulate);
            });
            return;
        }
        tape.backend().workers().run(shape.batch() * shape.keyValueHeads(), (task, scratch) -> {
            int sequence = task / shape.keyValueHeads();
            int keyHead = task % shape.keyValueHeads();
            int dimension = shape.headDimension();
            Tensor dKeys = scratch.tile(0, DType.F32, shape.keys(), dimension);
            Tensor dValues = scratch.tile(1, DType.F32, shape.keys(), dimension);
            dKeys.data().fill((byte) 0);
            dValues.data().fill((byte) 0);
            int group = shape.heads() / shape.keyValueHeads();
            for (int head = keyHead * group; head < (keyHead + 1) * group; head++) {
                for (int from = 0; from < shape.queries(); from += BLOCK) {
                    int to = Math.min(shape.queries(), from + BLOCK);
                    Tensor dQueries = backwardBlock(
                            tape.backend(), inputs, sequence, head, from, to, result, logSums, dKeys, dValues, scratch);
                    put(dQueries, gradient, inputs.queries, shape, sequence, head, from, accumulate, scratch);
                }
            }
            put(dKeys, gradient, inputs.keys, shape, sequence, keyHead, 0, accumulate, scratch);
            put(dValues, gradient, inputs.values, shape, sequence, keyHead, 0, accumulate, scratch);
        });
    }

    private static Tensor backwardBlock(
            Backend backend,
            Inputs inputs,
            int sequence,
            int head,
            int from,
            int to,
            Tensor result,
            Tensor logSums,
            Tensor dKeys,
            Tensor dValues,
            Scratch scratch) {
        AttentionShape shape = inputs.shape;
        int rows = to - from;
        int keyHead = inputs.keyHead(head);
        Tensor dQueries = scratch.tile(2, DType.F32, rows, shape.headDimension());
        Matrix query = inputs.queries.of(shape, sequence, head, from, to);
        Matrix dResult = new Heads(result.gradient(), 0, shape.queries()).of(shape, sequence, head, from, to);
        float[] along = alongs(shape, result, sequence, head, from, to, scratch);
        int last = inputs.lastKey(to - 1) + 1;
        int first = inputs.firstKey(sequence, from);
        for (int chunk = first; chunk < last; chunk += CHUNK) {
            int end = Math.min(last, chunk + CHUNK);
            int width = end - chunk;
            int padded = AttentionKernels.padded(width);
            Tensor scores = scratch.tile(3, DType.F32, rows, padded);
            Tensor dWeights = scratch.tile(4, DType.F32, rows, padded);
            Tensor weights = scratch.tile(5, query.dtype(), rows, padded);
            Tensor dScores = scratch.tile(6, query.dtype(), rows, padded);
            Matrix keys = inputs.keys.of(shape, sequence, keyHead, chunk, end);
            Matrix values = inputs.values.of(shape, sequence, keyHead, chunk, end);
            backend.product().multiply(query, keys.transpose(), columnsOf(scores, width), false);
            backend.product().multiply(dResult, values.transpose(), columnsOf(dWeights, width), false);
            for (int r = 0; r < rows; r++) {
                int low = Math.clamp(inputs.firstKey(sequence, from + r) - chunk, 0, width);
                int high = Math.min(end, inputs.lastKey(from + r) + 1) - chunk;
                long n = (long) sequence * shape.queries() + from + r;
                float logSum = logSums.data().getAtIndex(Tensor.FLOAT, n * shape.heads() + head);
                scoreGradientRow(
                        scores, dWeights, weights, dScores, r, low, high, shape.scale(), logSum, along[r], scratch);
            }
            Matrix dScore = columnsOf(dScores, width);
            backend.product()
                    .multiply(columnsOf(weights, width).transpose(), dResult, rowsOf(dValues, chunk, end), true);
            backend.product().multiply(dScore.transpose(), query, rowsOf(dKeys, chunk, end), true);
            backend.product().multiply(dScore, keys, dQueries.matrix(), chunk > first);
        }
        return dQueries;
    }

    /// `sum(dO * O)` of each row.
    private static float[] alongs(
            AttentionShape shape, Tensor result, int sequence, int head, int from, int to, Scratch scratch) {
        int dimension = shape.headDimension();
        float[] along = scratch.floats(0, BLOCK);
        long first = (((long) sequence * shape.queries() + from) * shape.heads() + head) * dimension;
        if (AttentionKernels.fits(dimension, result)) {
            long stride = (long) shape.heads() * dimension;
            AttentionKernels.dots(result.data(), result.gradient().data(), first, stride, along, to - from, dimension);
            return along;
        }
        float[] output = scratch.floats(1, dimension);
        float[] gradient = scratch.floats(2, dimension);
        for (int r = 0; r < to - from; r++) {
            long start = first + (long) r * shape.heads() * dimension;
            Rows.load(result, start, output, dimension);
            Rows.load(result.gradient(), start, gradient, dimension);
            along[r] = RowKernels.dot(output, 0, gradient, 0, dimension);
        }
        return along;
    }

    /// Makes row `r` of the probabilities and of the scores' gradient.
    private static void scoreGradientRow(
            Tensor scores,
            Tensor dWeights,
            Tensor weights,
            Tensor dScores,
            int r,
            int low,
            int high,
            float scale,
            float logSum,
            float along,
            Scratch scratch) {
        int width = scores.columns();
        long start = 4L * r * width;
        long at = (long) r * width;
        int end = Math.max(low, high);
        AttentionKernels.mask(scores.data(), start, low, end, Float.NEGATIVE_INFINITY);
        AttentionKernels.mask(dWeights.data(), start, low, end, 0f);
        if (weights.dtype() == DType.BF16) {
            AttentionKernels.exponentialsBf16(scores.data(), start, weights.data(), at, scale, logSum, low, end, width);
            AttentionKernels.scoreGradientsBf16(
                    dWeights.data(), start, weights.data(), dScores.data(), at, along, scale, low, end, width);
            return;
        }
        float[] row = scratch.floats(1, width);
        float[] gradient = scratch.floats(2, width);
        AttentionKernels.exponentials(scores.data(), start, row, scale, logSum, low, end, width);
        Rows.store(row, weights, at, width);
        AttentionKernels.scoreGradients(dWeights.data(), start, row, gradient, along, scale, low, end, width);
        Rows.store(gradient, dScores, at, width);
    }

    private static Matrix columnsOf(Tensor tile, int columns) {
        return tile.matrix().columns(0, columns);
    }

    private static Matrix rowsOf(Tensor tensor, int from, int to) {
        return tensor.matrix().rows(from, to);
    }

    /// Writes the f32 rows of one head's gradient to their place in the fused rows.
    private static void put(
            Tensor source,
            Tensor target,
            Heads heads,
            AttentionShape shape,
            int sequence,
            int head,
            int from,
            boolean accumulate,
            Scratch scratch) {
        int dimension = shape.headDimension();
        float[] row = scratch.floats(1, dimension);
        float[] sum = scratch.floats(2, dimension);
        for (int r = 0; r < source.rows(); r++) {
            long n = (long) sequence * heads.rowsOfSequence + from + r;
            long to = n * target.columns() + heads.column + head * dimension;
            if (accumulate) {
                Rows.load(source, (long) r * dimension, row, dimension);
                Rows.add(row, target, to, dimension, sum);
            } else {
                OnlineSoftmax.storeRow(source, r, 1f, target, to, scratch);
            }
        }
    }
}
