package ai.epitome.train.pretrain;

import ai.epitome.model.Scorer;
import ai.epitome.model.Transformer;
import ai.epitome.tensor.Backend;
import ai.epitome.train.TrainingJob;
import ai.epitome.train.data.TokenShards;
import java.util.OptionalInt;

/// Held-out bits per byte: all of the held-out tokens as one stream, each scored once with context carried over.
final class HeldOutScore implements TrainingJob.Evaluation, AutoCloseable {
    /// Tokens that give a fair impression during a run.
    private static final int IMPRESSION = 1 << 17;
    /// At most this many are scored at the end; a corpus of gigabytes must not be measured for hours.
    private static final int MOST = 8 << 20;

    private final Scorer scorer;
    private final TokenShards heldOut;

    HeldOutScore(Transformer model, Backend backend, TokenShards heldOut) {
        OptionalInt start = heldOut.table().endOfText();
        this.scorer = new Scorer(model, backend, start);
        this.heldOut = heldOut;
    }

    @Override
    public double bitsPerByte(boolean whole) {
        // Documents begin with the end-of-text token where there is one; the scorer takes the first for granted.
        long first = heldOut.table().endOfText().isPresent() ? 1 : 0;
        int count = (int) Math.min(heldOut.tokens() - first, whole ? MOST : IMPRESSION);
        int[] ids = heldOut.read(first, count);
        long bytes = 0;
        int[] lengths = heldOut.table().byteLengths();
        for (int id : ids) {
            bytes += lengths[id];
        }
        return scorer.score(ids, bytes).bitsPerByte();
    }

    @Override
    public void close() {
        scorer.close();
    }
}
