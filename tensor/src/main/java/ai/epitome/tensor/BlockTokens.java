package ai.epitome.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Quantised activations as tiles: 16 tokens side by side, four channels of each at a time. A single token has its
/// numbers one after the other.
///
/// ```text
/// numbers   for each tile, for each four channels: 16 x 4 bytes
/// table     for each tile, for each group of channels: 16 scales, 16 sums, f32; sums are times scales
/// ```
/// Of a single token, an entry of the table is scale, sum times scale, and, as ints, the sums of the numbers of these
/// 16
/// channels and of the 32 that begin with them.
///
/// Where the last tile has fewer than 16 tokens, the others are zeros.
final class BlockTokens {
    private static final int TILE = 16;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;

    private final ThreadLocal<BlockActivations> rows = new ThreadLocal<>();
    private MemorySegment numbers = MemorySegment.NULL;
    private MemorySegment table = MemorySegment.NULL;
    private int tokens;
    private int columns;
    private int grain;
    private int width;

    /// Quantises all rows of `x`.
    ///
    /// @param grain channels of an entry of the table: 16 or 32
    void read(Tensor x, int grain, Workers workers) {
        tokens = x.rows();
        columns = x.columns();
        this.grain = grain;
        width = tokens == 1 ? 1 : TILE;
        numbers = reserve(numbers, tiles() * numbersNext());
        table = reserve(table, tiles() * tableNext());
        workers.run(tiles(), (tile, _) -> readTile(x, tile));
    }

    private static MemorySegment reserve(MemorySegment memory, long bytes) {
        return memory.byteSize() >= bytes ? memory : Arena.ofAuto().allocate(bytes, 64);
    }

    private void readTile(Tensor x, int tile) {
        BlockActivations row = rows.get();
        if (row == null || row.columns() != columns) {
            row = new BlockActivations(columns);
            rows.set(row);
        }
        int count = Math.min(width, tokens - tile * width);
        if (count < width) {
            numbers.asSlice(tile * numbersNext(), numbersNext()).fill((byte) 0);
            table.asSlice(tile * tableNext(), tableNext()).fill((byte) 0);
        }
        for (int t = 0; t < count; t++) {
            row.read(x, tile * width + t);
            writeNumbers(row, tile, t);
            writeTable(row, tile, t);
        }
    }

    private void writeNumbers(BlockActivations row, int tile, int t) {
        MemorySegment source = MemorySegment.ofArray(row.numbers);
        long to = tile * numbersNext();
        if (width == 1) {
            MemorySegment.copy(source, 0, numbers, to, columns);
            return;
        }
        for (int i = 0; i < columns / 4; i++) {
            numbers.set(INT, to + 4L * (i * TILE + t), source.get(INT, 4L * i));
        }
    }

    private void writeTable(BlockActivations row, int tile, int t) {
        int parts = BlockActivations.BLOCK / grain;
        long to = tile * tableNext() + 4L * t;
        if (width == 1) {
            writeSingle(row, parts);
            return;
        }
        for (int b = 0; b < row.scales.length; b++) {
            for (int part = 0; part < parts; part++, to += 8L * width) {
                table.set(Tensor.FLOAT, to, row.scales[b]);
                table.set(Tensor.FLOAT, to + 4L * width, row.sums[b]);
            }
        }
    }

    private void writeSingle(BlockActivations row, int parts) {
        long to = 0;
        for (int b = 0; b < row.scales.length; b++) {
            int first = sum(row.numbers, 32 * b);
            int second = sum(row.numbers, 32 * b + 16);
            for (int part = 0; part < parts; part++, to += 16) {
                table.set(Tensor.FLOAT, to, row.scales[b]);
                table.set(Tensor.FLOAT, to + 4, row.sums[b]);
                table.set(INT, to + BlockParameters.SUM_OF_16, part == 0 ? first : second);
                table.set(INT, to + BlockParameters.SUM_OF_32, first + second);
            }
        }
    }

    private static int sum(byte[] numbers, int from) {
        int sum = 0;
        for (int i = from; i < from + 16; i++) {
            sum += numbers[i];
        }
        return sum;
    }

    int columns() {
        return columns;
    }

    boolean isSingle() {
        return width == 1;
    }

    int tiles() {
        return (tokens + width - 1) / width;
    }

    /// Tiles that have all their tokens.
    int wholeTiles() {
        return tokens / width;
    }

    /// Tokens of the last tile, if it is not whole.
    int lastTokens() {
        return tokens % width;
    }

    /// Address of a tile's numbers.
    long numbers(int tile) {
        return numbers.address() + tile * numbersNext();
    }

    /// Bytes from one group of `channels` to the next.
    long numbersStep(int channels) {
        return (long) channels * width;
    }

    long numbersNext() {
        return (long) columns * width;
    }

    long table(int tile) {
        return table.address() + tile * tableNext();
    }

    long tableStep(int channels) {
        return entry() * (channels / grain);
    }

    long tableNext() {
        return entry() * (columns / grain);
    }

    private long entry() {
        return width == 1 ? 16 : 8L * TILE;
    }
}
