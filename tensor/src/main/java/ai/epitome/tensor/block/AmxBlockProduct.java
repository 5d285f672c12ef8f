package ai.epitome.tensor.block;

import ai.epitome.tensor.DType;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.Workers;
import ai.epitome.tensor.machine.Assembler;
import ai.epitome.tensor.machine.MachineCode;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/// Products with quantised weights by machine code: of several tokens on the tile registers of Intel's AMX
/// ([AmxBlockCode]), of a single one by byte products ([VnniBlockCode]). Both read packed weights. Whole
/// groups of 16 rows of Q8_0 and Q4_0 are packed once, where there is memory for it, or else for each
/// product by [BlockPackingCode]; others are taken apart in Java, once and kept compact, or each time, and
/// expanded for several tokens by [BlockCompactCode].
///
/// Code runs on memory of the process alone: pages of a mapped file may be gone, which ends a process whose
/// code reads them, so rows of a file are copied by Java first, where it is an error.
public final class AmxBlockProduct implements BlockProduct {
    private static final List<String> FEATURES =
            List.of("amx_tile", "amx_int8", "avx512f", "avx512bw", "avx512vl", "avx512_bf16", "avx512_vnni");
    private static final PackedFormat[] FORMATS = PackedFormat.values();
    private static final List<DType> DTYPES = List.of(DType.F32, DType.BF16);

    /// Tokens of a tile.
    private static final int TOKENS = BlockTokens.TILE;
    /// Tokens that a routine can add up.
    private static final int[] MOST = BlockTokens.ROOMS;
    /// Weights that stay in a second-level cache of 2 MB while tiles of tokens pass by.
    private static final int WEIGHT_BYTES = 1 << 19;
    /// Blocks of 16 rows times 16 tokens of one call, some 100 microseconds: the garbage collector waits
    /// for calls to return.
    private static final int CALL_BLOCKS = 3000;

    /// Groups of rows for each thread from which on a thread that is held up should not hold up all.
    private static final int MANY_GROUPS = 256;

    /// For rows of a few blocks: by format, [#MOST], and f32 or bf16 results.
    private final MemorySegment[][][] shorts = new MemorySegment[FORMATS.length][MOST.length][2];
    /// The same, for one tile of tokens and several groups of rows that follow each other.
    private final MemorySegment[][][] streams = new MemorySegment[FORMATS.length][MOST.length][2];
    /// The same of Q4_0, by [#MOST] and f32 or bf16, where two blocks make a tile.
    private final MemorySegment[][] pairs = new MemorySegment[MOST.length][2];
    private final MemorySegment[][] singles = new MemorySegment[FORMATS.length][2];
    /// By f32 or bf16.
    private final MemorySegment[] largest = new MemorySegment[2];
    private final MemorySegment[] roundings = new MemorySegment[2];
    private final MemorySegment[] packings = new MemorySegment[FORMATS.length];
    /// To and from compact formats.
    private final MemorySegment[] expansions = new MemorySegment[FORMATS.length];
    private final MemorySegment[] compressions = new MemorySegment[FORMATS.length];
    private final ThreadLocal<Caller> callers = ThreadLocal.withInitial(Caller::new);
    /// Quantised activations; of each thread that opens regions, since a region is done before the next
    /// begins.
    private final ThreadLocal<BlockTokens> tokens = ThreadLocal.withInitial(BlockTokens::new);

    /// A routine that has been written, and what takes it once it is placed.
    private record Routine(int entry, Consumer<MemorySegment> target) {}

    private AmxBlockProduct() throws IOException {
        MachineCode.requireFeatures(FEATURES);
        MachineCode.requestTiles();
        Assembler code = new Assembler();
        List<Routine> routines = new ArrayList<>();
        for (PackedFormat format : FORMATS) {
            if (format.isCompact()) {
                writeCompact(code, format, routines);
            } else {
                writeTiles(code, format, routines);
            }
        }
        BlockQuantisingCode quantising = new BlockQuantisingCode(code);
        for (DType dtype : DTYPES) {
            int at = place(dtype);
            writePairs(code, dtype, routines);
            writeSingles(code, dtype, routines);
            routines.add(new Routine(quantising.largest(dtype), routine -> largest[at] = routine));
            routines.add(new Routine(quantising.round(dtype), routine -> roundings[at] = routine));
        }
        MemorySegment placed = MachineCode.place(code.bytes());
        routines.forEach(routine -> routine.target.accept(placed.asSlice(routine.entry)));
    }

    private void writeCompact(Assembler code, PackedFormat format, List<Routine> routines) {
        BlockCompactCode compact = new BlockCompactCode(code);
        int f = format.ordinal();
        routines.add(new Routine(compact.expand(format), routine -> expansions[f] = routine));
        routines.add(new Routine(compact.compress(format), routine -> compressions[f] = routine));
    }

    private void writeTiles(Assembler code, PackedFormat format, List<Routine> routines) {
        int f = format.ordinal();
        for (DType output : DTYPES) {
            int at = place(output);
            for (int i = 0; i < MOST.length; i++) {
                int most = i;
                AmxBlockCode amx = new AmxBlockCode(code, format, MOST[most], output, 1);
                if (format != PackedFormat.Q4_0) { // which has no rows of a few blocks
                    routines.add(new Routine(amx.product(), routine -> shorts[f][most][at] = routine));
                }
                routines.add(new Routine(amx.stream(), routine -> streams[f][most][at] = routine));
            }
        }
        BlockPackingCode packing = new BlockPackingCode(code);
        routines.add(new Routine(packing.pack(format), routine -> packings[f] = routine));
    }

    private void writePairs(Assembler code, DType output, List<Routine> routines) {
        int at = place(output);
        for (int i = 0; MOST[i] < TOKENS; i++) {
            int most = i;
            AmxBlockCode amx = new AmxBlockCode(code, PackedFormat.Q4_0, MOST[most], output, 2);
            routines.add(new Routine(amx.stream(), routine -> pairs[most][at] = routine));
        }
    }

    private void writeSingles(Assembler code, DType output, List<Routine> routines) {
        VnniBlockCode vnni = new VnniBlockCode(code);
        int at = place(output);
        for (PackedFormat format : FORMATS) {
            int f = format.ordinal();
            routines.add(new Routine(vnni.product(format, output), routine -> singles[f][at] = routine));
        }
    }

    /// Where routines for f32 and for bf16 are in their arrays.
    private static int place(DType dtype) {
        return dtype == DType.BF16 ? 1 : 0;
    }

    /// Makes the code.
    ///
    /// @throws IOException if it cannot run here; the message says why
    public static AmxBlockProduct open() throws IOException {
        return new AmxBlockProduct();
    }

    @Override
    public void multiply(Tensor x, BlockMatrix w, Tensor bias, Tensor y, Workers workers) {
        w.requireOpen();
        long[] packed = w.packed(workers, (group, address) -> callers.get().keep(group, w.columns(), address));
        BlockTokens input = tokens.get();
        boolean paired = w.groups()[0].packed(w.columns()) == PackedFormat.Q4_0;
        input.read(x, w.grain(), w.hasLeast(), paired, workers, callers::get);
        int groups = w.groups().length;
        int tasks = tasks(groups, workers.count());
        workers.run(tasks, (task, _) -> {
            int from = (int) ((long) groups * task / tasks);
            int to = (int) ((long) groups * (task + 1) / tasks);
            callers.get().multiply(input, w, packed, from, to, bias, y);
        });
        Reference.reachabilityFence(w);
        Reference.reachabilityFence(x.data());
        Reference.reachabilityFence(bias);
        Reference.reachabilityFence(y.data());
    }

    /// The first rows of a task come from memory that nobody has fetched ahead: few tasks, unless rows are
    /// many.
    private static int tasks(int groups, int threads) {
        int parts = threads > 1 && groups >= MANY_GROUPS * threads ? 4 * threads : threads;
        return Math.min(groups, parts);
    }

    /// What one thread needs: parameters, slots, and a panel.
    private final class Caller implements BlockTokens.Code {
        private final long[] parameters = new long[BlockParameters.LENGTH];
        private final MemorySegment block = MemorySegment.ofArray(parameters);
        private final MemorySegment slots = BlockParameters.memory();
        private final MemorySegment start = Arena.ofAuto().allocate(64, 64);
        private final BlockPanel panel = new BlockPanel();
        private MemorySegment factors = MemorySegment.NULL;

        Caller() {
            put(BlockParameters.SLOTS, slots.address());
        }

        @Override
        public MemorySegment largest(Tensor x, int row) {
            long bytes = (long) x.columns() / BlockActivations.BLOCK * Float.BYTES;
            if (factors.byteSize() < bytes) {
                factors = Arena.ofAuto().allocate(bytes, 64);
            }
            onRow(x, row, factors);
            call(largest[place(x.dtype())]);
            return factors;
        }

        @Override
        public void round(Tensor x, int row, MemorySegment by, long address, long step) {
            onRow(x, row, by);
            put(BlockParameters.B, address);
            put(BlockParameters.B_STEP, step);
            call(roundings[place(x.dtype())]);
        }

        private void onRow(Tensor x, int row, MemorySegment a) {
            put(
                    BlockParameters.ROWS,
                    x.data().address() + (long) row * x.columns() * x.dtype().bytes());
            put(BlockParameters.A, a.address());
            put(BlockParameters.BLOCKS, x.columns() / BlockActivations.BLOCK);
        }

        /// Groups `from` to `to - 1` of all tokens.
        ///
        /// @param packed where groups lie packed, or 0
        void multiply(BlockTokens input, BlockMatrix w, long[] packed, int from, int to, Tensor bias, Tensor y) {
            BlockMatrix.Group[] groups = w.groups();
            for (int first = from; first < to; ) {
                BlockMatrix.Group group = groups[first];
                PackedFormat format = group.packed(w.columns());
                int count = 1;
                long address = packed[first];
                if (address == 0) {
                    format = format.expanded();
                    address = panel.reserve(format, w.columns(), 1).address();
                    pack(group, format, w.columns(), address);
                    w.raiseFaults();
                } else {
                    count = neighbours(groups, packed, first, to, format, w.columns());
                    count = Math.min(count, atOnce(format, w.columns(), input.isSingle()));
                    if (format.isCompact() && !input.isSingle()) {
                        address = expand(format, w.columns(), address, count);
                        format = format.expanded();
                    }
                }
                multiply(input, format, address, count, group, bias, y);
                first += count;
            }
        }

        /// Groups of rows that all tokens are multiplied by before the next ones are.
        private static int atOnce(PackedFormat format, int columns, boolean single) {
            int calls = CALL_BLOCKS / (columns / format.channels());
            long cached = single ? calls : WEIGHT_BYTES / format.expanded().groupBytes(columns);
            return (int) Math.max(1, Math.min(calls, cached));
        }

        /// Where compact groups lie expanded: in the panel.
        private long expand(PackedFormat format, int columns, long address, int groups) {
            long expanded = panel.reserve(format.expanded(), columns, groups).address();
            put(BlockParameters.ROWS, address);
            put(BlockParameters.A, expanded);
            put(BlockParameters.BLOCKS, (long) groups * (columns / format.channels()));
            call(expansions[format.ordinal()]);
            return expanded;
        }

        /// How many groups of one format follow each other in memory from `first` on.
        private static int neighbours(
                BlockMatrix.Group[] groups, long[] packed, int first, int to, PackedFormat format, int columns) {
            long bytes = format.groupBytes(columns);
            int next = first + 1;
            while (next < to
                    && packed[next] == packed[first] + (next - first) * bytes
                    && groups[next].packed(columns) == format) {
                next++;
            }
            return next - first;
        }

        /// Packs a group of rows for all products to come, at the address of as many bytes as they take.
        void keep(BlockMatrix.Group group, int columns, long address) {
            PackedFormat format = group.packed(columns);
            if (!format.isCompact()) {
                pack(group, format, columns, address);
                return;
            }
            long expanded = panel.reserve(format.expanded(), columns, 1).address();
            pack(group, format, columns, expanded);
            put(BlockParameters.ROWS, expanded);
            put(BlockParameters.A, address);
            put(BlockParameters.BLOCKS, columns / format.channels());
            call(compressions[format.ordinal()]);
        }

        /// Packs a group of rows; those of a compact format are expanded still, and have its factors.
        ///
        /// @param address the panel's, unless they are packed whole
        private void pack(BlockMatrix.Group group, PackedFormat format, int columns, long address) {
            long stride = columns;
            if (format.isWhole()) {
                stride = panel.copy(group, columns);
            } else if (format.isCompact()) {
                panel.readCompact(group, format, columns);
            } else {
                panel.read(group, format, columns);
            }
            put(BlockParameters.ROWS, panel.rows().address());
            put(BlockParameters.ROW_STRIDE, stride);
            for (int i = 0; i < 8; i++) {
                put(BlockParameters.DISTANCES + 8 * i, 2 * i * stride | (2 * i + 1) * stride << 32);
            }
            put(BlockParameters.A, address);
            put(BlockParameters.BLOCKS, columns / format.expanded().channels());
            call(packings[format.expanded().ordinal()]);
        }

        /// Products of all tokens and `count` groups that follow each other in memory, the first being `group`.
        private void multiply(
                BlockTokens input,
                PackedFormat format,
                long address,
                int count,
                BlockMatrix.Group group,
                Tensor bias,
                Tensor y) {
            int blocks = blocks(format, input);
            put(BlockParameters.A_NEXT, (long) blocks * format.blockBytes());
            put(BlockParameters.BLOCKS, blocks);
            put(BlockParameters.MASK, (1 << group.rows()) - 1);
            for (int tile = 0; tile < input.tiles(); tile++) {
                put(BlockParameters.A, address);
                put(BlockParameters.ROW_GROUPS, count);
                putBias(bias, group.target(), group.rows());
                call(input, format, group.target(), tile, y);
            }
        }

        private static int blocks(PackedFormat format, BlockTokens input) {
            return input.columns() / format.channels();
        }

        private void call(BlockTokens input, PackedFormat format, int target, int tile, Tensor y) {
            int bytes = y.dtype().bytes();
            put(BlockParameters.B, input.numbers(tile));
            put(BlockParameters.B_STRIDE, input.stride());
            put(BlockParameters.TABLE, input.table(tile));
            put(BlockParameters.TABLE_STEP, input.tableStep(format.channels()));
            put(BlockParameters.TABLE_PART, input.tablePart());
            long row = (long) tile * TOKENS * y.columns() + target;
            put(BlockParameters.Y, y.data().address() + bytes * row);
            put(BlockParameters.Y_STRIDE, (long) bytes * y.columns());
            put(BlockParameters.Y_ROWS, 16L * bytes);
            int output = place(y.dtype());
            if (input.isSingle()) {
                call(singles[format.ordinal()][output]);
            } else {
                int count = tile < input.wholeTiles() ? TOKENS : input.lastTokens();
                put(BlockParameters.TOKENS, count);
                callTile(input, format, count, output);
            }
        }

        /// Calls the routine for a tile of `count` tokens.
        private void callTile(BlockTokens input, PackedFormat format, int count, int output) {
            int most = BlockTokens.roomNumber(count);
            int blocks = blocks(format, input);
            boolean paired = input.isPaired() && format == PackedFormat.Q4_0;
            if (paired && blocks / 2 >= AmxBlockCode.LEAST_TILES) {
                configure(2 * format.channels(), 2 * MOST[most]);
                put(BlockParameters.B_STEP, 2 * input.numbersStep());
                put(BlockParameters.TILES, blocks / 2);
                callStream(pairs[most][output]);
                return;
            }
            configure(format.channels(), count);
            put(BlockParameters.B_STEP, step(input, format));
            put(BlockParameters.TILES, blocks);
            if (blocks < AmxBlockCode.LEAST_TILES) {
                call(shorts[format.ordinal()][most][output]);
            } else {
                callStream(streams[format.ordinal()][most][output]);
            }
        }

        private void callStream(MemorySegment routine) {
            put(BlockParameters.ROW_GROUPS, parameters[BlockParameters.ROW_GROUPS / 8] - 1);
            call(routine);
        }

        /// Bytes from a token's numbers for a block of weights to those for the next.
        private static long step(BlockTokens input, PackedFormat format) {
            boolean half = format.channels() < BlockActivations.BLOCK;
            return half ? format.channels() : input.numbersStep();
        }

        private void call(MemorySegment routine) {
            MachineCode.call(routine, block);
        }

        /// Where the routine finds what results begin with, 16 floats for each group.
        private void putBias(Tensor bias, int target, int rows) {
            if (bias != null && rows == 16) {
                put(BlockParameters.BIAS, bias.data().address() + 4L * target);
                put(BlockParameters.BIAS_NEXT, 64);
                return;
            }
            start.fill((byte) 0);
            if (bias != null) {
                MemorySegment.copy(bias.data(), 4L * target, start, 0, 4L * rows);
            }
            put(BlockParameters.BIAS, start.address());
            put(BlockParameters.BIAS_NEXT, 0);
        }

        /// What `ldtilecfg` reads, see `AmxProduct`: sums, activations and weights are tiles 0, 1 and 2.
        private void configure(int channels, int tokens) {
            put(BlockParameters.CONFIGURATION, 1);
            put(BlockParameters.CONFIGURATION + 16, 64 | (long) channels << 16 | 64L << 32);
            put(BlockParameters.CONFIGURATION + 48, tokens | tokens << 8 | channels / 4L << 16);
        }

        private void put(int at, long value) {
            parameters[at / 8] = value;
        }
    }
}
