package ai.epitome.compress.gpt;

import ai.epitome.compress.BitPredictor;
import ai.epitome.compress.ByteDistribution;
import ai.epitome.compress.MalformedCodeException;
import ai.epitome.tensor.exact.ExactKernels;
import java.util.Arrays;
import java.util.OptionalInt;

/// What a trained model expects of the next byte, whatever its tokens are: each token is a walk along the tree of all
/// tokens' bytes. Before each byte but the first it is told whether the token ends where it could ([#mayEnd], [#end]).
/// The probabilities of these decisions and bytes multiply to that of the token, up to rounding, so nothing is lost by
/// the walk.
///
/// ```text
/// tokens " t" 3/8, " the" 4/8, " to" 1/8
///
/// " " 1 -> "t" 1 -> ends? 3/8
///                -> "h" 4/5 -> "e" 1, ends for certain
///                -> "o" 1/5, ends for certain
/// ```
final class TokenWalk implements ByteDistribution {
    private static final int BYTES = 256;

    private final SortedTokens tokens;
    private final ExactTransformer transformer;
    private final ExactKernels kernels;
    private final ExactSequence[] rows;
    private final Frequencies frequencies;
    /// The sums of the frequencies of all tokens before each.
    private final long[] before;
    /// Those that begin with the bytes so far, from `low` on; those from `longer` on go on after them.
    private int low;
    private int longer;
    private int high;
    private int depth;

    /// @param symbols of the model's ids those below this are predicted
    /// @param start the token that texts follow, or none: then all tokens are equally likely first
    TokenWalk(
            SortedTokens tokens,
            int symbols,
            ExactTransformer transformer,
            ExactSequence sequence,
            OptionalInt start,
            ExactKernels kernels) {
        this.tokens = tokens;
        this.transformer = transformer;
        this.kernels = kernels;
        rows = new ExactSequence[] {sequence};
        frequencies = new Frequencies(symbols);
        before = new long[tokens.size() + 1];
        start.ifPresent(this::read);
        restart();
    }

    private void read(int token) {
        transformer.makeRoom(rows);
        transformer.read(rows, new int[] {token}, 1);
        frequencies.set(kernels, transformer.logits(0, 1), 0);
    }

    private void restart() {
        for (int i = 0; i < tokens.size(); i++) {
            before[i + 1] = before[i] + frequencies.frequency(tokens.id(i));
        }
        low = 0;
        longer = 0;
        high = tokens.size();
        depth = 0;
    }

    @Override
    public void frequencies(int[] target) {
        long all = before[high] - before[longer];
        int left = TOTAL;
        int likeliest = 0;
        Arrays.fill(target, 1);
        for (int from = longer; from < high; ) {
            int value = tokens.at(from, depth);
            int to = tokens.find(from, high, depth, value + 1);
            target[value] += (int) share(before[to] - before[from], all, TOTAL - BYTES);
            likeliest = target[value] > target[likeliest] ? value : likeliest;
            from = to;
        }
        for (int frequency : target) {
            left -= frequency;
        }
        target[likeliest] += left;
    }

    /// @throws MalformedCodeException when no token goes on with this byte
    @Override
    public void append(int value) {
        low = tokens.find(longer, high, depth, value);
        high = tokens.find(low, high, depth, value + 1);
        if (low == high) {
            throw new MalformedCodeException(
                    "byte 0x%02x is in no token after the %d bytes before".formatted(value, depth));
        }
        depth++;
        longer = low;
        while (longer < high && tokens.length(longer) == depth) {
            longer++;
        }
    }

    /// Whether the bytes so far are a token.
    boolean mayEnd() {
        return low < longer;
    }

    /// Whether they are the beginning of no other.
    boolean mustEnd() {
        return longer == high;
    }

    /// How likely the token ends here, where it may but need not.
    int endProbability() {
        long twice = share(before[longer] - before[low], before[high] - before[low], 2 * BitPredictor.ONE);
        return Math.clamp((twice + 1) / 2, 1, BitPredictor.ONE - 1);
    }

    /// `part / all` of `total`, 2^30 at most, rounded down; shares of parts of `all` add up to `total` at most.
    private static long share(long part, long all, int total) {
        int shift = Math.max(0, 33 - Long.numberOfLeadingZeros(all)); // what is left has 31 bits
        return (part >>> shift) * total / (all >>> shift);
    }

    /// The token ends here: the model reads it.
    ///
    /// @throws MalformedCodeException when the bytes so far are no token
    void end() {
        if (!mayEnd()) {
            throw new MalformedCodeException("a text that ends within a token, after %d bytes".formatted(depth));
        }
        read(tokens.id(low));
        restart();
    }
}
