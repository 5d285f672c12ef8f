package ai.epitome.compress.mix;

/// The last bytes, in a ring.
final class ByteHistory {
    private final byte[] ring;
    private final int mask;
    private int position;

    ByteHistory(int bits) {
        this.ring = new byte[1 << bits];
        this.mask = ring.length - 1;
    }

    void append(int value) {
        ring[position++ & mask] = (byte) value;
        if (position == Integer.MAX_VALUE) {
            // Positions that were remembered are no longer held, and the ring stays as it is.
            position = ring.length | position & mask;
        }
    }

    /// Bytes that came.
    int position() {
        return position;
    }

    /// Whether the byte that followed the first `candidate` bytes is still there.
    boolean holds(int candidate) {
        return candidate < position && position - candidate <= ring.length;
    }

    int at(int index) {
        return ring[index & mask] & 0xff;
    }

    /// The byte that came `distance` before, 1 being the last; 0 beyond the start.
    int last(int distance) {
        return at(position - distance);
    }

    /// Hash of the last bytes.
    int hash(int count) {
        int hash = 0;
        for (int i = 1; i <= count; i++) {
            hash = (hash + last(i) + 1) * 0x2C1B3C6D;
            hash ^= hash >>> 15;
        }
        return hash;
    }

    /// How many of the bytes before a candidate agree with the last ones, up to a limit.
    int agreement(int candidate, int limit) {
        int agreed = 0;
        while (agreed < limit && agreed < candidate && at(candidate - 1 - agreed) == last(agreed + 1)) {
            agreed++;
        }
        return agreed;
    }
}
