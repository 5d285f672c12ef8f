package ai.epitome.compress.gpt;

import ai.epitome.tensor.exact.ExactKernels;

/// Integer frequencies of the symbols that may come next, made from logits by rules that give the same integers on
/// every machine:
///
/// 1. `q(i) = floor(2^30 exp(logit(i) - max))`, by the exact kernels; `Q` their sum, an integer.
/// 2. `f(i) = 1 + floor(q(i) (total - n) / Q)` for n symbols, the quotient rounded down a little, in double precision.
/// 3. The likeliest symbol, the first of several, gets what is left of the total.
///
/// So each symbol has at least 1, and the ones cost `n / total`, less than 10^-6 bits for bytes: little also where each
/// symbol
/// is nearly certain.
final class Frequencies {
    /// Frequencies sum up to two to the power of this.
    static final int TOTAL_BITS = 30;

    private static final int TOTAL = 1 << TOTAL_BITS;

    private final int[] quantised;
    private final int[] values;

    /// @param symbols how many there are, 2^20 at most
    Frequencies(int symbols) {
        if (symbols < 1 || symbols > 1 << 20) {
            throw new IllegalArgumentException("%,d symbols, expected 1 to %,d".formatted(symbols, 1 << 20));
        }
        quantised = new int[symbols];
        values = new int[symbols];
    }

    /// Takes the logits that begin at `from`.
    void set(ExactKernels kernels, float[] logits, int from) {
        int count = values.length;
        float maximum = kernels.maximum(logits, from, count);
        if (!Float.isFinite(maximum)) {
            throw new IllegalStateException("the model's largest logit is " + maximum + ": it cannot predict");
        }
        kernels.quantisedExponentials(logits, from, count, maximum, quantised);
        long sum = 0;
        for (int q : quantised) {
            sum += q;
        }
        // 1 - 2^-50 outweighs all roundings: the frequencies' sum stays within the total
        double factor = (TOTAL - count) / (double) sum * (1 - 0x1p-50);
        int left = TOTAL;
        int likeliest = 0;
        for (int i = 0; i < count; i++) {
            int frequency = 1 + (int) (quantised[i] * factor);
            values[i] = frequency;
            left -= frequency;
            likeliest = quantised[i] > quantised[likeliest] ? i : likeliest;
        }
        values[likeliest] += left;
    }

    /// Makes all symbols equally likely.
    void setUniform() {
        java.util.Arrays.fill(values, TOTAL / values.length);
        values[0] += TOTAL % values.length;
    }

    int frequency(int symbol) {
        return values[symbol];
    }

    /// The frequencies of all symbols before this one.
    int cumulative(int symbol) {
        int sum = 0;
        for (int i = 0; i < symbol; i++) {
            sum += values[i];
        }
        return sum;
    }

    /// The symbol whose part holds `target`, which is below the total.
    int find(int target) {
        int symbol = 0;
        int rest = target;
        while (rest >= values[symbol]) {
            rest -= values[symbol++];
        }
        return symbol;
    }

    /// All of them; not to be changed.
    int[] values() {
        return values;
    }
}
