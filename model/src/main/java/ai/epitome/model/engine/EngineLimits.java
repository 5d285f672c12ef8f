package ai.epitome.model.engine;

import ai.epitome.tensor.attention.KeyValueFormat;
import java.util.Optional;

/// What an engine may take.
///
/// @param cacheBytes memory for keys and values, of sequences under way and of those that may be found again; at least
/// one full context is always allowed. It is taken from the system as it is needed.
/// @param format how keys and values are held; empty for what loses nothing
/// @param sequences sequences that are read at once; others wait
/// @param stepTokens tokens of one pass: the more, the faster prompts are read
/// @param sharedStepTokens tokens of one pass while other sequences are being continued, which wait for it
/// @param speculation when continuations that the text itself suggests are checked several tokens at a time
public record EngineLimits(
        long cacheBytes,
        Optional<KeyValueFormat> format,
        int sequences,
        int stepTokens,
        int sharedStepTokens,
        Speculation speculation) {
    /// When several tokens are guessed and checked at once.
    public enum Speculation {
        NEVER,
        /// Where products give a row the same bits in any company: then the text is the same to the last token.
        WHERE_UNCHANGED,
        /// Also where rounding may differ with the number of rows.
        ALWAYS
    }

    /// 1 GiB, 32 sequences, 512 tokens a pass and 128 beside others.
    public static final EngineLimits DEFAULT =
            new EngineLimits(1L << 30, Optional.empty(), 32, 512, 128, Speculation.WHERE_UNCHANGED);

    public EngineLimits {
        if (cacheBytes < 0 || sequences < 1 || sharedStepTokens < 1 || stepTokens < sharedStepTokens) {
            throw new IllegalArgumentException("the limits of an engine must be positive, and a pass of its own no"
                    + " smaller than one beside others: " + sequences + " sequences, " + stepTokens + " and "
                    + sharedStepTokens + " tokens");
        }
    }

    /// These limits with so many bytes for keys and values.
    public EngineLimits withCacheBytes(long bytes) {
        return new EngineLimits(bytes, format, sequences, stepTokens, sharedStepTokens, speculation);
    }

    /// These limits with keys and values held in a format.
    public EngineLimits withFormat(KeyValueFormat newFormat) {
        return new EngineLimits(
                cacheBytes, Optional.of(newFormat), sequences, stepTokens, sharedStepTokens, speculation);
    }

    /// These limits with so many sequences at once.
    public EngineLimits withSequences(int count) {
        return new EngineLimits(cacheBytes, format, count, stepTokens, sharedStepTokens, speculation);
    }

    /// @param alone tokens of a pass that has no other sequences beside it
    /// @param shared tokens of one that has; at most `alone`
    public EngineLimits withStepTokens(int alone, int shared) {
        return new EngineLimits(cacheBytes, format, sequences, alone, shared, speculation);
    }

    /// These limits with several tokens guessed and checked at once, or not.
    public EngineLimits withSpeculation(Speculation newSpeculation) {
        return new EngineLimits(cacheBytes, format, sequences, stepTokens, sharedStepTokens, newSpeculation);
    }
}
