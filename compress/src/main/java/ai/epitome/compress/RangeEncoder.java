package ai.epitome.compress;

import java.util.Arrays;

/// A range coder: turns symbols and their probabilities into bytes, within a few bytes of the sum of `-log2 p`.
///
/// The code is a number in `[0, 1)` to base 256. Each symbol narrows the interval `[low, low + range)` to its part;
/// digits that are settled leave, so that 64 bits are enough. An addition to `low` may carry into digits that have
/// left: they are still in memory, and the carry is added there. (Martin, *Range encoding*, 1979; the carry as in
/// Schindler's coder.)
///
/// After each step `range >= 2^56`. A symbol's part is rounded down to a multiple of `range / total`, so it is too
/// small by a factor of `1 - total / 2^56` at most.
public final class RangeEncoder {
    /// Frequencies sum up to this at most.
    public static final long MAX_TOTAL = 1L << 50;

    private static final int START_SIZE = 1024;

    private byte[] bytes = new byte[START_SIZE];
    private int size;
    private long low; // both unsigned
    private long range = -1;

    /// Codes a symbol of probability `frequency / total`.
    ///
    /// @param cumulative sum of the frequencies of all symbols before it
    /// @param frequency at least 1
    /// @param total of all frequencies, [#MAX_TOTAL] at most
    public void symbol(long cumulative, long frequency, long total) {
        long unit = Long.divideUnsigned(range, total);
        long below = unit * cumulative;
        boolean last = cumulative + frequency == total;
        add(below);
        range = last ? range - below : unit * frequency; // what the division leaves over goes to the last symbol
        normalize();
    }

    /// Codes a bit.
    ///
    /// @param one probability that it is a 1, of [BitPredictor#ONE], in `1 .. ONE - 1`
    public void bit(int bit, int one) {
        long part = (range >>> 16) * one;
        if (bit == 1) {
            range = part;
        } else {
            add(part);
            range -= part;
        }
        normalize();
    }

    private void add(long value) {
        low += value;
        if (Long.compareUnsigned(low, value) < 0) {
            carry();
        }
    }

    /// The whole interval lies below 1, so there is always a digit that is not yet 255.
    private void carry() {
        int i = size - 1;
        while (++bytes[i] == 0) {
            i--;
        }
    }

    private void normalize() {
        while (range >>> 56 == 0) {
            put();
            range <<= 8;
        }
    }

    private void put() {
        if (size == bytes.length) {
            bytes = Arrays.copyOf(bytes, 2 * size);
        }
        bytes[size++] = (byte) (low >>> 56);
        low <<= 8;
    }

    /// Ends the code and returns it. The decoder takes what follows for zeros, and the interval is at least `2^56`
    /// wide: it holds a number that ends in seven zeros.
    public byte[] finish() {
        add(-low & (1L << 56) - 1);
        if (low != 0) {
            put();
        }
        return Arrays.copyOf(bytes, size);
    }
}
