package ai.epitome.tensor.attention;

import ai.epitome.tensor.DType;
import ai.epitome.tensor.Elementwise;
import ai.epitome.tensor.Rows;
import ai.epitome.tensor.Scratch;
import ai.epitome.tensor.StepArena;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.VectorMath;
import ai.epitome.tensor.Workers;
import ai.epitome.tensor.backend.Backend;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Attention of the newest rows of many sequences over the blocks that hold their keys and values.
///
/// **Single queries** (token by token, and a few rows that check a guess) take no matrix product: a product of a row
/// costs more to set up than to compute. A task takes up to [#ROWS] rows of a sequence, the query heads that share a
/// key-value head, and [#SPLIT] keys at fixed places; it turns each block of keys and of values to floats once. The
/// splits of a row are then put together in ascending order. So a row's result depends on its own sequence alone,
/// whatever is computed beside it and by however many threads.
///
/// **Longer chunks** of a prompt go through matrix products, in blocks of queries and chunks of keys as in
/// attention that has a way back; the keys and values of a chunk are gathered from their blocks, once for the heads
/// that share them.
///
/// In bf16, with heads of a multiple of 64 channels, machine code computes single queries where the processor
/// can, and the same bits ([CachedAttentionCode]).
///
/// Products and single queries compute the same but not the same bits. Where products are
/// [ai.epitome.tensor.backend.MatrixProduct#batchInvariant], so is attention: all rows are single queries.
public final class CachedAttention {
    /// From this many rows of a sequence on, products are faster.
    static final int TILED = 16;
    /// Rows of a task of single queries.
    private static final int ROWS = 4;
    /// Keys of a task of single queries.
    static final int SPLIT = 256;
    /// Multiply-adds that are not worth waking another thread.
    private static final long LITTLE = 150_000;

    private static final int BLOCK = KeyValueMemory.BLOCK;

    /// Up to [#ROWS] rows of a sequence.
    ///
    /// @param from the first of them, counted in the sequence's rows of this pass; `to` is behind the last
    /// @param split which keys: from the sequence's token [#SPLIT] times that on
    private record Task(CachedRows rows, int from, int to, int keyHead, int split) {}

    private final Backend backend;
    private final StepArena arena;
    private final Tensor fused;
    private final KeyValueMemory memory;
    private final int layer;
    private final int window;
    private final int heads;
    private final int dimension;
    private final int group;
    private final Tensor result;
    private final CachedAttentionRoutines routines; // null where Java computes
    /// Whether tasks keep the keys and values of their own heads, as they can where a sequence has one row and what is
    /// kept is what it is.
    private final boolean keepsOwn;

    private Tensor parts; // (N, H, splits, D + 2): sums of weighted values, largest score, sum of weights
    private int splits;

    private CachedAttention(
            Backend backend,
            StepArena arena,
            Tensor fused,
            KeyValueMemory memory,
            int layer,
            int window,
            List<CachedRows> sequences) {
        this.backend = backend;
        this.arena = arena;
        this.fused = fused;
        this.memory = memory;
        this.layer = layer;
        this.window = window;
        this.dimension = memory.dimension();
        this.heads = fused.columns() / dimension - 2 * memory.heads();
        this.group = heads / memory.heads();
        this.result = arena.allocate(fused.dtype(), fused.rows(), heads * dimension);
        this.routines = backend.runsMachineCode() ? CachedAttentionRoutines.find(fused, memory) : null;
        this.keepsOwn = routines != null
                && memory.format() == KeyValueFormat.BF16
                && sequences.stream().allMatch(rows -> rows.count() == 1);
    }

    /// See [ai.epitome.tensor.autograd.Tape#attention(Tensor, KeyValueMemory, int, int, List)].
    public static Tensor apply(
            Backend backend,
            StepArena arena,
            Tensor fused,
            KeyValueMemory memory,
            int layer,
            int window,
            List<CachedRows> sequences) {
        check(fused, memory, sequences);
        CachedAttention attention = new CachedAttention(backend, arena, fused, memory, layer, window, sequences);
        if (!attention.keepsOwn) {
            attention.store(sequences);
        }
        List<CachedRows> single = new ArrayList<>();
        List<CachedRows> tiled = new ArrayList<>();
        boolean invariant = backend.product().batchInvariant();
        for (CachedRows rows : sequences) {
            (rows.count() < TILED || invariant ? single : tiled).add(rows);
        }
        attention.singles(single);
        TiledCachedAttention.apply(backend, fused, memory, layer, window, tiled, attention.result);
        Reference.reachabilityFence(fused.data());
        Reference.reachabilityFence(memory);
        return attention.result;
    }

    private static void check(Tensor fused, KeyValueMemory memory, List<CachedRows> sequences) {
        int heads = fused.columns() / memory.dimension() - 2 * memory.heads();
        if (fused.columns() % memory.dimension() != 0 || heads < 1 || heads % memory.heads() != 0) {
            throw new IllegalArgumentException("%s is not made of queries for %d key-value heads of %d channels"
                    .formatted(fused, memory.heads(), memory.dimension()));
        }
        int row = 0;
        for (CachedRows rows : sequences) {
            if (rows.row() != row) {
                throw new IllegalArgumentException("%s should begin at row %d".formatted(rows, row));
            }
            row += rows.count();
        }
        if (row != fused.rows()) {
            throw new IllegalArgumentException("the sequences have %d rows of %s".formatted(row, fused));
        }
    }

    /// Puts keys and values where they belong.
    private void store(List<CachedRows> sequences) {
        int rows = fused.rows();
        CachedRows[] owner = new CachedRows[rows];
        for (CachedRows sequence : sequences) {
            Arrays.fill(owner, sequence.row(), sequence.row() + sequence.count(), sequence);
        }
        backend.workers().rows(rows, Workers.worthwhile(fused.columns(), 16), (from, to, scratch) -> {
            for (int row = from; row < to; row++) {
                int position = owner[row].position() + row - owner[row].row();
                int block = owner[row].blocks()[position / BLOCK];
                memory.store(layer, block, position % BLOCK, fused, row, scratch);
            }
        });
    }

    private void singles(List<CachedRows> sequences) {
        if (sequences.isEmpty()) {
            return;
        }
        List<Task> tasks = new ArrayList<>();
        long work = 0;
        splits = 1;
        for (CachedRows rows : sequences) {
            for (int from = 0; from < rows.count(); from += ROWS) {
                int to = Math.min(rows.count(), from + ROWS);
                int first = firstSplit(rows.position() + from);
                int last = (rows.position() + to - 1) / SPLIT;
                splits = Math.max(splits, last - first + 1);
                work += (long) (to - from) * heads * Math.min(window, rows.position() + to) * dimension * 2;
                for (int keyHead = 0; keyHead < memory.heads(); keyHead++) {
                    for (int split = first; split <= last; split++) {
                        tasks.add(new Task(rows, from, to, keyHead, split));
                    }
                }
            }
        }
        boolean several = splits > 1;
        if (several) {
            parts = arena.allocate(DType.F32, fused.rows(), heads, splits, dimension + 2);
        }
        Workers workers = backend.workers();
        workers.run(tasks.size(), work > LITTLE, (task, scratch) -> run(tasks.get(task), scratch));
        if (several) {
            merge(sequences);
            arena.release(parts);
        }
    }

    /// The first split that a row at this position sees.
    private int firstSplit(int position) {
        return CachedRows.first(position, window) / SPLIT;
    }

    private void run(Task task, Scratch scratch) {
        if (routines == null) {
            runJava(task, scratch);
            return;
        }
        CachedAttentionRoutines.Caller caller = routines.caller();
        for (int r = task.from; r < task.to; r++) {
            int position = task.rows.position() + r;
            if (low(position, task.split) < high(position, task.split)) {
                run(task, task.rows.row() + r, position, caller);
            }
        }
    }

    private void run(Task task, int row, int position, CachedAttentionRoutines.Caller caller) {
        int[] blocks = task.rows.blocks();
        int head = task.keyHead * group;
        long fusedRow = fused.data().address() + 2L * row * fused.columns();
        if (keepsOwn && task.split == position / SPLIT) {
            long key = fusedRow + 2L * (heads + task.keyHead) * dimension;
            long target = memory.address(layer, blocks[position / BLOCK], task.keyHead);
            caller.keep(memory, target, position % BLOCK, key, key + 2L * memory.heads() * dimension);
        }
        caller.see(memory, layer, blocks, task.keyHead, low(position, task.split), high(position, task.split));
        int first = firstSplit(position);
        boolean whole = first == position / SPLIT;
        long target = whole
                ? result.data().address() + 2L * ((long) row * heads + head) * dimension
                : parts.data().address() + 4L * part(row, head, task.split - first);
        long step = whole ? 2L * dimension : 4L * splits * (dimension + 2);
        caller.attend(fusedRow + 2L * head * dimension, group, target, step, whole);
    }

    private void runJava(Task task, Scratch scratch) {
        CachedRows rows = task.rows;
        int queries = (task.to - task.from) * group;
        float[] query = queries(task, scratch);
        float[] scores = scratch.floats(1, queries * SPLIT);
        float[] sums = scratch.floats(2, queries * dimension);
        float[] block = scratch.floats(3, BLOCK * dimension);
        int from = Math.max(task.split * SPLIT, CachedRows.first(rows.position() + task.from, window)) / BLOCK;
        int to = (Math.min((task.split + 1) * SPLIT, rows.position() + task.to) + BLOCK - 1) / BLOCK;
        int base = task.split * SPLIT;
        for (int b = from; b < to; b++) {
            memory.loadKeys(layer, rows.blocks()[b], task.keyHead, block);
            scores(query, queries, block, scores, b * BLOCK - base);
        }
        Arrays.fill(sums, 0, queries * dimension, 0f);
        float[] maxima = scratch.floats(4, queries);
        float[] totals = scratch.floats(5, queries);
        for (int i = 0; i < queries; i++) {
            int position = rows.position() + task.from + i / group;
            int start = i * SPLIT - base;
            int low = low(position, task.split);
            int high = high(position, task.split);
            maxima[i] = CachedAttentionKernels.maximum(scores, start + low, start + high);
            totals[i] = low >= high
                    ? 0
                    : CachedAttentionKernels.exponentials(
                            scores,
                            start + low / BLOCK * BLOCK,
                            start + low,
                            start + high,
                            start + (high + BLOCK - 1) / BLOCK * BLOCK,
                            maxima[i]);
        }
        for (int b = from; b < to; b++) {
            memory.loadValues(layer, rows.blocks()[b], task.keyHead, block);
            for (int i = 0; i < queries; i++) {
                int position = rows.position() + task.from + i / group;
                int low = Math.max(low(position, task.split) - b * BLOCK, 0);
                int high = Math.min(high(position, task.split) - b * BLOCK, BLOCK);
                if (low < high) {
                    CachedAttentionKernels.addWeighted(
                            scores, i * SPLIT + b * BLOCK - base, low, high, block, dimension, sums, i * dimension);
                }
            }
        }
        for (int i = 0; i < queries; i++) {
            int row = rows.row() + task.from + i / group;
            int position = rows.position() + task.from + i / group;
            keep(row, task.keyHead * group + i % group, position, task.split, sums, i, maxima[i], totals[i], scratch);
        }
    }

    /// The first key of a split that the row at `position` sees, and the one after the last.
    private int low(int position, int split) {
        return Math.max(split * SPLIT, CachedRows.first(position, window));
    }

    private int high(int position, int split) {
        return Math.min((split + 1) * SPLIT, position + 1);
    }

    /// The queries of a task, scaled: those of a row that share the key-value head, then the next row's.
    private float[] queries(Task task, Scratch scratch) {
        int width = group * dimension;
        float[] query = scratch.floats(0, (task.to - task.from) * width);
        float[] row = scratch.floats(6, width);
        float scale = (float) (1 / Math.sqrt(dimension));
        for (int r = task.from; r < task.to; r++) {
            long at = (long) (task.rows.row() + r) * fused.columns() + (long) task.keyHead * width;
            Rows.load(fused, at, row, width);
            Elementwise.scale(row, scale, width);
            System.arraycopy(row, 0, query, (r - task.from) * width, width);
        }
        return query;
    }

    private void scores(float[] query, int queries, float[] keys, float[] scores, int at) {
        int i = 0;
        for (; i + 1 < queries; i += 2) {
            CachedAttentionKernels.scores(
                    query,
                    i * dimension,
                    (i + 1) * dimension,
                    keys,
                    dimension,
                    scores,
                    i * SPLIT + at,
                    (i + 1) * SPLIT + at);
        }
        if (i < queries) {
            CachedAttentionKernels.scores(query, i * dimension, keys, dimension, scores, i * SPLIT + at);
        }
    }

    /// Writes the result of a row and head that sees one split, or keeps the part of one that sees several.
    private void keep(
            int row,
            int head,
            int position,
            int split,
            float[] sums,
            int index,
            float maximum,
            float total,
            Scratch scratch) {
        if (total == 0 && maximum == Float.NEGATIVE_INFINITY) {
            return; // the row sees no key of this split
        }
        int first = firstSplit(position);
        float[] values = scratch.floats(6, dimension + 2);
        System.arraycopy(sums, index * dimension, values, 0, dimension);
        if (first == position / SPLIT) {
            Elementwise.scale(values, 1 / total, dimension);
            Rows.store(values, result, ((long) row * heads + head) * dimension, dimension);
            return;
        }
        values[dimension] = maximum;
        values[dimension + 1] = total;
        Rows.store(values, parts, part(row, head, split - first), dimension + 2);
    }

    private long part(int row, int head, int split) {
        return (((long) row * heads + head) * splits + split) * (dimension + 2);
    }

    /// Puts the parts of rows that see several splits together.
    private void merge(List<CachedRows> sequences) {
        int[] positions = new int[fused.rows()];
        Arrays.fill(positions, -1);
        for (CachedRows rows : sequences) {
            Arrays.setAll(
                    positions,
                    row -> row >= rows.row() && row < rows.row() + rows.count()
                            ? rows.position() + row - rows.row()
                            : positions[row]);
        }
        backend.workers().rows(fused.rows(), 8, (from, to, scratch) -> {
            for (int row = from; row < to; row++) {
                if (positions[row] >= 0 && firstSplit(positions[row]) < positions[row] / SPLIT) {
                    for (int head = 0; head < heads; head++) {
                        merge(row, head, positions[row] / SPLIT - firstSplit(positions[row]) + 1, scratch);
                    }
                }
            }
        });
    }

    private void merge(int row, int head, int count, Scratch scratch) {
        float[] sum = scratch.floats(0, dimension);
        float[] values = scratch.floats(1, dimension + 2);
        float maximum = Float.NEGATIVE_INFINITY;
        for (int split = 0; split < count; split++) {
            long at = part(row, head, split) + dimension;
            maximum = Math.max(maximum, parts.data().getAtIndex(Tensor.FLOAT, at));
        }
        Arrays.fill(sum, 0, dimension, 0f);
        float total = 0;
        for (int split = 0; split < count; split++) {
            Rows.load(parts, part(row, head, split), values, dimension + 2);
            float weight = VectorMath.exp(values[dimension] - maximum);
            Elementwise.addScaled(sum, weight, values, dimension);
            total = Math.fma(weight, values[dimension + 1], total);
        }
        Elementwise.scale(sum, 1 / total, dimension);
        Rows.store(sum, result, ((long) row * heads + head) * dimension, dimension);
    }
}
