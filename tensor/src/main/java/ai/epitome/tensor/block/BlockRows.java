package ai.epitome.tensor.block;

import ai.epitome.tensor.format.BlockFormat;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// One row of a [BlockMatrix], taken apart into what products work on: a whole number of 8 bits for each value, and
/// for each group a scale and a least value. A value is `scale * number + least`.
///
/// Loops run over arrays on the heap, where the compiler makes registers of them.
final class BlockRows {
    final byte[] numbers;
    final float[] scales;
    /// Only where the format has them.
    final float[] least;

    /// What scales and least values are products of: whole numbers, and f16.
    final byte[] codes;

    final byte[] leastCodes;
    final short[] units;
    final short[] leastUnits;

    private final int columns;
    private byte[] raw = {};

    /// Room for rows of `columns` values.
    BlockRows(int columns) {
        this.columns = columns;
        numbers = new byte[columns];
        scales = new float[columns / 16];
        least = new float[columns / 16];
        codes = new byte[columns / 16];
        leastCodes = new byte[columns / 16];
        units = new short[columns / 16];
        leastUnits = new short[columns / 16];
    }

    int columns() {
        return columns;
    }

    /// Takes apart the row at byte `offset` of `data`.
    void read(BlockFormat format, MemorySegment data, long offset) {
        int bytes = (int) format.bytesOf(columns);
        if (raw.length < bytes) {
            raw = new byte[bytes];
        }
        MemorySegment.copy(data, ValueLayout.JAVA_BYTE, offset, raw, 0, bytes);
        int blocks = columns / format.blockValues();
        for (int block = 0; block < blocks; block++) {
            int at = block * format.blockBytes();
            int to = block * format.blockValues();
            switch (format) {
                case Q8_0 -> eightBits(at, to);
                case Q4_0 -> fourBits(at, to);
                case Q4_1 -> fourBitsAbove(at, to);
                case Q5_0 -> fiveBits(at, to);
                case Q4_K -> scaled(at, to, false);
                case Q5_K -> scaled(at, to, true);
                case Q6_K -> sixBits(at, to);
                case F32, F16, BF16 -> throw new IllegalArgumentException(format.name());
            }
        }
    }

    private float half(int at) {
        return Float.float16ToFloat(unit(at));
    }

    private short unit(int at) {
        return (short) (raw[at] & 0xFF | raw[at + 1] << 8);
    }

    private void eightBits(int at, int to) {
        scales[to / 32] = half(at);
        System.arraycopy(raw, at + 2, numbers, to, 32);
    }

    private void fourBits(int at, int to) {
        scales[to / 32] = half(at);
        for (int i = 0; i < 16; i++) {
            numbers[to + i] = (byte) ((raw[at + 2 + i] & 15) - 8);
        }
        for (int i = 0; i < 16; i++) {
            numbers[to + 16 + i] = (byte) ((raw[at + 2 + i] >> 4 & 15) - 8);
        }
    }

    private void fourBitsAbove(int at, int to) {
        scales[to / 32] = half(at);
        least[to / 32] = half(at + 2);
        codes[to / 32] = 1;
        leastCodes[to / 32] = 1;
        units[to / 32] = unit(at);
        leastUnits[to / 32] = unit(at + 2);
        for (int i = 0; i < 16; i++) {
            numbers[to + i] = (byte) (raw[at + 4 + i] & 15);
        }
        for (int i = 0; i < 16; i++) {
            numbers[to + 16 + i] = (byte) (raw[at + 4 + i] >> 4 & 15);
        }
    }

    private void fiveBits(int at, int to) {
        scales[to / 32] = half(at);
        units[to / 32] = unit(at);
        int fifth = raw[at + 2] & 0xFF | (raw[at + 3] & 0xFF) << 8 | (raw[at + 4] & 0xFF) << 16 | raw[at + 5] << 24;
        for (int i = 0; i < 16; i++) {
            numbers[to + i] = (byte) ((raw[at + 6 + i] & 15 | (fifth >> i & 1) << 4) - 16);
        }
        for (int i = 0; i < 16; i++) {
            numbers[to + 16 + i] = (byte) ((raw[at + 6 + i] >> 4 & 15 | (fifth >> 16 + i & 1) << 4) - 16);
        }
    }

    /// Q4_K and, with fifth bits, Q5_K; see [BlockFormat] for the packing of scales and least values.
    private void scaled(int at, int to, boolean fifths) {
        float d = half(at);
        float m = half(at + 2);
        for (int group = 0; group < 8; group++) {
            int scale;
            int lowest;
            if (group < 4) {
                scale = raw[at + 4 + group] & 63;
                lowest = raw[at + 8 + group] & 63;
            } else {
                int both = raw[at + 8 + group];
                scale = both & 15 | (raw[at + group] >> 6 & 3) << 4;
                lowest = both >> 4 & 15 | (raw[at + 4 + group] >> 6 & 3) << 4;
            }
            scales[to / 32 + group] = d * scale;
            least[to / 32 + group] = -(m * lowest);
            codes[to / 32 + group] = (byte) scale;
            leastCodes[to / 32 + group] = (byte) lowest;
            units[to / 32 + group] = unit(at);
            leastUnits[to / 32 + group] = (short) (unit(at + 2) ^ 0x8000); // minus
            int from = at + (fifths ? 48 : 16) + 32 * (group >> 1);
            int shift = 4 * (group & 1);
            nibbles(from, shift, to + 32 * group);
            if (fifths) {
                addBits(at + 16, group, 1, 4, to + 32 * group);
            }
        }
    }

    private void nibbles(int from, int shift, int to) {
        for (int i = 0; i < 32; i++) {
            numbers[to + i] = (byte) (raw[from + i] >> shift & 15);
        }
    }

    /// Adds bits from `shift` on, `mask` of them, as bits from `place` on.
    private void addBits(int from, int shift, int mask, int place, int to) {
        for (int i = 0; i < 32; i++) {
            numbers[to + i] |= (byte) ((raw[from + i] >> shift & mask) << place);
        }
    }

    private void sixBits(int at, int to) {
        float d = half(at + 208);
        for (int group = 0; group < 16; group++) {
            scales[to / 16 + group] = d * raw[at + 192 + group];
            codes[to / 16 + group] = raw[at + 192 + group];
            units[to / 16 + group] = unit(at + 208);
        }
        for (int quarter = 0; quarter < 8; quarter++) {
            int q = quarter & 3;
            int first = to + 32 * quarter;
            nibbles(at + 64 * (quarter >> 2) + 32 * (q & 1), 4 * (q >> 1), first);
            addBits(at + 128 + 32 * (quarter >> 2), 2 * q, 3, 4, first);
            for (int i = 0; i < 32; i++) {
                numbers[first + i] -= 32;
            }
        }
    }
}
