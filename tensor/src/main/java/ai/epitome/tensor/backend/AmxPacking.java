package ai.epitome.tensor.backend;

import ai.epitome.tensor.Matrix;
import java.lang.foreign.MemorySegment;

/// Packs a bf16 operand into tiles of 16 rows (of A) or columns (of B) by 32 of the depth, in the order in which a
/// product reads them: tile after tile along the depth, then the next 16. What lies beyond the edges is zero.
///
/// ```
/// tile of A: row i holds a[i][0..32)                    tile of B: row p holds b[2p][j], b[2p+1][j] for j in [0..16)
/// ```
final class AmxPacking {
    private final AmxRoutines routines;
    private final long[] parameters = new long[AmxCode.BLOCK];
    private final MemorySegment block = MemorySegment.ofArray(parameters);

    AmxPacking(AmxRoutines routines) {
        this.routines = routines;
    }

    /// An operand on its way: lines (rows of A, columns of B) by depth `[from, from + 32 * steps)`.
    private record Job(Matrix lines, int from, int steps, boolean asB, long target) {}

    /// Packs the depth `[from, from + depth)` of `lines`, whose rows are rows of A or, if `asB`, columns of B.
    void pack(Matrix lines, int from, int depth, boolean asB, long target) {
        Job job = new Job(lines, from, (depth + 31) / 32, asB, target);
        int steps = depth / 32;
        int tiles = lines.rows() / 16;
        int restLines = lines.rows() % 16;
        int restDepth = depth % 32;
        part(job, 0, tiles, 16, 0, steps, 32);
        part(job, 0, tiles, 16, steps, 1, restDepth);
        part(job, tiles, 1, restLines, 0, steps, 32);
        part(job, tiles, 1, restLines, steps, 1, restDepth);
    }

    /// Packs `tiles` tiles of `lines` lines from tile `tile` on, and of each `steps` steps of `depth` from step `step`.
    private void part(Job job, int tile, int tiles, int lines, int step, int steps, int depth) {
        if (tiles == 0 || steps == 0 || lines == 0 || depth == 0) {
            return;
        }
        Matrix x = job.lines;
        long row = 2L * x.stride();
        boolean pairs = x.transposed();
        long alongLines = pairs ? 2 : row;
        long alongDepth = pairs ? row : 2;
        long start = x.data().address() + 2 * x.offset();
        put(AmxCode.SOURCE, start + 16 * tile * alongLines + (job.from + 32L * step) * alongDepth);
        put(AmxCode.SOURCE_STRIDE, row);
        // The inner loop runs along memory rows, where the hardware sees it coming.
        int inner = pairs ? tiles : steps;
        int outer = pairs ? steps : tiles;
        long nextTile = (long) job.steps * AmxCode.TILE;
        long targetInner = pairs ? nextTile : AmxCode.TILE;
        long targetOuter = pairs ? AmxCode.TILE : nextTile;
        put(AmxCode.SOURCE_INNER, pairs ? 16 * alongLines : 32 * alongDepth);
        put(AmxCode.SOURCE_OUTER, pairs ? 32 * alongDepth : 16 * alongLines);
        put(AmxCode.TARGET, job.target + tile * nextTile + (long) step * AmxCode.TILE);
        put(AmxCode.TARGET_INNER, targetInner);
        put(AmxCode.TARGET_OUTER, targetOuter - inner * targetInner);
        put(AmxCode.INNER, inner);
        put(AmxCode.OUTER, outer);
        boolean masked = lines < 16 || depth < 32;
        if (masked) {
            edges(pairs ? depth : lines, pairs ? lines : depth, row, pairs ? 32 : 16);
        }
        // Memory rows are pairs of the depth or lines; the rows of B tiles are pairs of the depth, those of A lines.
        routines.pack(pairs, pairs != job.asB, masked, block);
    }

    /// Rows that are not there get an address that is, and an empty mask.
    private void edges(int memoryRows, int elements, long stride, int count) {
        long mask = (1L << elements) - 1;
        for (int i = 0; i < count; i++) {
            put(AmxCode.OFFSETS + 8 * i, Math.min(i, memoryRows - 1) * stride);
            put(AmxCode.MASKS + 8 * i, i < memoryRows ? mask : 0);
        }
    }

    private void put(int at, long value) {
        parameters[at / 8] = value;
    }
}
