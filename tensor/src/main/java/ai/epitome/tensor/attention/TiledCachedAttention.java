package ai.epitome.tensor.attention;

import ai.epitome.tensor.DType;
import ai.epitome.tensor.Matrix;
import ai.epitome.tensor.Scratch;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.backend.Backend;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Attention of a chunk of a prompt over the blocks of its sequence, by matrix products: see [CachedAttention].
///
/// A task is a block of queries and the heads that share a key-value head. Chunks of keys begin at fixed positions, so
/// a row's result does not depend on how the blocks lie in memory.
final class TiledCachedAttention {
    /// Query rows of a task.
    private static final int QUERIES = 128;
    /// Keys of a chunk.
    private static final int CHUNK = 512;

    private static final int BLOCK = KeyValueMemory.BLOCK;

    private final Backend backend;
    private final Tensor fused;
    private final KeyValueMemory memory;
    private final int layer;
    private final int window;
    private final Tensor result;
    private final int dimension;
    private final int group;
    private final float scale;

    private record Task(CachedRows rows, int from, int to, int keyHead) {}

    private TiledCachedAttention(
            Backend backend, Tensor fused, KeyValueMemory memory, int layer, int window, Tensor result) {
        this.backend = backend;
        this.fused = fused;
        this.memory = memory;
        this.layer = layer;
        this.window = window;
        this.result = result;
        this.dimension = memory.dimension();
        this.group = result.columns() / dimension / memory.heads();
        this.scale = (float) (1 / Math.sqrt(dimension));
    }

    static void apply(
            Backend backend,
            Tensor fused,
            KeyValueMemory memory,
            int layer,
            int window,
            List<CachedRows> sequences,
            Tensor result) {
        if (sequences.isEmpty()) {
            return;
        }
        List<Task> tasks = new ArrayList<>();
        for (CachedRows rows : sequences) {
            for (int to = rows.count(); to > 0; to -= QUERIES) { // the longest first
                for (int keyHead = 0; keyHead < memory.heads(); keyHead++) {
                    tasks.add(new Task(rows, Math.max(0, to - QUERIES), to, keyHead));
                }
            }
        }
        TiledCachedAttention attention = new TiledCachedAttention(backend, fused, memory, layer, window, result);
        backend.workers().run(tasks.size(), (task, scratch) -> attention.run(tasks.get(task), scratch));
    }

    private void run(Task task, Scratch scratch) {
        CachedRows rows = task.rows;
        int count = task.to - task.from;
        int queries = count * group;
        float[] maxima = scratch.floats(0, queries);
        float[] sums = scratch.floats(1, queries);
        Arrays.fill(maxima, 0, queries, Float.NEGATIVE_INFINITY);
        Arrays.fill(sums, 0, queries, 0f);
        Tensor output = scratch.tile(0, DType.F32, queries, dimension);
        int first = CachedRows.first(rows.position() + task.from, window) / CHUNK * CHUNK;
        int last = rows.position() + task.to;
        for (int chunk = first; chunk < last; chunk += CHUNK) {
            int width = Math.min(last - chunk, CHUNK);
            int padded = (width + BLOCK - 1) / BLOCK * BLOCK;
            Tensor keys = scratch.tile(3, fused.dtype(), dimension, padded);
            Tensor values = scratch.tile(4, fused.dtype(), padded, dimension);
            for (int at = 0; at < width; at += BLOCK) {
                int block = rows.blocks()[(chunk + at) / BLOCK];
                memory.gatherKeys(layer, block, task.keyHead, keys, at, scratch);
                memory.gatherValues(layer, block, task.keyHead, values, at, scratch);
            }
            for (int g = 0; g < group; g++) {
                head(task, g, chunk, width, keys, values, output, maxima, sums, chunk > first, scratch);
            }
        }
        for (int i = 0; i < queries; i++) {
            long row = rows.row() + task.from + i % count;
            int head = task.keyHead * group + i / count;
            long at = (row * memory.heads() * group + head) * dimension;
            OnlineSoftmax.storeRow(output, i, 1f / sums[i], result, at, scratch);
        }
    }

    /// Adds what one head's queries take from a chunk.
    private void head(
            Task task,
            int g,
            int chunk,
            int width,
            Tensor keys,
            Tensor values,
            Tensor output,
            float[] maxima,
            float[] sums,
            boolean hasOutput,
            Scratch scratch) {
        int count = task.to - task.from;
        int row = task.rows.row() + task.from;
        int column = (task.keyHead * group + g) * dimension;
        Matrix query = fused.matrix().rows(row, row + count).columns(column, column + dimension);
        Tensor own = output.slice(g * count, (g + 1) * count);
        Tensor scores = scratch.tile(1, DType.F32, count, AttentionKernels.padded(width));
        Tensor weights = scratch.tile(2, fused.dtype(), count, AttentionKernels.padded(width));
        backend.product()
                .multiply(
                        query, keys.matrix().columns(0, width), scores.matrix().columns(0, width), false);
        for (int r = 0; r < count; r++) {
            int position = task.rows.position() + task.from + r;
            int low = Math.clamp(CachedRows.first(position, window) - chunk, 0, width);
            int high = Math.clamp(position + 1 - chunk, 0, width);
            OnlineSoftmax.weighRow(
                    scores, weights, r, g * count + r, low, high, scale, maxima, sums, own, hasOutput, scratch);
        }
        backend.product()
                .multiply(weights.matrix().columns(0, width), values.matrix().rows(0, width), own.matrix(), hasOutput);
    }
}
