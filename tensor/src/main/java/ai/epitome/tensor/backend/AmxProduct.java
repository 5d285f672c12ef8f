package ai.epitome.tensor.backend;

import ai.epitome.tensor.DType;
import ai.epitome.tensor.Matrix;
import ai.epitome.tensor.block.AmxBlockProduct;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;

/// Products of bf16 operands on the tile registers of Intel's AMX, by machine code that [AmxCode] makes at start.
///
/// The loops are those of Goto and van de Geijn again (see [VectorProduct]): a block of B is packed into tiles that fit
/// the second-level cache, then A passes by in strips of 32 rows. A is read where it lies unless it is transposed in
/// memory or its depth is not in whole tiles. A call costs a few hundred nanoseconds, which is what it is for: oneDNN's
/// costs microseconds, as much as a product of attention takes.
///
/// Sums run over ascending depth, in f32, in blocks of [#DEPTH] where C is f32; their order depends on the depth alone.
/// Denormal inputs count as zero, as AMX has it.
final class AmxProduct implements MatrixProduct {
    /// Depth of a block: a strip of A, 32 KB, stays in a first-level cache of 48 KB, and C is not read and written too
    /// often. 1024 was slower by half on weight gradients, where the depth is the batch.
    private static final int DEPTH = 512;
    /// A packed block of B: half of a second-level cache of 2 MB.
    private static final long B_BYTES = 1 << 20;
    /// A packed part of A, beside B in the same cache. Where A is transposed in memory, longer memory rows are read the
    /// more rows of A are packed at once.
    private static final long A_BYTES = 640 << 10;
    /// Multiply-adds of a call, some 100 microseconds: the garbage collector waits for calls to return.
    private static final long CALL_WORK = 1 << 27;

    private final AmxRoutines routines;
    private final ThreadLocal<Caller> callers;

    private final AmxBlockProduct blocks;

    private AmxProduct(AmxRoutines routines, AmxBlockProduct blocks) {
        this.routines = routines;
        this.blocks = blocks;
        this.callers = ThreadLocal.withInitial(() -> new Caller(routines));
    }

    /// Makes the code on the first call; later calls return the same.
    static Loading<AmxProduct> load() {
        return Holder.LOADING;
    }

    private static final class Holder {
        static final Loading<AmxProduct> LOADING =
                Loading.of(() -> new AmxProduct(AmxRoutines.open(), AmxBlockProduct.open()));
    }

    @Override
    public void multiply(Matrix a, Matrix b, Matrix c, boolean accumulate) {
        Operands.check(a, b, c);
        if (a.dtype() != DType.BF16) {
            throw new IllegalArgumentException("AMX multiplies BF16, not " + a.dtype());
        }
        if (Operands.settleEmpty(a, c, accumulate)) {
            return;
        }
        callers.get().multiply(a, b, c, accumulate);
        Reference.reachabilityFence(a.data());
        Reference.reachabilityFence(b.data());
        Reference.reachabilityFence(c.data());
    }

    /// Products with quantised weights on the same registers.
    AmxBlockProduct blocks() {
        return blocks;
    }

    @Override
    public String describe() {
        return "AMX";
    }

    /// What one thread needs: parameter blocks, and memory for packed operands, which grows and stays.
    private static final class Caller {
        private final AmxRoutines routines;
        private final long[] parameters = new long[AmxCode.BLOCK];
        private final MemorySegment block = MemorySegment.ofArray(parameters);
        private final MemorySegment sums = Arena.ofAuto().allocate(4 * AmxCode.TILE, 64);
        private final AmxPacking packing;
        private MemorySegment packedA = MemorySegment.NULL;
        private MemorySegment packedB = MemorySegment.NULL;

        Caller(AmxRoutines routines) {
            this.routines = routines;
            this.packing = new AmxPacking(routines);
            put(AmxCode.SUMS, sums.address());
        }

        void multiply(Matrix a, Matrix b, Matrix c, boolean accumulate) {
            int k = a.columns();
            // A bf16 result is rounded once, so its sums may not leave the tiles before they are complete.
            int depth = c.dtype() == DType.F32 ? Math.min(k, DEPTH) : k;
            int steps = (depth + 31) / 32;
            int width = (int) Math.max(32, B_BYTES / (64L * steps) / 32 * 32);
            packedB = reserve(packedB, (Math.min(width, c.columns()) + 31L) / 32 * 32 * steps * 64);
            for (int column = 0; column < c.columns(); column += width) {
                int columns = Math.min(width, c.columns() - column);
                Matrix right = b.columns(column, column + columns).transpose();
                Matrix target = c.columns(column, column + columns);
                for (int from = 0; from < k; from += depth) {
                    int length = Math.min(depth, k - from);
                    packing.pack(right, from, length, true, packedB.address());
                    rows(a, target, from, length, accumulate || from > 0);
                }
            }
        }

        private void rows(Matrix a, Matrix c, int from, int depth, boolean accumulate) {
            int steps = (depth + 31) / 32;
            boolean inPlace = !a.transposed() && depth % 32 == 0;
            long limit = inPlace
                    ? CALL_WORK / ((long) c.columns() * depth)
                    : Math.min(A_BYTES / (64L * steps), CALL_WORK / (32L * c.columns())); // a small depth writes much
            int height = Math.clamp(limit / 32 * 32, 32, (c.rows() + 31) / 32 * 32);
            for (int row = 0; row < c.rows(); row += height) {
                int rows = Math.min(height, c.rows() - row);
                Matrix target = c.rows(row, row + rows);
                if (inPlace) {
                    put(AmxCode.A_STRIDE, 2L * a.stride());
                    put(AmxCode.A_STEP, 64);
                    put(AmxCode.A_AHEAD, 64L * a.stride());
                    long first = address(a) + 2 * ((long) row * a.stride() + from);
                    strips(first, 32L * a.stride(), target, steps, accumulate);
                } else {
                    packedA = reserve(packedA, (long) height * steps * 64);
                    packing.pack(a.rows(row, row + rows), from, depth, false, packedA.address());
                    put(AmxCode.A_STRIDE, 64);
                    put(AmxCode.A_STEP, AmxCode.TILE);
                    put(AmxCode.A_AHEAD, 0);
                    strips(packedA.address(), (long) steps * AmxCode.TILE, target, steps, accumulate);
                }
            }
        }

        /// @param a address of the first tile of A
        /// @param next bytes from there to the tile of the next 16 rows
        private void strips(long a, long next, Matrix c, int steps, boolean accumulate) {
            put(AmxCode.A_SECOND, next);
            put(AmxCode.A_BLOCK, 2 * next);
            int whole = c.rows() / 32;
            int rest = c.rows() % 32;
            if (whole > 0) {
                strip(a, whole, 32, c.rows(0, 32 * whole), steps, accumulate);
            }
            if (rest > 0) {
                strip(a + 2 * next * whole, 1, rest, c.rows(32 * whole, c.rows()), steps, accumulate);
            }
        }

        private void strip(long a, int blocks, int rows, Matrix c, int steps, boolean accumulate) {
            int whole = c.columns() / 32;
            int rest = c.columns() % 32;
            long b = packedB.address();
            if (whole > 0) {
                call(a, b, blocks, rows, whole, 32, c, steps, accumulate);
            }
            if (rest > 0) {
                Matrix edge = c.columns(32 * whole, c.columns());
                call(a, b + 2L * whole * steps * AmxCode.TILE, blocks, rows, 1, rest, edge, steps, accumulate);
            }
        }

        private void call(
                long a,
                long b,
                int rowBlocks,
                int rows,
                int columnBlocks,
                int columns,
                Matrix c,
                int steps,
                boolean accumulate) {
            int bytes = c.dtype().bytes();
            put(AmxCode.A, a);
            put(AmxCode.B, b);
            put(AmxCode.B_SECOND, (long) steps * AmxCode.TILE);
            put(AmxCode.B_BLOCK, 2L * steps * AmxCode.TILE);
            put(AmxCode.C, address(c));
            put(AmxCode.C_STRIDE, (long) c.stride() * bytes);
            put(AmxCode.C_COLUMNS, 32L * bytes);
            put(AmxCode.C_ROWS, 32L * c.stride() * bytes);
            put(AmxCode.STEPS, steps);
            put(AmxCode.ROW_BLOCKS, rowBlocks);
            put(AmxCode.COLUMN_BLOCKS, columnBlocks);
            put(AmxCode.ROWS, rows);
            put(AmxCode.MASK, (1L << columns) - 1);
            configure(rows, columns);
            routines.multiply(rows > 16 ? 2 : 1, columns > 16 ? 2 : 1, c.dtype(), accumulate, block);
        }

        /// Writes what `ldtilecfg` reads: palette 1, the bytes of a row of each tile (16 bits each, from byte 16 on)
        /// and the rows of each tile (from byte 48 on).
        private void configure(int rows, int columns) {
            long upper = Math.min(16, rows);
            long lower = rows > 16 ? rows - 16 : 16;
            long left = 4L * Math.min(16, columns);
            long right = columns > 16 ? 4L * (columns - 16) : 64;
            put(AmxCode.CONFIGURATION, 1);
            put(AmxCode.CONFIGURATION + 16, (left | right << 16) * 0x1_0000_0001L);
            put(AmxCode.CONFIGURATION + 24, 64 | 64 << 16 | left << 32 | right << 48);
            long sums = (upper | lower << 16) * 0x101;
            put(AmxCode.CONFIGURATION + 48, sums | upper << 32 | lower << 40 | 16L << 48 | 16L << 56);
        }

        private void put(int at, long value) {
            parameters[at / 8] = value;
        }

        private static long address(Matrix matrix) {
            return matrix.data().address() + matrix.offset() * matrix.dtype().bytes();
        }

        private static MemorySegment reserve(MemorySegment memory, long bytes) {
            return memory.byteSize() >= bytes ? memory : Arena.ofAuto().allocate(bytes, 64);
        }
    }
}
