package ai.epitome.train;

import ai.epitome.model.huggingface.SafetensorsWriter.Item;
import ai.epitome.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SequencedMap;

/// A moment of a run, copied, so that it can be written while training goes on.
///
/// @param weights of the model as files name them
/// @param training tensors of the optimizer, and the weights in training where `weights` holds their average
/// @param companions the other files of a model's folder (`config.json`, `tokenizer.json`, ...) by name
/// @param state everything else
record Snapshot(List<Item> weights, List<Item> training, SequencedMap<String, byte[]> companions, TrainingState state) {
    /// Memory for the copies, kept from one checkpoint to the next.
    static final class Memory implements AutoCloseable {
        private Arena arena = Arena.ofShared();
        private MemorySegment segment = MemorySegment.NULL;
        private long used;

        /// Copies the items' data here.
        List<Item> copy(List<Item> items) {
            List<Item> copies = new ArrayList<>(items.size());
            for (Item item : items) {
                MemorySegment data = item.data().get();
                MemorySegment own = segment.asSlice(used, data.byteSize());
                own.copyFrom(data);
                used += (data.byteSize() + Tensor.ALIGNMENT - 1) / Tensor.ALIGNMENT * Tensor.ALIGNMENT;
                copies.add(new Item(item.name(), item.dtype(), item.shape(), () -> own));
            }
            return copies;
        }

        /// Forgets earlier copies and makes room for new ones.
        void reset(long bytes) {
            if (segment.byteSize() < bytes) {
                arena.close();
                arena = Arena.ofShared();
                segment = arena.allocate(bytes, Tensor.ALIGNMENT);
            }
            used = 0;
        }

        @Override
        public void close() {
            arena.close();
        }
    }

    /// Bytes of the items' data, each rounded up to whole cache lines.
    static long bytes(List<Item> items) {
        long bytes = 0;
        for (Item item : items) {
            long size = item.dtype().bytes();
            for (int dimension : item.shape()) {
                size *= dimension;
            }
            bytes += (size + Tensor.ALIGNMENT - 1) / Tensor.ALIGNMENT * Tensor.ALIGNMENT;
        }
        return bytes;
    }
}
