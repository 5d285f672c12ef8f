package ai.epitome.model.generation;

/// What makes tokens less likely that have come up already; negative values (below 1 for `repetition`) make them more
/// likely. See [Sampling] for the order.
///
/// @param repetition logits above 0 of tokens of the prompt and of the text so far are divided by it, others multiplied
/// (CTRL, Keskar et al. 2019, section 4.1); above 0 and at most 10, 1 for none
/// @param frequency subtracted from a token's logit once for each time that it has been generated (OpenAI's formula:
/// the prompt does not count); -2 to 2, 0 for none
/// @param presence subtracted once from the logit of a token that has been generated at all; -2 to 2, 0 for none
public record Penalties(double repetition, double frequency, double presence) {
    /// Nothing is penalised.
    public static final Penalties NONE = new Penalties(1, 0, 0);

    public Penalties {
        if (!(repetition > 0 && repetition <= 10)) {
            throw new IllegalArgumentException(
                    "the repetition penalty must be above 0 and at most 10 (1 for none), not " + repetition);
        }
        requirePenalty("frequency", frequency);
        requirePenalty("presence", presence);
    }

    private static void requirePenalty(String name, double value) {
        if (!(value >= -2 && value <= 2)) {
            throw new IllegalArgumentException(
                    "the %s penalty must be between -2 and 2 (0 for none), not %s".formatted(name, value));
        }
    }
}
