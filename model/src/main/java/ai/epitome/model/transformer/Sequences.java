package ai.epitome.model.transformer;

/// Tokens side by side for one forward pass: B sequences of T tokens, token t of sequence b at `b * T + t`.
///
/// @param ids (B, T) token ids
/// @param batch B
/// @param segmentStarts null, or (B, T): the index within its sequence at which each token's document
///     begins; a token sees nothing before it, and positions count from there
public record Sequences(int[] ids, int batch, int[] segmentStarts) {
    public Sequences {
        if (batch < 1 || ids.length == 0 || ids.length % batch != 0) {
            throw new IllegalArgumentException(
                    "%d tokens cannot be %d sequences of equal length".formatted(ids.length, batch));
        }
        if (segmentStarts != null && segmentStarts.length != ids.length) {
            throw new IllegalArgumentException(
                    "%d segment starts for %d tokens".formatted(segmentStarts.length, ids.length));
        }
    }

    /// Sequences of one document each.
    public Sequences(int[] ids, int batch) {
        this(ids, batch, null);
    }

    /// T.
    public int length() {
        return ids.length / batch;
    }

    /// (B, T): the position of each token within its document.
    int[] positions() {
        int[] positions = new int[ids.length];
        int length = length();
        for (int n = 0; n < positions.length; n++) {
            positions[n] = n % length - (segmentStarts == null ? 0 : segmentStarts[n]);
        }
        return positions;
    }
}
