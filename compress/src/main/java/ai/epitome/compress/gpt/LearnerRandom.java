package ai.epitome.compress.gpt;

/// Random numbers that are the same in every release: a counter, scrambled (Steele, Lea and Flood 2014, figure 17). The
/// archive's format depends on them.
final class LearnerRandom {
    private long state;

    LearnerRandom(long seed) {
        state = seed;
    }

    private long nextLong() {
        state += 0x9E3779B97F4A7C15L;
        long z = (state ^ state >>> 30) * 0xBF58476D1CE4E5B9L;
        z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
        return z ^ z >>> 31;
    }

    /// Uniform in [0, 1), a multiple of 2^-53.
    double nextDouble() {
        return (nextLong() >>> 11) * 0x1p-53;
    }
}
