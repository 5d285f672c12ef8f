package ai.epitome.serve.account;

/// What a model's tokens cost, in millionths of the currency per million tokens.
///
/// @param inputMicros tokens of prompts that had to be computed
/// @param cachedMicros tokens of prompts that were known already
/// @param outputMicros generated tokens
/// @param trainingMicros tokens that a fine-tuning job of it is trained on
public record Price(long inputMicros, long cachedMicros, long outputMicros, long trainingMicros) {
    /// Of a model that is not in the table.
    public static final Price FREE = new Price(0, 0, 0, 0);
    /// A million of the currency for a million tokens: far from what overflows.
    private static final long MOST = 1_000_000_000_000L;

    public Price {
        for (long price : new long[] {inputMicros, cachedMicros, outputMicros, trainingMicros}) {
            if (price < 0 || price > MOST) {
                throw new IllegalArgumentException("the price of a million tokens must be between 0 and "
                        + Money.format(MOST) + ", not " + Money.format(price));
            }
        }
    }

    /// One whose fine-tuning is free.
    public Price(long inputMicros, long cachedMicros, long outputMicros) {
        this(inputMicros, cachedMicros, outputMicros, 0);
    }

    /// The exact cost of a fine-tuning job, in millionths of a millionth.
    public long trainingPico(long tokens) {
        return Math.multiplyExact(tokens, trainingMicros);
    }

    /// The exact cost, in millionths of a millionth.
    ///
    /// @param promptTokens of which `cachedTokens` were known already
    public long costPico(long promptTokens, long cachedTokens, long completionTokens) {
        long input = Math.multiplyExact(promptTokens - cachedTokens, inputMicros);
        long cached = Math.multiplyExact(cachedTokens, cachedMicros);
        return Math.addExact(Math.addExact(input, cached), Math.multiplyExact(completionTokens, outputMicros));
    }
}
