package ai.epitome.model;

import ai.epitome.tensor.AttentionShape;
import ai.epitome.tensor.Backend;
import ai.epitome.tensor.Tape;
import ai.epitome.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// Keys and values of the tokens that a sequence has seen, so that each further token costs one row.
///
/// Keys are kept rotated, at the position at which they were computed. In the fused rows of a layer, keys and values
/// are neighbours; they are kept as they come: one (capacity, 2 K D) tensor a layer, keys in the first K D columns.
/// Not thread-safe.
final class KeyValueCache implements AutoCloseable {
    private final TransformerConfig config;
    private final int capacity;
    private final Arena arena = Arena.ofShared();
    private final List<Tensor> layers = new ArrayList<>(); // (capacity, 2 K D) each
    private int length;

    /// Room for `capacity` tokens in the backend's compute dtype.
    KeyValueCache(TransformerConfig config, Backend backend, int capacity) {
        this.config = config;
        this.capacity = capacity;
        for (int layer = 0; layer < config.layers(); layer++) {
            layers.add(Tensor.zeros(arena, backend.compute(), capacity, 2 * columns()));
        }
    }

    /// Channels of all key heads, K D.
    private int columns() {
        return config.keyValueHeads() * config.headDimension();
    }

    int capacity() {
        return capacity;
    }

    int length() {
        return length;
    }

    /// Forgets all but the first `newLength` tokens.
    void truncate(int newLength) {
        length = newLength;
    }

    /// Counts `rows` tokens that [#attend] has stored in every layer.
    void extend(int rows) {
        length += rows;
    }

    /// The shape of an attention of `rows` further tokens.
    AttentionShape shape(int rows) {
        return new AttentionShape(
                1,
                rows,
                length + rows,
                capacity,
                config.heads(),
                config.keyValueHeads(),
                config.headDimension(),
                config.window());
    }

    /// Stores the keys and values of fused rows (T, (H + 2K) D) after those already there, and attends to all of them:
    /// (T, H D).
    Tensor attend(Tape tape, int layer, Tensor queryKeyValue) {
        Tensor cache = layers.get(layer);
        int rows = queryKeyValue.rows();
        long element = cache.dtype().bytes();
        long kept = cache.columns() * element;
        long fused = queryKeyValue.columns() * element;
        for (int row = 0; row < rows; row++) {
            MemorySegment.copy(
                    queryKeyValue.data(), (row + 1) * fused - kept, cache.data(), (length + row) * kept, kept);
        }
        return tape.attention(queryKeyValue, 0, cache, 0, cache, columns(), shape(rows));
    }

    @Override
    public void close() {
        arena.close();
    }
}
