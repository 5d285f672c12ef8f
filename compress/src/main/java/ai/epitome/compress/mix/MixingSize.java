package ai.epitome.compress.mix;

/// How much memory a [MixingPredictor] takes: encoder and decoder must use the same.
///
/// @param slotBits the table of contexts has `2^slotBits` slots of 32 bytes, 10 to 25
/// @param historyBits `2^historyBits` bytes are kept for matches, 10 to 26
public record MixingSize(int slotBits, int historyBits) {
    private static final int LEAST = 10;
    private static final int MOST_SLOTS = 25;
    private static final int MOST_HISTORY = 26;
    /// By default 512 MiB of slots at most.
    private static final int DEFAULT_SLOTS = 24;
    private static final int DEFAULT_HISTORY = 24;

    /// The least, with which probes of all codings are made.
    public static final MixingSize PROBE = new MixingSize(LEAST, LEAST);

    public MixingSize {
        if (slotBits < LEAST || slotBits > MOST_SLOTS || historyBits < LEAST || historyBits > MOST_HISTORY) {
            throw new IllegalArgumentException(
                    "mixing size of %d slot bits and %d history bits: expected %d to %d and %d to %d"
                            .formatted(slotBits, historyBits, LEAST, MOST_SLOTS, LEAST, MOST_HISTORY));
        }
    }

    /// Enough for an input of so many bytes, up to about 600 MB.
    public static MixingSize of(long length) {
        // Contexts that come again share slots: about one new slot a byte and context.
        long slots = Math.max(1, length) * Contexts.COUNT;
        return new MixingSize(
                Math.clamp(bits(slots), LEAST, DEFAULT_SLOTS), Math.clamp(bits(length), LEAST, DEFAULT_HISTORY));
    }

    /// Least number of bits with `2^bits >= count`.
    private static int bits(long count) {
        return count <= 1 ? 0 : 64 - Long.numberOfLeadingZeros(count - 1);
    }

    /// Bytes on the heap, about.
    public long memory() {
        return SlotTable.bytes(slotBits) + (1L << historyBits) * 13 + (32L << 20);
    }
}
