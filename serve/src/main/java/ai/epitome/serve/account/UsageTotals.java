package ai.epitome.serve.account;

import java.util.Optional;

/// Sums of usage rows, of one key and model.
///
/// @param keyId empty for requests without a key
/// @param keyName likewise
/// @param model empty for requests that ended before one was chosen
/// @param requests fine-tuning jobs, too
/// @param failed requests with a status of 400 or more, those whose client went away included
/// @param trainingTokens those that jobs were trained on
public record UsageTotals(
        Optional<String> keyId,
        Optional<String> keyName,
        Optional<String> model,
        long requests,
        long failed,
        long promptTokens,
        long cachedTokens,
        long completionTokens,
        long trainingTokens,
        long costPico) {

    private static final long PICO_PER_MICRO = 1_000_000;

    /// The cost in millionths, rounded half up: the only rounding between a token and a bill.
    public long costMicros() {
        return Math.floorDiv(Math.addExact(costPico, PICO_PER_MICRO / 2), PICO_PER_MICRO);
    }
}
