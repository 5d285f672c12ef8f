package ai.epitome.model.generation;

import java.util.Map;

/// How a token is chosen from the model's distribution. The steps, in this order, each on what the one before left:
///
/// 1. the repetition penalty, then those of frequency and presence ([Penalties]);
/// 2. the bias of single tokens is added to their logits;
/// 3. a constraint, where there is one, takes out the tokens that it does not allow: no bias brings them back;
/// 4. at temperature 0 the likeliest token is taken, the lowest id among equals, and that is all;
/// 5. logits are divided by the temperature;
/// 6. top-k, 7. top-p, 8. min-p, 9. typical: probabilities are those among the tokens that are left;
/// 10. one of the tokens left is drawn.
///
/// Log-probabilities that are told of tokens are those of the model, before all this.
///
/// @param temperature logits are divided by it; 0 always takes the likeliest token
/// @param topK only the k likeliest tokens; 0 for all
/// @param topP only the fewest likeliest tokens that together have at least this probability (nucleus, Holtzman et al.
/// 2019); 1 for all
/// @param minP only tokens at least this fraction as likely as the likeliest (Nguyen et al. 2024); 0 for all
/// @param typical only the fewest tokens of the most usual surprise (the nearest to the entropy) that together have at
/// least this probability (locally typical, Meister et al. 2022); 1 for all
/// @param penalties for tokens that came up already
/// @param logitBias what is added to the logits of single tokens, by id: -100 to 100
/// @param seed the same seed gives the same tokens
public record Sampling(
        double temperature,
        int topK,
        double topP,
        double minP,
        double typical,
        Penalties penalties,
        Map<Integer, Double> logitBias,
        long seed) {
    /// Always the likeliest token.
    public static final Sampling GREEDY = new Sampling(0, 0, 1, 0, 0);

    public Sampling {
        logitBias = Map.copyOf(logitBias);
        if (!(temperature >= 0) || Double.isInfinite(temperature)) {
            throw new IllegalArgumentException("temperature must be 0 or more, not " + temperature);
        }
        if (topK < 0) {
            throw new IllegalArgumentException("top-k must be 0 (all) or more, not " + topK);
        }
        if (!(topP > 0 && topP <= 1)) {
            throw new IllegalArgumentException("top-p must be above 0 and at most 1, not " + topP);
        }
        if (!(minP >= 0 && minP <= 1)) {
            throw new IllegalArgumentException("min-p must be between 0 and 1, not " + minP);
        }
        if (!(typical > 0 && typical <= 1)) {
            throw new IllegalArgumentException("typical must be above 0 and at most 1, not " + typical);
        }
        logitBias.forEach(Sampling::requireBias);
    }

    /// Without penalties, bias and typical sampling.
    public Sampling(double temperature, int topK, double topP, double minP, long seed) {
        this(temperature, topK, topP, minP, 1, Penalties.NONE, Map.of(), seed);
    }

    private static void requireBias(int token, double bias) {
        if (token < 0) {
            throw new IllegalArgumentException("a logit bias is for a token's id, which is never " + token);
        }
        if (!(bias >= -100 && bias <= 100)) {
            throw new IllegalArgumentException(
                    "the logit bias of token %d must be between -100 and 100, not %s".formatted(token, bias));
        }
    }

    /// The model's own distribution at `temperature`.
    public static Sampling ofTemperature(double temperature, long seed) {
        return new Sampling(temperature, 0, 1, 0, seed);
    }

    /// The same with another seed.
    public Sampling withSeed(long other) {
        return new Sampling(temperature, topK, topP, minP, typical, penalties, logitBias, other);
    }

    /// Whether tokens beside those of the smallest probabilities may be left out.
    boolean restricts() {
        return topK > 0 || topP < 1 || minP > 0 || typical < 1;
    }
}
