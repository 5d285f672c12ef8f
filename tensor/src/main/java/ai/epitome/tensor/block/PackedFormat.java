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
enum PackedFormat {
    Q4_0(32, 256, true, false),
    Q8_0(32, 512, true, false),
    /// All formats with a scale for 32 channels.
    BYTES(32, 512, false, false),
    BYTES_WITH_LEAST(32, 512, false, true),
    /// Formats with a scale for 16 channels.
    BYTES_OF_16(16, 256, false, false);

    private final int channels;
    private final int numbersBytes;
    private final boolean halves;
    private final boolean least;

    PackedFormat(int channels, int numbersBytes, boolean halves, boolean least) {
        this.channels = channels;
        this.numbersBytes = numbersBytes;
        this.halves = halves;
        this.least = least;
    }

    /// What rows of `columns` weights of a file are packed to.
    static PackedFormat of(BlockFormat format, int columns, int rows) {
        boolean whole = rows == BlockMatrix.GROUP;
        return switch (format) {
            case Q8_0 -> whole ? Q8_0 : BYTES;
            case Q4_0 -> whole && columns >= 32 * AmxBlockCode.LEAST_TILES ? Q4_0 : BYTES;
            default -> format.group() == 16 ? BYTES_OF_16 : format.hasLeast() ? BYTES_WITH_LEAST : BYTES;
        };
    }

    /// Whether blocks hold exactly what those of the file do, and code packs them.
    boolean isWhole() {
        return halves;
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
        return numbersBytes + (halves ? 32 : least ? 128 : 64);
    }

    /// Bytes of 16 rows.
    long groupBytes(int columns) {
        return (long) columns / channels * blockBytes();
    }
}
