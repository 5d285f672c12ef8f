package ai.epitome.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/// Reusable working memory of one kernel thread: float rows on the heap, and tiles off it for matrix products.
/// Contents are undefined between uses; slots keep two uses within one kernel apart.
public final class Scratch {
    private static final int SLOTS = 16;
    /// Elements at the end of each array. Without them the collector lays arrays of a multiple of 4 KiB side by side,
    /// where a load of one waits for a store to another that has the same address modulo 4 KiB.
    private static final int APART = 112;

    private final float[][] rows = new float[SLOTS][0];
    private final MemorySegment[] memory = new MemorySegment[SLOTS];
    private final Tensor[] tiles = new Tensor[SLOTS];

    /// A float array of at least `length` elements.
    public float[] floats(int slot, int length) {
        if (rows[slot].length < length) {
            rows[slot] = new float[length + APART];
        }
        return rows[slot];
    }

    /// A tensor of exactly this shape on memory of this thread's own.
    public Tensor tile(int slot, DType dtype, int... shape) {
        long bytes = Math.max(Tensor.ALIGNMENT, Tensor.sizeOf(shape) * dtype.bytes());
        Tensor tile = tiles[slot];
        if (tile != null && tile.dtype() == dtype && Arrays.equals(tile.shape(), shape)) {
            return tile;
        }
        if (memory[slot] == null || memory[slot].byteSize() < bytes) {
            memory[slot] = Arena.ofAuto().allocate(bytes, Tensor.ALIGNMENT);
        }
        tiles[slot] = Tensor.of(memory[slot], dtype, shape);
        return tiles[slot];
    }
}
