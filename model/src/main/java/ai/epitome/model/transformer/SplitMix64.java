package ai.epitome.model.transformer;

/// A small random number generator whose numbers depend on its seed alone, on every machine and in every release: a
/// counter, scrambled (Steele, Lea and Flood 2014, figure 17).
public final class SplitMix64 {
    private static final long STEP = 0x9E3779B97F4A7C15L;

    private long state;

    public SplitMix64(long seed) {
        state = seed;
    }

    long nextLong() {
        state += STEP;
        return mix(state);
    }

    /// Uniform in [0, 1), a multiple of 2^-53.
    public double nextDouble() {
        return (nextLong() >>> 11) * 0x1p-53;
    }

    /// A generator of its own for part `index` of what this one's state stands for; this one does not move.
    SplitMix64 split(long index) {
        return new SplitMix64(mix(mix(state + STEP) ^ mix(index + STEP)));
    }

    private static long mix(long z) {
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
