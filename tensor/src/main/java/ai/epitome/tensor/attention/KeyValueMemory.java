package ai.epitome.tensor.attention;

import ai.epitome.tensor.Bf16;
import ai.epitome.tensor.DType;
import ai.epitome.tensor.Rows;
import ai.epitome.tensor.Scratch;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.VectorMath;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/// Keys and values of a model's layers, in blocks of [#BLOCK] tokens with numbers from 0. Memory is taken from the
/// system a slab of blocks at a time, when a block of it is first asked for.
///
/// ```text
/// slab    | layer 0                              | layer 1 | ...
/// layer   | block 0                    | block 1 | ...
/// block   | head 0                     | head 1  | ...
/// head    | keys (D, 16) | values (16, D) |                  and in Q8: | 16 factors of keys | 16 of values |
/// ```
///
/// Keys lie across: a register holds one channel of sixteen tokens, so the scores of sixteen tokens are a chain of
/// multiply-adds with no sum over a register's lanes at its end. Consecutive blocks of a slab follow each other in a
/// layer, and attention reads them as one stream.
///
/// Whoever uses it decides which block belongs to whom. Blocks may be read by many threads while none of them is
/// written.
public final class KeyValueMemory {
    /// Tokens of a block: as many as the widest register has lanes. Few enough that sequences share most of a common
    /// prefix and waste little at their ends.
    public static final int BLOCK = 16;
    /// Blocks of a slab: 512 tokens, 12 MB of a model of 135M parameters in bf16.
    private static final int SLAB = 32;

    private static final VectorSpecies<Float> FLOATS = VectorMath.FLOATS;
    private static final int LANES = FLOATS.length();
    private static final VectorSpecies<Byte> BYTES = byteSpecies();
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();

    private final Arena arena;
    private final KeyValueFormat format;
    private final int layers;
    private final int heads;
    private final int dimension;
    private final int capacity;
    private final int slabBlocks;
    /// Grows by the thread that uses it while others read blocks to a file.
    private final List<MemorySegment> slabs = new CopyOnWriteArrayList<>();

    /// Room for `capacity` blocks.
    ///
    /// @param arena lives as long as the memory is used
    /// @param heads key-value heads, K
    /// @param dimension channels of a head, D
    public KeyValueMemory(Arena arena, KeyValueFormat format, int layers, int heads, int dimension, int capacity) {
        this.arena = arena;
        this.format = format;
        this.layers = layers;
        this.heads = heads;
        this.dimension = dimension;
        this.capacity = capacity;
        this.slabBlocks = Math.clamp(capacity, 1, SLAB);
    }

    /// A register of eight bytes is the narrowest there is; four lanes of floats take half of one.
    private static VectorSpecies<Byte> byteSpecies() {
        return VectorSpecies.of(byte.class, VectorShape.forBitSize(Math.max(64, 8 * LANES)));
    }

    /// Bytes that a token takes.
    public static long tokenBytes(KeyValueFormat format, int layers, int heads, int dimension) {
        return (long) layers * heads * headBytes(format, dimension) / BLOCK;
    }

    private static long headBytes(KeyValueFormat format, int dimension) {
        long numbers = 2L * BLOCK * dimension * format.bytes();
        return format == KeyValueFormat.Q8 ? numbers + 2L * BLOCK * Float.BYTES : numbers;
    }

    public KeyValueFormat format() {
        return format;
    }

    public int layers() {
        return layers;
    }

    /// Key-value heads, K.
    public int heads() {
        return heads;
    }

    /// Channels of a head, D.
    public int dimension() {
        return dimension;
    }

    /// Blocks that there may be.
    public int capacity() {
        return capacity;
    }

    /// Bytes taken from the system so far.
    public long reservedBytes() {
        return slabs.stream().mapToLong(MemorySegment::byteSize).sum();
    }

    /// Takes memory for all blocks up to number `block`; before a pass that writes to it.
    public void reserve(int block) {
        if (block < 0 || block >= capacity) {
            throw new IndexOutOfBoundsException("block %d of %d".formatted(block, capacity));
        }
        while (slabs.size() <= block / slabBlocks) {
            slabs.add(arena.allocate((long) layers * slabBlocks * blockBytes(), Tensor.ALIGNMENT));
        }
    }

    /// Bytes of one block in one layer.
    public long blockBytes() {
        return heads * headBytes(format, dimension);
    }

    /// The bytes of a block in one layer: what a file keeps of it.
    public MemorySegment block(int layer, int block) {
        return slab(block).asSlice(offset(layer, block, 0), blockBytes());
    }

    private MemorySegment slab(int block) {
        return slabs.get(block / slabBlocks);
    }

    private long offset(int layer, int block, int head) {
        long place = (long) layer * slabBlocks + block % slabBlocks;
        return (place * heads + head) * headBytes(format, dimension);
    }

    /// Address of a head of a block in one layer, its keys first; valid while this lives.
    long address(int layer, int block, int head) {
        return slab(block).address() + offset(layer, block, head);
    }

    /// Where the values of a head begin, in bytes after its keys.
    long values() {
        return (long) BLOCK * dimension * format.bytes();
    }

    /// Keeps the key and value heads that lie in `row` of fused rows (N, (H + 2K) D) as token `slot` of a block.
    void store(int layer, int block, int slot, Tensor fused, int row, Scratch scratch) {
        MemorySegment memory = slab(block);
        long keys = (long) (row + 1) * fused.columns() - 2L * heads * dimension;
        for (int head = 0; head < heads; head++) {
            long at = offset(layer, block, head);
            long key = keys + (long) head * dimension;
            long value = key + (long) heads * dimension;
            switch (format) {
                case F32 -> storeFloats(memory, at, slot, fused, key, value, scratch);
                case BF16, F16 -> storeHalves(memory, at, slot, fused, key, value, scratch);
                case Q8 -> storeQ8(memory, at, slot, fused, key, value, scratch);
            }
        }
    }

    private void storeFloats(
            MemorySegment memory, long at, int slot, Tensor fused, long key, long value, Scratch scratch) {
        float[] row = scratch.floats(0, dimension);
        Rows.load(fused, key, row, dimension);
        for (int d = 0; d < dimension; d++) {
            memory.set(Tensor.FLOAT, at + ((long) d * BLOCK + slot) * 4, row[d]);
        }
        Rows.load(fused, value, row, dimension);
        MemorySegment.copy(row, 0, memory, Tensor.FLOAT, at + values() + 4L * slot * dimension, dimension);
    }

    private void storeHalves(
            MemorySegment memory, long at, int slot, Tensor fused, long key, long value, Scratch scratch) {
        long target = at + values() + 2L * slot * dimension;
        if (format == KeyValueFormat.BF16 && fused.dtype() == DType.BF16) {
            MemorySegment source = fused.data();
            for (int d = 0; d < dimension; d++) {
                short number = source.get(Tensor.SHORT, (key + d) * 2);
                memory.set(Tensor.SHORT, at + ((long) d * BLOCK + slot) * 2, number);
            }
            MemorySegment.copy(source, value * 2, memory, target, 2L * dimension);
            return;
        }
        float[] row = scratch.floats(0, dimension);
        Rows.load(fused, key, row, dimension);
        for (int d = 0; d < dimension; d++) {
            memory.set(Tensor.SHORT, at + ((long) d * BLOCK + slot) * 2, half(row[d]));
        }
        Rows.load(fused, value, row, dimension);
        for (int d = 0; d < dimension; d++) {
            memory.set(Tensor.SHORT, target + 2L * d, half(row[d]));
        }
    }

    private short half(float x) {
        return format == KeyValueFormat.F16 ? Half.fromFloat(x) : Bf16.fromFloat(x);
    }

    private void storeQ8(MemorySegment memory, long at, int slot, Tensor fused, long key, long value, Scratch scratch) {
        float[] row = scratch.floats(0, dimension);
        long factors = at + 2 * values() + 4L * slot;
        Rows.load(fused, key, row, dimension);
        float factor = factor(row);
        memory.set(Tensor.FLOAT, factors, factor);
        for (int d = 0; d < dimension; d++) {
            memory.set(ValueLayout.JAVA_BYTE, at + (long) d * BLOCK + slot, rounded(row[d], factor));
        }
        Rows.load(fused, value, row, dimension);
        factor = factor(row);
        memory.set(Tensor.FLOAT, factors + 4L * BLOCK, factor);
        for (int d = 0; d < dimension; d++) {
            memory.set(ValueLayout.JAVA_BYTE, at + values() + (long) slot * dimension + d, rounded(row[d], factor));
        }
    }

    private float factor(float[] row) {
        float largest = 0;
        for (int d = 0; d < dimension; d++) {
            largest = Math.max(largest, Math.abs(row[d])); // NaN stays: it belongs in the logits
        }
        return largest / 127;
    }

    private static byte rounded(float x, float factor) {
        return factor == 0 ? 0 : (byte) Math.round(x / factor);
    }

    /// Keys (D, 16) of a block's head as floats.
    void loadKeys(int layer, int block, int head, float[] target) {
        MemorySegment memory = slab(block);
        long at = offset(layer, block, head);
        int count = BLOCK * dimension;
        switch (format) {
            case F32 -> MemorySegment.copy(memory, Tensor.FLOAT, at, target, 0, count);
            case BF16 -> Bf16.load(memory, at / 2, target, count);
            case F16 -> Half.load(memory, at / 2, target, count);
            case Q8 -> {
                long factors = at + 2 * values();
                for (int t = 0; t < BLOCK; t += LANES) {
                    FloatVector factor = FloatVector.fromMemorySegment(FLOATS, memory, factors + 4L * t, ORDER);
                    scaleBytes(memory, at + t, BLOCK, factor, target, t, dimension);
                }
            }
        }
    }

    /// Values (16, D) of a block's head as floats.
    void loadValues(int layer, int block, int head, float[] target) {
        MemorySegment memory = slab(block);
        long at = offset(layer, block, head) + values();
        int count = BLOCK * dimension;
        switch (format) {
            case F32 -> MemorySegment.copy(memory, Tensor.FLOAT, at, target, 0, count);
            case BF16 -> Bf16.load(memory, at / 2, target, count);
            case F16 -> Half.load(memory, at / 2, target, count);
            case Q8 -> loadValuesQ8(memory, at, target);
        }
    }

    private void loadValuesQ8(MemorySegment memory, long at, float[] target) {
        long factors = at + values() + 4L * BLOCK;
        int whole = dimension / LANES * LANES;
        for (int t = 0; t < BLOCK; t++) {
            float factor = memory.get(Tensor.FLOAT, factors + 4L * t);
            long row = at + (long) t * dimension;
            FloatVector factorLanes = FloatVector.broadcast(FLOATS, factor);
            scaleBytes(memory, row, LANES, factorLanes, target, t * dimension, whole / LANES);
            for (int d = whole; d < dimension; d++) {
                target[t * dimension + d] = memory.get(ValueLayout.JAVA_BYTE, row + d) * factor;
            }
        }
    }

    /// `target = bytes * factor` for `count` registers, `step` numbers apart in both.
    private static void scaleBytes(
            MemorySegment memory, long from, int step, FloatVector factor, float[] target, int to, int count) {
        for (int i = 0; i < count; i++) {
            ByteVector bytes = ByteVector.fromMemorySegment(BYTES, memory, from + (long) i * step, ORDER);
            FloatVector numbers = (FloatVector) bytes.convertShape(VectorOperators.B2F, FLOATS, 0);
            numbers.mul(factor).intoArray(target, to + i * step);
        }
    }

    /// Copies keys of a block's head to 16 columns of `tile` (D, width), from `column` on, in the tile's dtype.
    void gatherKeys(int layer, int block, int head, Tensor tile, int column, Scratch scratch) {
        if (format == KeyValueFormat.BF16 && tile.dtype() == DType.BF16) {
            MemorySegment memory = slab(block);
            long at = offset(layer, block, head);
            for (int d = 0; d < dimension; d++) {
                MemorySegment.copy(
                        memory, at + 2L * d * BLOCK, tile.data(), 2 * ((long) d * tile.columns() + column), 2L * BLOCK);
            }
            return;
        }
        float[] keys = scratch.floats(8, BLOCK * dimension);
        float[] row = scratch.floats(9, BLOCK);
        loadKeys(layer, block, head, keys);
        for (int d = 0; d < dimension; d++) {
            System.arraycopy(keys, d * BLOCK, row, 0, BLOCK);
            Rows.store(row, tile, (long) d * tile.columns() + column, BLOCK);
        }
    }

    /// Copies values of a block's head to 16 rows of `tile` (width, D), from `row` on, in the tile's dtype.
    void gatherValues(int layer, int block, int head, Tensor tile, int row, Scratch scratch) {
        if (format == KeyValueFormat.BF16 && tile.dtype() == DType.BF16) {
            long at = offset(layer, block, head) + values();
            MemorySegment.copy(slab(block), at, tile.data(), 2L * row * dimension, 2L * BLOCK * dimension);
            return;
        }
        float[] values = scratch.floats(8, BLOCK * dimension);
        loadValues(layer, block, head, values);
        Rows.store(values, tile, (long) row * dimension, BLOCK * dimension);
    }
}
