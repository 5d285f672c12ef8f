package ai.epitome.model.generation;

import ai.epitome.model.constraint.automaton.Guide;
import ai.epitome.model.constraint.automaton.TokenVocabulary;
import ai.epitome.model.transformer.SplitMix64;
import ai.epitome.tensor.exact.ExactKernels;
import java.util.Arrays;
import java.util.function.Supplier;

/// Draws the tokens of one sequence as a [Sampling] says, which tells the order of the steps. The same seed
/// and the same logits give the same tokens, on every machine and whatever else is generated beside them.
/// Not thread-safe: one sequence's sampler, called once a token, since it remembers what it drew.
///
/// For a vocabulary of 128,000 nothing is sorted but the few candidates that may be drawn ([Ranking]).
public final class Sampler {
    private static final ExactKernels KERNELS = ExactKernels.best();
    /// Weights are summed, and logits compared, by blocks of so many: a draw looks into one block only.
    private static final int BLOCK = 1024;
    /// Colder than this is the same: neighbouring floats are then e^-8 and less of each other.
    private static final double COLDEST = 1e-8;
    /// Hotter than this is the same: all tokens but those of -infinity are equally likely.
    private static final double HOTTEST = 1e30;

    private final Sampling sampling;
    private final SplitMix64 random;
    /// Null where nothing is penalised.
    private final TokenHistory history;
    /// Null where every token may follow.
    private final Guide guide;
    /// Tokens that may still be drawn, for the guide.
    private int left;
    /// Scores, then weights, of the step.
    private float[] work = {};

    public Sampler(Sampling sampling) {
        this(sampling, new int[0]);
    }

    /// @param prompt the sequence so far, for the repetition penalty
    public Sampler(Sampling sampling, int[] prompt) {
        this(sampling, prompt, Integer.MAX_VALUE, null);
    }

    /// @param request what the tokens are drawn for
    /// @param vocabulary the model's tokens, asked for when the request has a constraint
    public Sampler(GenerationRequest request, Supplier<TokenVocabulary> vocabulary) {
        this(
                request.sampling(),
                request.prompt(),
                request.maxTokens(),
                request.constraint()
                        .map(constraint -> constraint.guide(vocabulary.get()))
                        .orElse(null));
    }

    private Sampler(Sampling sampling, int[] prompt, int maxTokens, Guide guide) {
        this.sampling = sampling;
        this.random = new SplitMix64(sampling.seed());
        this.history =
                sampling.penalties().equals(Penalties.NONE) ? null : new TokenHistory(sampling.penalties(), prompt);
        this.left = maxTokens;
        this.guide = guide;
    }

    /// Whether nothing can follow: the text is what its constraint wants, and no longer one would be.
    public boolean isFinished() {
        return guide != null && guide.isFinished();
    }

    /// The next token after logits (V), which stay as they are. One number is drawn for each call unless the
    /// temperature is 0.
    ///
    /// @throws IllegalArgumentException when a logit is NaN or infinite, or all that may be taken are
    /// -infinity
    /// @throws ai.epitome.model.constraint.grammar.ConstraintException when no token can go on as the constraint
    /// wants it
    public int sample(float[] logits) {
        int best = argmax(logits); // a broken model is told as such, not as a constraint that leaves nothing
        float[] scores = scores(logits);
        best = scores == logits ? best : argmax(scores);
        int token = sampling.temperature() == 0 ? best : draw(scores, best);
        if (history != null) {
            history.add(token, logits.length);
        }
        if (guide != null) {
            guide.accept(token);
            left--;
        }
        return token;
    }

    /// The logits with penalties, bias and mask, in [#work] where there are any.
    private float[] scores(float[] logits) {
        if (history == null && sampling.logitBias().isEmpty() && guide == null) {
            return logits;
        }
        float[] scores = copy(logits);
        if (history != null) {
            history.penalise(scores);
        }
        sampling.logitBias().forEach((token, bias) -> {
            if (token >= scores.length) {
                throw new IllegalArgumentException(
                        "a logit bias for token %d: the model has ids 0 to %d".formatted(token, scores.length - 1));
            }
            scores[token] += bias.floatValue();
        });
        if (guide != null) {
            mask(scores, guide.allowed(left));
        }
        return scores;
    }

    private static void mask(float[] scores, long[] allowed) {
        for (int word = 0; word < allowed.length; word++) {
            int from = 64 * word;
            int to = Math.min(scores.length, from + 64);
            if (allowed[word] == 0) {
                Arrays.fill(scores, from, to, Float.NEGATIVE_INFINITY);
            } else if (allowed[word] != -1) {
                for (int id = from; id < to; id++) {
                    if ((allowed[word] >>> id & 1) == 0) {
                        scores[id] = Float.NEGATIVE_INFINITY;
                    }
                }
            }
        }
    }

    private float[] copy(float[] values) {
        if (work.length != values.length) {
            work = new float[values.length];
        }
        System.arraycopy(values, 0, work, 0, values.length);
        return work;
    }

    /// The id of the largest logit, the lowest among equals.
    static int argmax(float[] logits) {
        int best = -1;
        float largest = Float.NEGATIVE_INFINITY;
        for (int from = 0; from < logits.length; from += BLOCK) {
            int to = Math.min(logits.length, from + BLOCK);
            if (KERNELS.maximum(logits, from, to - from) <= largest) {
                continue; // but for a few blocks: none is larger, and all are numbers
            }
            for (int id = from; id < to; id++) {
                if (!(logits[id] <= largest)) {
                    if (!(logits[id] < Float.POSITIVE_INFINITY)) {
                        throw new IllegalArgumentException(
                                "the logit of token %d is %s: the model is broken".formatted(id, logits[id]));
                    }
                    best = id;
                    largest = logits[id];
                }
            }
        }
        if (best < 0) {
            throw new IllegalArgumentException(
                    "all %d logits are -infinity: no token can be taken".formatted(logits.length));
        }
        return best;
    }

    private int draw(float[] scores, int best) {
        double draw = random.nextDouble();
        float maximum = scores[best];
        float[] weights = scores == work ? work : copy(scores);
        KERNELS.subtract(weights, 0, maximum, weights.length);
        float scale = (float) (1 / Math.clamp(sampling.temperature(), COLDEST, HOTTEST));
        KERNELS.exponentials(weights, 0, weights.length, scale, 0);
        return sampling.restricts()
                ? new Candidates(weights).restrict(sampling).draw(draw)
                : drawInOrder(weights, draw);
    }

    private static int drawInOrder(float[] weights, double draw) {
        double[] sums = new double[(weights.length + BLOCK - 1) / BLOCK];
        double total = 0;
        for (int block = 0; block < sums.length; block++) {
            int from = block * BLOCK;
            sums[block] = KERNELS.sum(weights, from, Math.min(BLOCK, weights.length - from));
            total += sums[block];
        }
        double left = draw * total;
        int block = 0;
        while (block < sums.length - 1 && left >= sums[block]) {
            left -= sums[block++];
        }
        return drawInBlock(weights, block * BLOCK, left);
    }

    private static int drawInBlock(float[] weights, int from, double threshold) {
        int to = Math.min(weights.length, from + BLOCK);
        double sum = 0;
        int last = -1;
        for (int id = from; id < to; id++) {
            sum += weights[id];
            if (weights[id] > 0) {
                last = id;
                if (sum > threshold) {
                    return id;
                }
            }
        }
        // rounding left the threshold a hair above the sum
        return last >= 0 ? last : lastPositive(weights, from);
    }

    private static int lastPositive(float[] weights, int before) {
        int id = before - 1;
        while (id > 0 && weights[id] == 0) {
            id--;
        }
        return id;
    }
}
