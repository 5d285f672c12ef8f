package ai.epitome.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// Memory for the activations and gradients of one step, reused by the next: after the first step nothing is
/// allocated, no page is touched for the first time, and the garbage collector sees none of it.
///
/// The memory is a list of chunks with free ranges in each. A request takes the beginning of the smallest free range
/// that it fits; memory given back by [#release] within a step (an activation whose last use has passed on the way
/// back) joins the free ranges beside it, so that it serves requests of any size and the peak is close to what is
/// alive at once. [#reset] takes everything back. A step that repeats the requests of the one before it gets the
/// same addresses. Not thread-safe: one thread builds a step.
public final class StepArena implements AutoCloseable {
    /// What is reserved at a time, in huge pages. Once touched it stays: a large chunk would lie idle at its end.
    private static final long CHUNK_BYTES = 16L << 20;

    /// A piece of the system's memory.
    ///
    /// @param free length of each free range, by offset; no two ranges touch
    private record Chunk(MemorySegment memory, TreeMap<Long, Long> free) {
        static Chunk of(MemorySegment memory) {
            Chunk chunk = new Chunk(memory, new TreeMap<>());
            chunk.clear();
            return chunk;
        }

        void clear() {
            free.clear();
            free.put(0L, memory.byteSize());
        }

        boolean holds(long address) {
            return address >= memory.address() && address < memory.address() + memory.byteSize();
        }

        MemorySegment take(long offset, long bytes) {
            long length = free.remove(offset);
            if (length > bytes) {
                free.put(offset + bytes, length - bytes);
            }
            return memory.asSlice(offset, bytes);
        }

        void giveBack(long offset, long bytes) {
            Map.Entry<Long, Long> before = free.floorEntry(offset);
            Map.Entry<Long, Long> after = free.higherEntry(offset);
            long start = offset;
            long end = offset + bytes;
            if ((before != null && before.getKey() + before.getValue() > start)
                    || (after != null && after.getKey() < end)) {
                throw new IllegalStateException("released twice: %,d bytes at offset %,d".formatted(bytes, offset));
            }
            if (before != null && before.getKey() + before.getValue() == start) {
                start = before.getKey();
            }
            if (after != null && after.getKey() == end) {
                end += after.getValue();
                free.remove(after.getKey());
            }
            free.put(start, end - start);
        }
    }

    private final Arena arena = Arena.ofShared();
    private final List<Chunk> chunks = new ArrayList<>();
    private long reserved;

    /// A tensor with undefined content.
    public Tensor allocate(DType dtype, int... shape) {
        return Tensor.of(take(roundUp(Tensor.sizeOf(shape) * dtype.bytes())), dtype, shape);
    }

    /// Gives the memory of `tensor`, which must come whole from this arena, to later requests.
    ///
    /// @throws IllegalStateException if it has been given back already
    public void release(Tensor tensor) {
        long address = tensor.data().address();
        for (Chunk chunk : chunks) {
            if (chunk.holds(address)) {
                chunk.giveBack(
                        address - chunk.memory.address(), roundUp(tensor.data().byteSize()));
                return;
            }
        }
        throw new IllegalStateException(tensor + " is not of this arena");
    }

    /// Takes back everything that was allocated. Tensors from before must no longer be used.
    public void reset() {
        chunks.forEach(Chunk::clear);
    }

    /// Bytes reserved from the system.
    public long reservedBytes() {
        return reserved;
    }

    @Override
    public void close() {
        arena.close();
    }

    private MemorySegment take(long bytes) {
        Chunk best = null;
        long offset = 0;
        long least = Long.MAX_VALUE;
        for (Chunk chunk : chunks) {
            for (Map.Entry<Long, Long> range : chunk.free.entrySet()) {
                long length = range.getValue();
                if (length >= bytes && length < least) {
                    best = chunk;
                    offset = range.getKey();
                    least = length;
                }
            }
        }
        return best != null ? best.take(offset, bytes) : reserve(bytes).take(0, bytes);
    }

    private Chunk reserve(long bytes) {
        Chunk chunk = Chunk.of(HugePages.allocate(arena, Math.max(bytes, CHUNK_BYTES)));
        chunks.add(chunk);
        reserved += chunk.memory.byteSize();
        return chunk;
    }

    /// In whole cache lines, and at least one.
    private static long roundUp(long bytes) {
        return Math.max(1, (bytes + Tensor.ALIGNMENT - 1) / Tensor.ALIGNMENT) * Tensor.ALIGNMENT;
    }
}
