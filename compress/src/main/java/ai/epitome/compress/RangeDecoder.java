package ai.epitome.compress;

/// Reads what a [RangeEncoder] wrote, given the same probabilities.
///
/// ```java
/// long target = decoder.target(total); // find the symbol with cumulative <= target < cumulative + frequency
/// decoder.symbol(cumulative, frequency, total); // and take it
/// ```
///
/// Any bytes decode to something. Nothing outside the given bytes is read; a code that goes on beyond its end is
/// refused, so garbage costs no more than its length allows.
public final class RangeDecoder {
    /// The encoder leaves out zeros at the end, at most as many as it holds back.
    private static final int MISSING = 8;

    private final byte[] bytes;
    private int position;
    private long offset; // of the code from the interval's lower end; both unsigned
    private long range = -1;

    public RangeDecoder(byte[] bytes) {
        this.bytes = bytes;
        for (int i = 0; i < MISSING; i++) {
            offset = offset << 8 | next();
        }
    }

    /// A number below `total` that lies in the next symbol's part.
    public long target(long total) {
        long target = Long.divideUnsigned(offset, Long.divideUnsigned(range, total));
        return Math.min(target, total - 1); // what the division leaves over belongs to the last
    }

    /// Takes the symbol, which holds [#target].
    ///
    /// @throws MalformedCodeException when the code has come to its end before
    public void symbol(long cumulative, long frequency, long total) {
        long unit = Long.divideUnsigned(range, total);
        long below = unit * cumulative;
        boolean last = cumulative + frequency == total;
        offset -= below;
        range = last ? range - below : unit * frequency;
        normalize();
    }

    /// Takes a bit.
    ///
    /// @param one probability that it is a 1, of [BitPredictor#ONE], in `1 .. ONE - 1`
    /// @throws MalformedCodeException when the code has come to its end before
    public int bit(int one) {
        long part = (range >>> 16) * one;
        int bit;
        if (Long.compareUnsigned(offset, part) < 0) {
            bit = 1;
            range = part;
        } else {
            bit = 0;
            offset -= part;
            range -= part;
        }
        normalize();
        return bit;
    }

    private void normalize() {
        while (range >>> 56 == 0) {
            offset = offset << 8 | next();
            range <<= 8;
        }
    }

    /// Bytes of the code that have been read.
    public int position() {
        return Math.min(position, bytes.length);
    }

    private int next() {
        if (position < bytes.length) {
            return bytes[position++] & 0xff;
        }
        if (position++ == bytes.length + MISSING) {
            throw new MalformedCodeException("the code has %d bytes, and its symbols more".formatted(bytes.length));
        }
        return 0;
    }
}
