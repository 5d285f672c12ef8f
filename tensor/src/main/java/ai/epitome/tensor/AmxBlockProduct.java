package ai.epitome.tensor;

import ai.epitome.tensor.BlockParameters.Source;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.util.List;

/// Products with quantised weights on the tile registers of Intel's AMX, by machine code that [AmxBlockCode] makes.
/// Whole groups of 16 rows of Q8_0 and Q4_0 are read where they lie; others are taken apart to a panel in Java.
final class AmxBlockProduct implements BlockProduct {
    private static final List<String> FEATURES =
            List.of("amx_tile", "amx_int8", "avx512f", "avx512bw", "avx512vl", "avx512_bf16", "avx512_vnni");
    private static final Source[] SOURCES = Source.values();

    /// Tokens of a tile.
    private static final int TOKENS = 16;
    /// Activations that stay in a second-level cache of 2 MB beside 16 rows of weights.
    private static final int ACTIVATION_BYTES = 1 << 20;
    /// Blocks of 16 rows times 16 tokens of one call, some 100 microseconds: the garbage collector waits for calls to
    /// return.
    private static final int CALL_BLOCKS = 3000;

    /// Groups of rows for each thread from which on a thread that is held up should not hold up all.
    private static final int MANY_GROUPS = 256;

    /// By source, then f32 and bf16 results.
    private final MemorySegment[][] tiles = new MemorySegment[SOURCES.length][2];
    /// The same for a single token; last, panels of groups of 16 channels.
    private final MemorySegment[][] singles = new MemorySegment[SOURCES.length + 1][2];
    private final ThreadLocal<Caller> callers = ThreadLocal.withInitial(Caller::new);
    /// Quantised activations; of each thread that opens regions, since a region is done before the next begins.
    private final ThreadLocal<BlockTokens> tokens = ThreadLocal.withInitial(BlockTokens::new);

    private AmxBlockProduct() throws IOException {
        MachineCode.requireFeatures(FEATURES);
        MachineCode.requestTiles();
        Assembler code = new Assembler();
        AmxBlockCode several = new AmxBlockCode(code);
        VnniBlockCode single = new VnniBlockCode(code);
        int[][] entries = new int[2 * SOURCES.length + 1][2];
        for (int i = 0; i < 2; i++) {
            DType output = i == 0 ? DType.F32 : DType.BF16;
            for (Source source : SOURCES) {
                entries[source.ordinal()][i] = several.product(source, output);
                entries[SOURCES.length + source.ordinal()][i] = single.product(source, 32, output);
            }
            entries[2 * SOURCES.length][i] = single.product(Source.PANEL, 16, output);
        }
        MemorySegment placed = MachineCode.place(code.bytes());
        for (int i = 0; i < entries.length; i++) {
            for (int j = 0; j < 2; j++) {
                MemorySegment[][] routines = i < SOURCES.length ? tiles : singles;
                routines[i % SOURCES.length + (i == 2 * SOURCES.length ? SOURCES.length : 0)][j] =
                        placed.asSlice(entries[i][j]);
            }
        }
    }

    /// Makes the code.
    ///
    /// @throws IOException if it cannot run here; the message says why
    static AmxBlockProduct open() throws IOException {
        return new AmxBlockProduct();
    }

    @Override
    public void multiply(Tensor x, BlockMatrix w, Tensor bias, Tensor y, Workers workers) {
        w.requireOpen();
        BlockTokens input = tokens.get();
        input.read(x, w.grain(), workers);
        BlockMatrix.Group[] groups = w.groups();
        int tasks = tasks(groups.length, workers.count());
        workers.run(tasks, (task, _) -> {
            int from = (int) ((long) groups.length * task / tasks);
            int to = (int) ((long) groups.length * (task + 1) / tasks);
            callers.get().multiply(input, w, from, to, bias, y);
        });
        Reference.reachabilityFence(w);
        Reference.reachabilityFence(y.data());
    }

    /// The first rows of a task come from memory that nobody has fetched ahead: few tasks, unless rows are many.
    private static int tasks(int groups, int threads) {
        int parts = threads > 1 && groups >= MANY_GROUPS * threads ? 4 * threads : threads;
        return Math.min(groups, parts);
    }

    /// What one thread needs: parameters, slots, and a panel.
    private final class Caller {
        private final long[] parameters = new long[BlockParameters.LENGTH];
        private final MemorySegment block = MemorySegment.ofArray(parameters);
        private final MemorySegment slots = BlockParameters.memory();
        private final MemorySegment start = Arena.ofAuto().allocate(64, 64);
        private final BlockPanel panel = new BlockPanel();

        Caller() {
            put(BlockParameters.SLOTS, slots.address());
        }

        /// Groups `from` to `to - 1` of all tokens.
        void multiply(BlockTokens input, BlockMatrix w, int from, int to, Tensor bias, Tensor y) {
            BlockMatrix.Group[] groups = w.groups();
            int chunk = Math.max(1, ACTIVATION_BYTES / (w.columns() * TOKENS));
            for (int first = from; first < to; ) {
                BlockMatrix.Group group = groups[first];
                int count = neighbours(groups, first, to, w.columns());
                for (int tile = 0; tile < input.tiles(); tile += chunk) {
                    int tiles = Math.min(chunk, input.tiles() - tile);
                    if (isInPlace(group, w.columns())) {
                        inPlace(input, w, group, count, tile, tiles, bias, y);
                    } else {
                        if (tile == 0) {
                            panel.read(group, w.columns());
                        }
                        fromPanel(input, w, group, tile, tiles, bias, y);
                    }
                }
                first += count;
            }
        }

        /// How many groups from `first` on a call can go through: those of the same run, if they are read in place.
        private int neighbours(BlockMatrix.Group[] groups, int first, int to, int columns) {
            int count = 1;
            while (isInPlace(groups[first], columns)
                    && first + count < to
                    && groups[first + count].run() == groups[first].run()
                    && groups[first + count].rows() == BlockMatrix.GROUP) {
                count++;
            }
            return count;
        }

        private static boolean isInPlace(BlockMatrix.Group group, int columns) {
            BlockMatrix.Run run = group.run();
            return group.rows() == BlockMatrix.GROUP
                    && run.stride() <= Integer.MAX_VALUE / 16
                    && (run.format() == BlockFormat.Q8_0
                            || (run.format() == BlockFormat.Q4_0 && columns >= 32 * AmxBlockCode.LEAST_BLOCKS));
        }

        private void inPlace(
                BlockTokens input,
                BlockMatrix w,
                BlockMatrix.Group group,
                int count,
                int tile,
                int tiles,
                Tensor bias,
                Tensor y) {
            long stride = group.run().stride();
            put(BlockParameters.A_STRIDE, stride);
            put(BlockParameters.A_NEXT, 16 * stride);
            put(BlockParameters.AHEAD, 16 * stride);
            for (int i = 0; i < 8; i++) {
                put(BlockParameters.DISTANCES + 8 * i, 2 * i * stride | (2 * i + 1) * stride << 32);
            }
            Source source = group.run().format() == BlockFormat.Q8_0 ? Source.Q8_0 : Source.Q4_0;
            int blocks = w.columns() / 32;
            int atOnce = Math.max(1, CALL_BLOCKS / blocks / tiles);
            for (int done = 0; done < count; done += atOnce) {
                long row = group.row() + 16L * done;
                put(
                        BlockParameters.A,
                        group.run().data().address() + group.run().first() + row * stride);
                int target = group.target() + 16 * done;
                call(source, input, 32, Math.min(atOnce, count - done), 16, target, tile, tiles, bias, y);
            }
        }

        private void fromPanel(
                BlockTokens input, BlockMatrix w, BlockMatrix.Group group, int tile, int tiles, Tensor bias, Tensor y) {
            BlockFormat format = group.run().format();
            put(BlockParameters.A, panel.numbers().address());
            put(BlockParameters.A_STRIDE, panel.stride());
            put(BlockParameters.A_STEP, format.group());
            put(BlockParameters.SCALES, panel.scales().address());
            Source source = format.hasLeast() ? Source.PANEL_WITH_LEAST : Source.PANEL;
            call(source, input, format.group(), 1, group.rows(), group.target(), tile, tiles, bias, y);
        }

        private void call(
                Source source,
                BlockTokens input,
                int channels,
                int groups,
                int rows,
                int target,
                int tile,
                int tiles,
                Tensor bias,
                Tensor y) {
            put(BlockParameters.BLOCKS, input.columns() / channels);
            put(BlockParameters.MASK, (1 << rows) - 1);
            putBias(bias, target, rows);
            int last = tile + tiles;
            int whole = Math.min(last, input.wholeTiles()) - tile;
            if (whole > 0) {
                call(source, input, channels, groups, target, tile, whole, TOKENS, y);
            }
            if (whole < tiles) {
                call(source, input, channels, groups, target, tile + whole, 1, input.lastTokens(), y);
            }
        }

        private void call(
                Source source,
                BlockTokens input,
                int channels,
                int groups,
                int target,
                int tile,
                int tiles,
                int count,
                Tensor y) {
            int bytes = y.dtype().bytes();
            long bias = parameters[BlockParameters.BIAS / 8];
            long a = parameters[BlockParameters.A / 8];
            put(BlockParameters.B, input.numbers(tile));
            put(BlockParameters.B_STEP, input.numbersStep(channels));
            put(BlockParameters.B_NEXT, input.numbersNext());
            put(BlockParameters.TABLE, input.table(tile));
            put(BlockParameters.TABLE_STEP, input.tableStep(channels));
            put(BlockParameters.TABLE_NEXT, input.tableNext());
            long row = (long) tile * TOKENS * y.columns() + target;
            put(BlockParameters.Y, y.data().address() + bytes * row);
            put(BlockParameters.Y_STRIDE, (long) bytes * y.columns());
            put(BlockParameters.Y_ROWS, 16L * bytes);
            put(BlockParameters.Y_TOKENS, (long) TOKENS * bytes * y.columns());
            put(BlockParameters.ROW_GROUPS, groups);
            put(BlockParameters.TOKEN_GROUPS, tiles);
            put(BlockParameters.TOKENS, count);
            configure(channels, count);
            try {
                MachineCode.CALL.invokeExact(routine(source, channels, input.isSingle(), y.dtype()), block);
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
            put(BlockParameters.BIAS, bias); // the routine has moved on
            put(BlockParameters.A, a);
        }

        private MemorySegment routine(Source source, int channels, boolean single, DType output) {
            int place = channels == 16 ? SOURCES.length : source.ordinal();
            return (single ? singles[place] : tiles[source.ordinal()])[output == DType.BF16 ? 1 : 0];
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

        /// What `ldtilecfg` reads, see [AmxProduct]: sums, weights and activations are tiles 0, 1 and 2.
        private void configure(int channels, int tokens) {
            long few = 4L * tokens;
            put(BlockParameters.CONFIGURATION, 1);
            put(BlockParameters.CONFIGURATION + 16, few | (long) channels << 16 | few << 32);
            put(BlockParameters.CONFIGURATION + 48, 16 | 16 << 8 | channels / 4L << 16);
        }

        private void put(int at, long value) {
            parameters[at / 8] = value;
        }
    }
}
