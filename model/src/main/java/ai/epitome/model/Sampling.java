package ai.epitome.model;

/// How a token is chosen from the model's distribution. The restrictions apply in the order of the parameters, each to
/// what the one
/// before it left; temperature comes first.
///
/// @param temperature logits are divided by it; 0 always takes the likeliest token (the lowest id among equals)
/// @param topK only the k likeliest tokens; 0 for all
/// @param topP only the fewest likeliest tokens that together have at least this probability (nucleus, Holtzman et al.
/// 2019); 1 for all
/// @param minP only tokens at least this fraction as likely as the likeliest (Nguyen et al. 2024); 0 for all
/// @param seed the same seed gives the same tokens
public record Sampling(double temperature, int topK, double topP, double minP, long seed) {
    /// Always the likeliest token.
    public static final Sampling GREEDY = new Sampling(0, 0, 1, 0, 0);

    public Sampling {
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
    }

    /// The model's own distribution at `temperature`.
    public static Sampling ofTemperature(double temperature, long seed) {
        return new Sampling(temperature, 0, 1, 0, seed);
    }
}
