package ai.epitome.train.data;

/// A pseudo-random bijection of `0 .. size-1` that needs no memory: a Feistel network over the next larger even power
/// of two, walked until it falls below `size` (Black and Rogaway, "Ciphers with Arbitrary Finite Domains", 2002,
/// section 3, "cycle-walking"). At most four steps are walked on average, since the domain is less than 4 x `size`.
public final class Permutation {
    // Four rounds make a Feistel network pseudo-random (Luby and Rackoff, 1988); two more cost nothing here.
    private static final int ROUNDS = 6;

    private final long size;
    private final int halfBits;
    private final long[] keys = new long[ROUNDS];

    /// The bijection of `size` numbers that belongs to a seed and an epoch.
    ///
    /// @param size how many numbers, from 1 to 2^62
    public Permutation(long size, long seed, long epoch) {
        if (size < 1 || size > 1L << 62) {
            throw new IllegalArgumentException("a permutation needs 1 to 2^62 numbers, not " + size);
        }
        this.size = size;
        int bits = 64 - Long.numberOfLeadingZeros(size - 1);
        this.halfBits = Math.max(1, (bits + 1) / 2);
        long key = mix(seed) ^ mix(~epoch);
        for (int round = 0; round < ROUNDS; round++) {
            key = mix(key + round);
            keys[round] = key;
        }
    }

    /// Where `index` goes.
    public long apply(long index) {
        if (index < 0 || index >= size) {
            throw new IndexOutOfBoundsException("index " + index + " of a permutation of " + size);
        }
        long value = index;
        do {
            value = encrypt(value);
        } while (value >= size);
        return value;
    }

    private long encrypt(long value) {
        long mask = (1L << halfBits) - 1;
        long left = value >>> halfBits;
        long right = value & mask;
        for (long key : keys) {
            long next = left ^ (mix(right + key) & mask);
            left = right;
            right = next;
        }
        return left << halfBits | right;
    }

    /// The finaliser of SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014).
    static long mix(long value) {
        long z = value + 0x9e3779b97f4a7c15L;
        z = (z ^ z >>> 30) * 0xbf58476d1ce4e5b9L;
        z = (z ^ z >>> 27) * 0x94d049bb133111ebL;
        return z ^ z >>> 31;
    }
}
