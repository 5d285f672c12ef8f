package ai.epitome.tensor.block;

import ai.epitome.tensor.DType;
import ai.epitome.tensor.Rows;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.Workers;
import ai.epitome.tensor.format.BlockFormat;
import ai.epitome.tensor.machine.MachineCode;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/// A matrix (rows, columns) of quantised weights that stay where they are, in the blocks of a mapped file.
///
/// It consists of runs of rows, since what one product reads may lie in several tensors of a file, in several formats,
/// and in another order. Products go through it in groups of 16 rows of one run; machine code packs those first, see
/// [PackedFormat], once and for all where there is [PackedMemory] for it.
public final class BlockMatrix {
    /// Rows of a group.
    static final int GROUP = 16;
    /// Groups that are packed before their pages of the file are forgotten.
    private static final int CHUNK = 64;

    /// Rows at equal distances in memory.
    ///
    /// @param format how their values are held
    /// @param data memory that holds all of them
    /// @param first offset of the first row in it, in bytes
    /// @param stride bytes from a row to the next
    /// @param rows how many there are
    public record Run(BlockFormat format, MemorySegment data, long first, long stride, int rows) {}

    /// Up to 16 neighbouring rows of one run.
    ///
    /// @param run where they are
    /// @param row the first of them, counted in the run
    /// @param rows how many there are
    /// @param target the first of them, counted in the matrix
    record Group(Run run, int row, int rows, int target) {
        long offset() {
            return run.first + row * run.stride;
        }

        PackedFormat packed(int columns) {
            return PackedFormat.of(run.format, columns, rows);
        }
    }

    /// Brings a group of rows into its [PackedFormat] at an address.
    @FunctionalInterface
    interface Packing {
        void pack(Group group, long address);
    }

    private final int rows;
    private final int columns;
    private final List<Run> runs;
    private final Group[] groups;
    private final int grain;
    private final boolean hasLeast;
    private final boolean mapped;
    private final boolean compact;
    private final PackedMemory memory;
    private volatile long[] packed;
    private boolean multiplied;

    /// The matrix whose rows are those of all runs.
    ///
    /// @throws IllegalArgumentException when rows are no whole blocks, or lie outside their memory
    public BlockMatrix(int columns, List<Run> runs) {
        this(columns, runs, null);
    }

    /// The same.
    ///
    /// @param memory where products may keep the weights in an order of their own
    public BlockMatrix(int columns, List<Run> runs, PackedMemory memory) {
        this.columns = columns;
        this.memory = memory;
        this.runs = List.copyOf(runs);
        List<Group> list = new ArrayList<>();
        if (runs.isEmpty()) {
            throw new IllegalArgumentException("a matrix without rows");
        }
        int target = 0;
        for (Run run : runs) {
            check(run, columns);
            for (int row = 0; row < run.rows; row += GROUP) {
                list.add(new Group(run, row, Math.min(GROUP, run.rows - row), target + row));
            }
            target = Math.addExact(target, run.rows);
        }
        rows = target;
        groups = list.toArray(Group[]::new);
        grain = runs.stream().mapToInt(run -> run.format.group()).min().getAsInt();
        hasLeast = runs.stream().anyMatch(run -> run.format.hasLeast());
        compact = Arrays.stream(groups).anyMatch(group -> group.packed(columns).isCompact());
        mapped = runs.stream().anyMatch(run -> run.data.isMapped());
    }

    private static void check(Run run, int columns) {
        if (!run.format.quantised() || columns < 1 || columns % run.format.blockValues() != 0) {
            throw new IllegalArgumentException(
                    "rows of %d values are no whole blocks of %s".formatted(columns, run.format));
        }
        long bytes = run.format.bytesOf(columns);
        long last = Math.addExact(run.first, Math.multiplyExact((long) run.rows - 1, run.stride));
        if (run.rows < 1 || run.stride < bytes || run.first < 0 || last > run.data.byteSize() - bytes) {
            throw new IllegalArgumentException("%d rows of %d bytes, %d apart from offset %d on, in memory of %d bytes"
                    .formatted(run.rows, bytes, run.stride, run.first, run.data.byteSize()));
        }
    }

    public int rows() {
        return rows;
    }

    public int columns() {
        return columns;
    }

    /// Bytes of all blocks.
    public long bytes() {
        return runs.stream()
                .mapToLong(run -> run.rows * run.format.bytesOf(columns))
                .sum();
    }

    /// Hands on the formats and the blocks of all rows.
    public void read(Consumer<ByteBuffer> reader) {
        for (Run run : runs) {
            reader.accept(ByteBuffer.wrap(new byte[] {(byte) run.format.ordinal()}));
            for (int row = 0; row < run.rows; row++) {
                MemorySegment bytes = run.data.asSlice(run.first + row * run.stride, run.format.bytesOf(columns));
                reader.accept(bytes.asByteBuffer());
            }
        }
        if (packed != null && packed[0] != 0) {
            forgetMapped();
        }
    }

    /// @throws IllegalStateException when the file is no longer mapped
    void requireOpen() {
        if (!runs.getFirst().data.scope().isAlive()) {
            throw new IllegalStateException("the model that these weights belong to has been closed");
        }
    }

    /// Where rows of a file that has been cut were read, the virtual machine throws an error when it next looks for
    /// one. Any native method makes it look: now, and not when others already use what was read.
    void raiseFaults() {
        if (mapped) {
            boolean _ = Thread.holdsLock(this);
        }
    }

    /// All rows, in order.
    Group[] groups() {
        return groups;
    }

    /// Where each group lies packed, or 0 where none does. They are packed when this is asked for the second
    /// time, and what a file holds of them leaves the process's memory: the first token need not wait for it.
    /// Those that become compact are packed at once, since they are taken apart for the first token anyway.
    long[] packed(Workers workers, Packing packing) {
        long[] present = packed;
        return present != null ? present : pack(workers, packing);
    }

    private synchronized long[] pack(Workers workers, Packing packing) {
        if (packed != null) {
            return packed;
        }
        long[] addresses = new long[groups.length];
        if (!multiplied && !compact) {
            multiplied = true;
            return addresses;
        }
        long bytes = 0;
        for (Group group : groups) {
            PackedFormat format = group.packed(columns);
            bytes += format.isKept() ? format.groupBytes(columns) : 0;
        }
        long next = memory == null || bytes == 0 ? 0 : memory.take(bytes);
        if (next != 0) {
            for (int i = 0; i < groups.length; i++) {
                PackedFormat format = groups[i].packed(columns);
                if (format.isKept()) {
                    addresses[i] = next;
                    next += format.groupBytes(columns);
                }
            }
            int chunks = (groups.length + CHUNK - 1) / CHUNK;
            workers.rows(chunks, 1, (from, to, _) -> {
                for (int chunk = from; chunk < to; chunk++) {
                    packChunk(chunk * CHUNK, addresses, packing);
                }
            });
            forgetMapped(); // what chunks of runs that lie within each other have left
        }
        packed = addresses;
        return addresses;
    }

    /// Never is more of the file in memory than a few groups, beside what they are packed to.
    private void packChunk(int from, long[] addresses, Packing packing) {
        int to = Math.min(groups.length, from + CHUNK);
        for (int i = from; i < to; i++) {
            if (addresses[i] != 0) {
                packing.pack(groups[i], addresses[i]);
            }
        }
        raiseFaults();
        Group first = groups[from];
        Group last = groups[to - 1];
        if (first.run == last.run && first.run.data.isMapped()) {
            long end = last.offset() + (last.rows - 1) * last.run.stride + last.run.format.bytesOf(columns);
            MachineCode.forget(first.run.data.asSlice(first.offset(), end - first.offset()));
        }
    }

    private void forgetMapped() {
        for (Run run : runs) {
            if (run.data.isMapped()) {
                long bytes = (run.rows - 1) * run.stride + run.format.bytesOf(columns);
                MachineCode.forget(run.data.asSlice(run.first, bytes));
            }
        }
    }

    /// The smallest number of values that share a scale: 16 or 32.
    int grain() {
        return grain;
    }

    /// Whether there are groups with something that is added to each value.
    boolean hasLeast() {
        return hasLeast;
    }

    /// Expands one row into `target[0, columns)`.
    public void expand(int row, float[] target) {
        int first = 0;
        for (Run run : runs) {
            if (row < first + run.rows) {
                run.format.expand(run.data, run.first + (row - first) * run.stride, columns, target);
                return;
            }
            first += run.rows;
        }
        throw new IndexOutOfBoundsException("row %d of %d".formatted(row, rows));
    }

    /// All values as f32.
    public Tensor expand(Arena arena) {
        Tensor tensor = Tensor.zeros(arena, DType.F32, rows, columns);
        IntStream.range(0, groups.length).parallel().forEach(i -> expand(groups[i], new float[columns], tensor));
        return tensor;
    }

    /// All values, in the dtype of `target` (rows, columns).
    public void expand(Tensor target, Workers workers) {
        workers.rows(groups.length, 1, (from, to, scratch) -> {
            float[] row = scratch.floats(0, columns);
            for (int i = from; i < to; i++) {
                expand(groups[i], row, target);
            }
            raiseFaults();
        });
    }

    private void expand(Group group, float[] row, Tensor target) {
        for (int r = 0; r < group.rows; r++) {
            group.run.format.expand(group.run.data, group.offset() + r * group.run.stride, columns, row);
            Rows.store(row, target, (long) (group.target + r) * columns, columns);
        }
    }
}
