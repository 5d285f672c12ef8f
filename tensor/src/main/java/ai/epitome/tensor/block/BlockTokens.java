package ai.epitome.tensor.block;

import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.Workers;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.Supplier;

/// Quantised activations as code reads them.
///
/// ```text
/// numbers   of each token its numbers one after the other
/// table     for each four tokens, for each group of channels: 4 scales, 4 sums, f32; sums are times scales
/// ```
/// **Pairs** ([AmxBlockCode]): tokens lie side by side, 64 bytes each, with one block in the first half and zeros
/// in the other; after them, the next block in the second half. So each block of a token is as far from the one
/// before it, and two blocks of all tokens are one tile.
///
/// Of a single token, an entry of the table is as [BlockParameters] says. Sums are there only where weights
/// have least values. Four tokens are a task, and no other thread writes to their lines.
///
/// Where the last tile has fewer tokens than are added up together, the others have zeros in the table.
final class BlockTokens {
    static final int TILE = 16;
    /// Tokens of a tile that are added up together, and that its table has room for; fewer take less time.
    static final int[] ROOMS = {4, 8, TILE};
    /// Tokens of a task, and of a part of the table.
    private static final int TASK = 4;
    /// Bytes of an entry of such a part.
    private static final int ENTRY = 8 * TASK;
    private static final int LINE = 64;
    /// Numbers that are worth waking another thread.
    private static final long WORTH = 3000;
    /// Between tokens, so that rows of a power of two do not lie in the same sets of the first-level cache.
    private static final int APART = 64;

    /// Machine code of the thread that calls, see [BlockQuantisingCode].
    interface Code {
        /// The largest magnitude of each block of a row, f32, in memory that holds until the next call.
        MemorySegment largest(Tensor x, int row);

        /// Writes the row's numbers to an address, blocks `step` bytes apart: each is its value times the factor of its
        /// block.
        void round(Tensor x, int row, MemorySegment factors, long address, long step);
    }

    private final ThreadLocal<BlockActivations> rows = new ThreadLocal<>();
    private MemorySegment numbers = MemorySegment.NULL;
    private MemorySegment table = MemorySegment.NULL;
    private int tokens;
    private int columns;
    private int grain;
    private int width;
    private boolean least;
    private boolean pairs;
    /// Of pairs, where all but the numbers are zeros.
    private MemorySegment paired = MemorySegment.NULL;
    private int pairedTokens;

    /// Quantises all rows of `x`.
    ///
    /// @param grain channels of an entry of the table: 16 or 32
    /// @param least whether sums are wanted
    /// @param pairs whether pairs of blocks are, where that can be
    /// @param code that of the thread which asks
    void read(Tensor x, int grain, boolean least, boolean pairs, Workers workers, Supplier<Code> code) {
        this.least = least;
        tokens = x.rows();
        columns = x.columns();
        this.grain = grain;
        width = tokens == 1 ? 1 : TILE;
        boolean byCode = tokens > 1 && !least && grain == BlockActivations.BLOCK;
        this.pairs = pairs && byCode && tokens <= TILE / 2 && columns % (2 * BlockActivations.BLOCK) == 0;
        if (this.pairs) {
            reservePairs();
        } else {
            numbers = reserve(numbers, tiles() * numbersNext());
        }
        table = reserve(table, tiles() * tableNext());
        int room = room(lastTokens());
        if (width > 1 && lastTokens() < room) {
            long from = lastTokens() / TASK * tablePart();
            table.asSlice(wholeTiles() * tableNext() + from, room / TASK * tablePart() - from)
                    .fill((byte) 0);
        }
        boolean worth = (long) tokens * columns > WORTH;
        workers.run((tokens + TASK - 1) / TASK, worth, (task, _) -> {
            int end = Math.min(tokens, (task + 1) * TASK);
            if (byCode) {
                readTokens(x, task * TASK, end, code.get());
            } else {
                readTokens(x, task * TASK, end);
            }
        });
    }

    private void reservePairs() {
        long bytes = numbersStep() * (columns / BlockActivations.BLOCK) + LINE;
        if (paired.byteSize() < bytes) {
            paired = Arena.ofAuto().allocate(bytes, LINE);
        } else if (pairedTokens != room(tokens)) {
            paired.fill((byte) 0);
        }
        pairedTokens = room(tokens);
    }

    private static MemorySegment reserve(MemorySegment memory, long bytes) {
        return memory.byteSize() >= bytes ? memory : Arena.ofAuto().allocate(bytes, 64);
    }

    /// What [BlockActivations#read] does, for several tokens and weights without least values.
    private void readTokens(Tensor x, int from, int to, Code code) {
        for (int token = from; token < to; token++) {
            MemorySegment factors = code.largest(x, token);
            long scale = tableAt(token / width, token % width);
            for (int block = 0; block < columns / BlockActivations.BLOCK; block++, scale += ENTRY) {
                float most = factors.get(Tensor.FLOAT, 4L * block);
                boolean ordinary = most >= BlockActivations.LEAST && most < Float.POSITIVE_INFINITY;
                float other = most < BlockActivations.LEAST ? 0 : Float.NaN;
                table.set(Tensor.FLOAT, scale, ordinary ? most / 127f : other);
                factors.set(Tensor.FLOAT, 4L * block, ordinary ? 127f / most : 0);
            }
            code.round(x, token, factors, numbers(token / width) + token % width * stride(), numbersStep());
        }
    }

    private void readTokens(Tensor x, int from, int to) {
        BlockActivations row = rows.get();
        if (row == null || row.columns() != columns) {
            row = new BlockActivations(columns);
            rows.set(row);
        }
        for (int token = from; token < to; token++) {
            row.read(x, token);
            int tile = token / width;
            int t = token % width;
            MemorySegment.copy(
                    row.numbers, 0, numbers, ValueLayout.JAVA_BYTE, tile * numbersNext() + t * stride(), columns);
            writeTable(row, tile, t);
        }
    }

    private void writeTable(BlockActivations row, int tile, int t) {
        int parts = BlockActivations.BLOCK / grain;
        if (width == 1) {
            writeSingle(row, parts);
            return;
        }
        long to = tableAt(tile, t);
        for (int b = 0; b < row.scales.length; b++) {
            for (int part = 0; part < parts; part++, to += ENTRY) {
                table.set(Tensor.FLOAT, to, row.scales[b]);
                if (least) {
                    table.set(Tensor.FLOAT, to + ENTRY / 2, row.sums[b]);
                }
            }
        }
    }

    private long tableAt(int tile, int t) {
        return tile * tableNext() + t / TASK * tablePart() + 4L * (t % TASK);
    }

    /// Tokens of a tile that are added up together where there are `count`: one of [#ROOMS], or none.
    static int room(int count) {
        return count == 0 ? 0 : ROOMS[roomNumber(count)];
    }

    /// Which of [#ROOMS] holds so many tokens.
    static int roomNumber(int count) {
        int at = 0;
        while (ROOMS[at] < count) {
            at++;
        }
        return at;
    }

    private void writeSingle(BlockActivations row, int parts) {
        long to = 0;
        for (int b = 0; b < row.scales.length; b++) {
            for (int part = 0; part < parts; part++, to += entry()) {
                table.set(Tensor.FLOAT, to, row.scales[b]);
                table.set(Tensor.FLOAT, to + 4, row.sums[b]);
                table.set(Tensor.INT, to + BlockParameters.EIGHT_OF_32, -8 * row.totals[b]);
                table.set(Tensor.INT, to + BlockParameters.HALF_OF_32, -128 * row.totals[b]);
                table.set(Tensor.INT, to + BlockParameters.SIXTEEN_OF_32, -16 * row.totals[b]);
                if (parts == 2) {
                    int half = sum(row.numbers, 32 * b + 16 * part);
                    table.set(Tensor.INT, to + BlockParameters.HALF_OF_16, -128 * half);
                    table.set(Tensor.INT, to + BlockParameters.THIRTY_TWO_OF_16, -32 * half);
                }
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
        return pairs ? paired.address() : numbers.address() + tile * numbersNext();
    }

    /// Bytes from one token to the next.
    long stride() {
        return pairs ? LINE : columns + APART;
    }

    /// Bytes from a token's numbers of one block to those of the next.
    long numbersStep() {
        return pairs ? (long) LINE * room(tokens) + BlockActivations.BLOCK : BlockActivations.BLOCK;
    }

    /// Whether two blocks make a tile.
    boolean isPaired() {
        return pairs;
    }

    long numbersNext() {
        return stride() * width;
    }

    long table(int tile) {
        return table.address() + tile * tableNext();
    }

    long tableStep(int channels) {
        return entry() * (channels / grain);
    }

    /// Bytes from the table of 16 tokens to the next.
    long tableNext() {
        return TILE / TASK * tablePart();
    }

    /// Bytes from four tokens of the table to the next.
    long tablePart() {
        return (entry() * (columns / grain) + LINE - 1) / LINE * LINE;
    }

    private long entry() {
        return width == 1 ? BlockParameters.SINGLE : ENTRY;
    }
}
