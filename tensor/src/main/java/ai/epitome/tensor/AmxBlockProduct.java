package ai.epitome.tensor;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.util.List;

/// Products with quantised weights on the tile registers of Intel's AMX, by machine code that [AmxBlockCode] makes.
/// Whole groups of 16 rows of Q8_0 and Q4_0 are read where they lie; others are taken apart to a panel in Java.
final class AmxBlockProduct implements BlockProduct {
    private static final List<String> FEATURES =
            List.of("amx_tile", "amx_int8", "avx512f", "avx512bw", "avx512vl", "avx512_bf16");
    private static final AmxBlockCode.Source[] SOURCES = AmxBlockCode.Source.values();

    /// Tokens of a tile.
    private static final int TOKENS = 16;
    /// Activations that stay in a second-level cache of 2 MB beside 16 rows of weights.
    private static final int ACTIVATION_BYTES = 1 << 20;
    /// Blocks of 16 rows times 16 tokens of one call, some 100 microseconds: the garbage collector waits for calls to
    /// return.
    private static final int CALL_BLOCKS = 3000;

    private final MemorySegment[] routines = new MemorySegment[4 * SOURCES.length];
    private final ThreadLocal<Caller> callers = ThreadLocal.withInitial(Caller::new);
    /// Quantised activations; of each thread that opens regions, since a region is done before the next begins.
    private final ThreadLocal<BlockTokens> tokens = ThreadLocal.withInitial(BlockTokens::new);

    private AmxBlockProduct() throws IOException {
        MachineCode.requireFeatures(FEATURES);
        MachineCode.requestTiles();
        AmxBlockCode code = new AmxBlockCode();
        int[] entries = new int[routines.length];
        for (int i = 0; i < entries.length; i++) {
            entries[i] = code.product(SOURCES[i / 4], (i & 1) != 0, (i & 2) != 0 ? DType.BF16 : DType.F32);
        }
        MemorySegment placed = MachineCode.place(code.bytes());
        for (int i = 0; i < entries.length; i++) {
            routines[i] = placed.asSlice(entries[i]);
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
        int tasks = Math.min(groups.length, workers.count() == 1 ? 1 : 4 * workers.count());
        workers.run(tasks, (task, _) -> {
            int from = (int) ((long) groups.length * task / tasks);
            int to = (int) ((long) groups.length * (task + 1) / tasks);
            callers.get().multiply(input, w, from, to, bias, y);
        });
        Reference.reachabilityFence(w);
        Reference.reachabilityFence(y.data());
    }

    /// What one thread needs: parameters, slots, and a panel.
    private final class Caller {
        private final long[] parameters = new long[AmxBlockCode.LENGTH];
        private final MemorySegment block = MemorySegment.ofArray(parameters);
        private final MemorySegment slots = Arena.ofAuto().allocate(AmxBlockCode.MEMORY, AmxBlockCode.MEMORY);
        private final MemorySegment start = Arena.ofAuto().allocate(64, 64);
        private final BlockPanel panel = new BlockPanel();

        Caller() {
            for (int i = 0; i < 16; i++) {
                slots.set(Tensor.INT, AmxBlockCode.CONSTANTS + 4 * i, i % 8 < 4 ? 4 : 0);
                slots.set(Tensor.INT, AmxBlockCode.CONSTANTS + 64 + 4 * i, 0xF0F0F0F0);
                slots.set(Tensor.INT, AmxBlockCode.CONSTANTS + 128 + 4 * i, 0x80808080);
                slots.set(Tensor.FLOAT, AmxBlockCode.CONSTANTS + 192 + 4 * i, 1 / 16f);
            }
            slots.set(Tensor.INT, AmxBlockCode.UPPER_LANES, 0xFF00);
            put(AmxBlockCode.SLOTS, slots.address());
        }

        /// Groups `from` to `to - 1` of all tokens.
        void multiply(BlockTokens input, BlockMatrix w, int from, int to, Tensor bias, Tensor y) {
            BlockMatrix.Group[] groups = w.groups();
            int chunk = Math.max(1, ACTIVATION_BYTES / (w.columns() * TOKENS));
            for (int first = from; first < to; ) {
                BlockMatrix.Group group = groups[first];
                int count = neighbours(groups, first, to);
                for (int tile = 0; tile < input.tiles(); tile += chunk) {
                    int tiles = Math.min(chunk, input.tiles() - tile);
                    if (isInPlace(group)) {
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
        private int neighbours(BlockMatrix.Group[] groups, int first, int to) {
            int count = 1;
            while (isInPlace(groups[first])
                    && first + count < to
                    && groups[first + count].run() == groups[first].run()
                    && groups[first + count].rows() == BlockMatrix.GROUP) {
                count++;
            }
            return count;
        }

        private static boolean isInPlace(BlockMatrix.Group group) {
            BlockMatrix.Run run = group.run();
            return group.rows() == BlockMatrix.GROUP
                    && run.stride() <= Integer.MAX_VALUE / 16
                    && (run.format() == BlockFormat.Q8_0 || run.format() == BlockFormat.Q4_0);
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
            put(AmxBlockCode.A_STRIDE, stride);
            put(AmxBlockCode.A_NEXT, 16 * stride);
            put(AmxBlockCode.AHEAD, 16 * stride);
            for (int i = 0; i < 8; i++) {
                put(AmxBlockCode.DISTANCES + 8 * i, 2 * i * stride | (2 * i + 1) * stride << 32);
            }
            AmxBlockCode.Source source =
                    group.run().format() == BlockFormat.Q8_0 ? AmxBlockCode.Source.Q8_0 : AmxBlockCode.Source.Q4_0;
            int blocks = w.columns() / 32;
            int atOnce = Math.max(1, CALL_BLOCKS / blocks / tiles);
            for (int done = 0; done < count; done += atOnce) {
                long row = group.row() + 16L * done;
                put(AmxBlockCode.A, group.run().data().address() + group.run().first() + row * stride);
                int target = group.target() + 16 * done;
                call(source, input, 32, Math.min(atOnce, count - done), 16, target, tile, tiles, bias, y);
            }
        }

        private void fromPanel(
                BlockTokens input, BlockMatrix w, BlockMatrix.Group group, int tile, int tiles, Tensor bias, Tensor y) {
            BlockFormat format = group.run().format();
            put(AmxBlockCode.A, panel.numbers().address());
            put(AmxBlockCode.A_STRIDE, panel.stride());
            put(AmxBlockCode.A_STEP, format.group());
            put(AmxBlockCode.SCALES, panel.scales().address());
            AmxBlockCode.Source source =
                    format.hasLeast() ? AmxBlockCode.Source.PANEL_WITH_LEAST : AmxBlockCode.Source.PANEL;
            call(source, input, format.group(), 1, group.rows(), group.target(), tile, tiles, bias, y);
        }

        private void call(
                AmxBlockCode.Source source,
                BlockTokens input,
                int channels,
                int groups,
                int rows,
                int target,
                int tile,
                int tiles,
                Tensor bias,
                Tensor y) {
            put(AmxBlockCode.BLOCKS, input.columns() / channels);
            put(AmxBlockCode.MASK, (1 << rows) - 1);
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
                AmxBlockCode.Source source,
                BlockTokens input,
                int channels,
                int groups,
                int target,
                int tile,
                int tiles,
                int count,
                Tensor y) {
            int bytes = y.dtype().bytes();
            long bias = parameters[AmxBlockCode.BIAS / 8];
            long a = parameters[AmxBlockCode.A / 8];
            put(AmxBlockCode.B, input.numbers(tile));
            put(AmxBlockCode.B_STEP, input.numbersStep(channels));
            put(AmxBlockCode.B_NEXT, input.numbersNext());
            put(AmxBlockCode.TABLE, input.table(tile));
            put(AmxBlockCode.TABLE_STEP, input.tableStep(channels));
            put(AmxBlockCode.TABLE_NEXT, input.tableNext());
            long row = (long) tile * TOKENS * y.columns() + target;
            put(AmxBlockCode.Y, y.data().address() + bytes * row);
            put(AmxBlockCode.Y_STRIDE, (long) bytes * y.columns());
            put(AmxBlockCode.Y_ROWS, 16L * bytes);
            put(AmxBlockCode.Y_TOKENS, (long) TOKENS * bytes * y.columns());
            put(AmxBlockCode.ROW_GROUPS, groups);
            put(AmxBlockCode.TOKEN_GROUPS, tiles);
            put(AmxBlockCode.TOKENS, count);
            configure(channels, input.isSingle() ? 1 : count);
            int which = 4 * source.ordinal() + (y.dtype() == DType.BF16 ? 2 : 0) + (input.isSingle() ? 1 : 0);
            try {
                MachineCode.CALL.invokeExact(routines[which], block);
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
            put(AmxBlockCode.BIAS, bias); // the routine has moved on
            put(AmxBlockCode.A, a);
        }

        /// Where the routine finds what results begin with, 16 floats for each group.
        private void putBias(Tensor bias, int target, int rows) {
            if (bias != null && rows == 16) {
                put(AmxBlockCode.BIAS, bias.data().address() + 4L * target);
                put(AmxBlockCode.BIAS_NEXT, 64);
                return;
            }
            start.fill((byte) 0);
            if (bias != null) {
                MemorySegment.copy(bias.data(), 4L * target, start, 0, 4L * rows);
            }
            put(AmxBlockCode.BIAS, start.address());
            put(AmxBlockCode.BIAS_NEXT, 0);
        }

        /// What `ldtilecfg` reads, see [AmxProduct]: sums, weights and activations are tiles 0, 1 and 2.
        private void configure(int channels, int tokens) {
            put(AmxBlockCode.CONFIGURATION, 1);
            put(AmxBlockCode.CONFIGURATION + 16, 4L * tokens | (long) channels << 16 | 4L * tokens << 32);
            put(AmxBlockCode.CONFIGURATION + 48, 16 | 16 << 8 | channels / 4L << 16);
        }

        private void put(int at, long value) {
            parameters[at / 8] = value;
        }
    }
}
