package ai.epitome.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Memory for the activations and gradients of one step, reused by the next: after the first step nothing is
/// allocated, no page is touched for the first time, and the garbage collector sees none of it.
///
/// Allocation bumps a pointer through a list of chunks. Memory given back by [#release] within a step (an
/// activation whose last use has passed on the way back) is handed out again to the next request of the same size,
/// so that the peak is what is alive at once and not what a step touches. [#reset] takes everything back. A step
/// that repeats the requests of the one before it gets the same addresses. Not thread-safe: one thread builds a
/// step.
public final class StepArena implements AutoCloseable {
    private static final long CHUNK_BYTES = 32L << 20;

    private final Arena arena = Arena.ofShared();
    private final List<MemorySegment> chunks = new ArrayList<>();
    private final Map<Long, ArrayDeque<MemorySegment>> free = new HashMap<>();
    private int chunk;
    private long used;
    private long reserved;

    /// A tensor with undefined content.
    public Tensor allocate(DType dtype, int... shape) {
        long bytes = Math.max(1, Tensor.sizeOf(shape)) * dtype.bytes();
        return Tensor.of(take(roundUp(bytes)), dtype, shape);
    }

    /// Gives the memory of `tensor`, which must come whole from this arena, to the next request of its size.
    public void release(Tensor tensor) {
        MemorySegment data = tensor.data();
        long bytes = roundUp(data.byteSize());
        free.computeIfAbsent(bytes, _ -> new ArrayDeque<>())
                .push(
                        data.byteSize() == bytes
                                ? data
                                : MemorySegment.ofAddress(data.address()).reinterpret(bytes, arena, null));
    }

    /// Takes back everything that was allocated. Tensors from before must no longer be used.
    public void reset() {
        free.clear();
        chunk = 0;
        used = 0;
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
        ArrayDeque<MemorySegment> released = free.get(bytes);
        if (released != null && !released.isEmpty()) {
            return released.pop();
        }
        while (chunk < chunks.size() && used + bytes > chunks.get(chunk).byteSize()) {
            chunk++;
            used = 0;
        }
        if (chunk == chunks.size()) {
            long size = Math.max(bytes, CHUNK_BYTES);
            chunks.add(arena.allocate(size, Tensor.ALIGNMENT));
            reserved += size;
        }
        MemorySegment memory = chunks.get(chunk).asSlice(used, bytes);
        used += bytes;
        return memory;
    }

    private static long roundUp(long bytes) {
        return (bytes + Tensor.ALIGNMENT - 1) / Tensor.ALIGNMENT * Tensor.ALIGNMENT;
    }
}
