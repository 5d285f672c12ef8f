package ai.epitome.tensor.block;

import ai.epitome.tensor.format.BlockFormat;

/// How 16 weight rows lie in memory for products by machine code: for each group of channels a block of numbers, then
/// what they are multiplied by. A group of rows is read from its first byte to its last, in order.
///
/// ```text
/// numbers   for each four channels: 16 rows x 4 bytes
/// scales    16 f16 as in the file, or 16 f32
/// least     16 f32, of some formats
/// ```
/// Numbers are signed bytes; of Q4_0, four bits: channel i in the lower half of a byte and channel 16 + i in the upper
/// half, both 8 more than they stand for.
///
/// Weights of other formats are kept *compact*: numbers of four bits as in Q4_0, but from 0 on, and the bits
/// above in lines behind them. A line has, in each byte, the fifth bits of channels 4 i of its row and place
/// (bit i), or the fifth and sixth of four of these. Scales and least values are products of a code and a unit,
/// as in the file, one for each row: 16 bytes of codes of scales and 16 of least values (or of the second 16
/// channels' scales), then 16 f16 units of scales and 16 of least values. Q5_0 has f16 scales alone. Several
/// tokens are multiplied by what that is expanded to.
enum PackedFormat {
    Q4_0(32, 256, true, false),
    Q8_0(32, 512, true, false),
    /// All formats with a scale for 32 channels.
    BYTES(32, 512, false, false),
    BYTES_WITH_LEAST(32, 512, false, true),
    /// Formats with a scale for 16 channels.
    BYTES_OF_16(16, 256, false, false),
    FOUR_BITS_WITH_LEAST(BYTES_WITH_LEAST, 0, 0),
    FIVE_BITS(BYTES, 1, 16),
    FIVE_BITS_WITH_LEAST(BYTES_WITH_LEAST, 1, 0),
    SIX_BITS_OF_16(BYTES_OF_16, 2, 32);

    private final int channels;
    private final int numbersBytes;
    private final boolean halves;
    private final boolean least;
    private final PackedFormat expanded;
    private final int lines;
    private final int excess;

    PackedFormat(int channels, int numbersBytes, boolean halves, boolean least) {
        this.channels = channels;
        this.numbersBytes = numbersBytes;
        this.halves = halves;
        this.least = least;
        this.expanded = this;
        this.lines = 0;
        this.excess = 0;
    }

    PackedFormat(PackedFormat expanded, int lines, int excess) {
        this.channels = 32;
        this.numbersBytes = 256 + 64 * lines;
        this.halves = false;
        this.least = expanded.least;
        this.expanded = expanded;
        this.lines = lines;
        this.excess = excess;
    }

    /// What rows of `columns` weights of a file are packed to.
    static PackedFormat of(BlockFormat format, int columns, int rows) {
        boolean whole = rows == BlockMatrix.GROUP;
        return switch (format) {
            case Q8_0 -> whole ? Q8_0 : BYTES;
            case Q4_0 -> whole && columns >= 32 * AmxBlockCode.LEAST_TILES ? Q4_0 : BYTES;
            case Q5_0 -> whole ? FIVE_BITS : BYTES;
            case Q4_1, Q4_K -> whole ? FOUR_BITS_WITH_LEAST : BYTES_WITH_LEAST;
            case Q5_K -> whole ? FIVE_BITS_WITH_LEAST : BYTES_WITH_LEAST;
            case Q6_K -> whole ? SIX_BITS_OF_16 : BYTES_OF_16;
            case F32, F16, BF16 -> throw new IllegalArgumentException(format.name());
        };
    }

    /// Whether blocks hold exactly what those of the file do, and code packs them.
    boolean isWhole() {
        return halves;
    }

    /// Whether weights are kept so where there is memory for it.
    boolean isKept() {
        return isWhole() || isCompact();
    }

    boolean isCompact() {
        return expanded != this;
    }

    /// What products of several tokens read.
    PackedFormat expanded() {
        return expanded;
    }

    /// Lines of bits above the fourth.
    int lines() {
        return lines;
    }

    /// What numbers are more than they stand for.
    int excess() {
        return excess;
    }

    /// Whether compact scales are codes times units.
    boolean hasCodes() {
        return this != FIVE_BITS;
    }

    /// Scales of a compact block's row, and least values.
    int factors() {
        return this == FIVE_BITS ? 1 : 2;
    }

    /// Where units of a compact block's factor are.
    int unitsAt(int factor) {
        return numbersBytes + (hasCodes() ? 32 : 0) + (least ? 32 * factor : 0);
    }

    /// Channels of a block.
    int channels() {
        return channels;
    }

    /// Bytes of numbers, which come first.
    int numbersBytes() {
        return numbersBytes;
    }

    /// Whether scales are f16.
    boolean halves() {
        return halves;
    }

    boolean least() {
        return least;
    }

    int blockBytes() {
        if (isCompact()) {
            return unitsAt(factors() - 1) + 32;
        }
        return numbersBytes + (halves ? 32 : least ? 128 : 64);
    }

    /// Bytes of 16 rows.
    long groupBytes(int columns) {
        return (long) columns / channels * blockBytes();
    }
}
