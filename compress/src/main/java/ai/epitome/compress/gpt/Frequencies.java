package ai.epitome.compress.gpt;

import ai.epitome.compress.ByteDistribution;
import ai.epitome.tensor.exact.ExactKernels;
import java.util.Arrays;

/// Integer frequencies of the symbols that may come next, made from logits by rules that give the same integers on
/// every machine:
///
/// `f(i) = 1 + floor(2^30 exp(logit(i) - max))`, by the exact kernels.
///
/// So each symbol has at least 1, and the ones cost `n / 2^30` of n symbols at most, less than 10^-6 bits for bytes:
/// little also where each symbol is nearly certain. The total lies above 2^30 and is whatever it is.
final class Frequencies {
    /// Sums are kept of as many symbols, so that neither half of a sum of integers leaves an integer.
    private static final int GROUP = 256;

    private final int[] quantised; // frequencies less 1
    private final long[] sums; // of the frequencies of each group
    private long total;

    /// Of equal symbols.
    ///
    /// @param symbols how many there are, 2^20 at most
    Frequencies(int symbols) {
        if (symbols < 1 || symbols > 1 << 20) {
            throw new IllegalArgumentException("%,d symbols, expected 1 to %,d".formatted(symbols, 1 << 20));
        }
        quantised = new int[symbols];
        sums = new long[(symbols + GROUP - 1) / GROUP];
        Arrays.fill(quantised, 1 << 20);
        sum();
    }

    /// Takes the logits that begin at `from`.
    void set(ExactKernels kernels, float[] logits, int from) {
        int count = quantised.length;
        float maximum = kernels.maximum(logits, from, count);
        if (!Float.isFinite(maximum)) {
            throw new IllegalStateException("the model's largest logit is " + maximum + ": it cannot predict");
        }
        kernels.quantisedExponentials(logits, from, count, maximum, quantised);
        sum();
    }

    private void sum() {
        total = 0;
        for (int group = 0; group < sums.length; group++) {
            int from = group * GROUP;
            int to = Math.min(quantised.length, from + GROUP);
            sums[group] = to - from + sum(quantised, from, to);
            total += sums[group];
        }
    }

    /// In two halves, since integers are added many at a time.
    private static long sum(int[] values, int from, int to) {
        int low = 0;
        int high = 0;
        for (int i = from; i < to; i++) {
            low += values[i] & 0xffff;
            high += values[i] >>> 16;
        }
        return low + ((long) high << 16);
    }

    /// The sum of all frequencies.
    long total() {
        return total;
    }

    int frequency(int symbol) {
        return quantised[symbol] + 1;
    }

    /// The frequencies of all symbols before this one.
    long cumulative(int symbol) {
        int group = symbol / GROUP;
        int from = group * GROUP;
        long before = symbol - from + sum(quantised, from, symbol);
        for (int i = 0; i < group; i++) {
            before += sums[i];
        }
        return before;
    }

    /// The symbol whose part holds `target`, which is below the total.
    int find(long target) {
        long rest = target;
        int group = 0;
        while (rest >= sums[group]) {
            rest -= sums[group++];
        }
        int symbol = group * GROUP;
        while (rest >= frequency(symbol)) {
            rest -= frequency(symbol++);
        }
        return symbol;
    }

    /// Writes frequencies whose sum is [ByteDistribution#TOTAL]: `1 + floor((f(i) - 1) (TOTAL - n) / sum)`, the
    /// quotient rounded down a little, in double precision. The likeliest, the first of several, gets what is left.
    void scaled(int[] target) {
        int count = quantised.length;
        // 1 - 2^-50 outweighs all roundings: the sum stays within the total
        double factor = (ByteDistribution.TOTAL - count) / (double) (total - count) * (1 - 0x1p-50);
        int left = ByteDistribution.TOTAL;
        int likeliest = 0;
        for (int i = 0; i < count; i++) {
            target[i] = 1 + (int) (quantised[i] * factor);
            left -= target[i];
            likeliest = quantised[i] > quantised[likeliest] ? i : likeliest;
        }
        target[likeliest] += left;
    }

    /// All of them, less 1; not to be changed.
    int[] quantised() {
        return quantised;
    }
}
