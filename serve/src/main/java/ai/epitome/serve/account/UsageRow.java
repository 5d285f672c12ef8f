package ai.epitome.serve.account;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// What one request used, or a fine-tuning job. There is no text in it.
///
/// @param requestId as the answer's `x-request-id` tells it
/// @param at when it began
/// @param keyId empty for a request without a key
/// @param model empty when it ended before one was chosen
/// @param trainingTokens those that a job was trained on
/// @param status HTTP status; 499 when the client went away
/// @param costPico at the prices of its time, in millionths of a millionth of the currency
/// @param moderation what was found in its texts, as `input:hate=refuse`, without them
public record UsageRow(
        String requestId,
        Instant at,
        Optional<String> keyId,
        Optional<String> model,
        String route,
        long promptTokens,
        long cachedTokens,
        long completionTokens,
        long trainingTokens,
        int status,
        long durationMicros,
        long costPico,
        List<String> moderation) {

    public UsageRow {
        moderation = List.copyOf(moderation);
        if (promptTokens < 0
                || cachedTokens < 0
                || cachedTokens > promptTokens
                || completionTokens < 0
                || trainingTokens < 0) {
            throw new IllegalArgumentException("there are no negative tokens, and no more cached ones than prompt has: "
                    + promptTokens + ", " + cachedTokens + ", " + completionTokens + ", " + trainingTokens);
        }
    }

    /// One of a request, with nothing found in its texts.
    public UsageRow(
            String requestId,
            Instant at,
            Optional<String> keyId,
            Optional<String> model,
            String route,
            long promptTokens,
            long cachedTokens,
            long completionTokens,
            int status,
            long durationMicros,
            long costPico) {
        this(
                requestId,
                at,
                keyId,
                model,
                route,
                promptTokens,
                cachedTokens,
                completionTokens,
                0,
                status,
                durationMicros,
                costPico,
                List.of());
    }
}
