package ai.epitome.train.pretrain;

import ai.epitome.model.Scorer;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.train.TrainingJob;
import ai.epitome.train.TrainingJob.Score;
import ai.epitome.train.data.TokenShards;
import java.util.OptionalInt;
import java.util.function.BooleanSupplier;

/// Held-out bits per byte: the held-out tokens as one stream from its beginning, each scored once with context carried
/// over.
final class HeldOutScore implements TrainingJob.Evaluation, AutoCloseable {
    /// Tokens that give a fair impression during a run.
    private static final int IMPRESSION = 1 << 17;
    /// At most this many are scored at the end, and the score says so: a corpus of gigabytes must not be measured for
    /// hours.
    private static final int MOST = 8 << 20;

    private final Scorer scorer;
    private final TokenShards heldOut;
    private final int impression;
    private final int most;

    HeldOutScore(Transformer model, Backend backend, TokenShards heldOut) {
        this(model, backend, heldOut, IMPRESSION, MOST);
    }

    /// @param impression tokens that are scored during a run
    /// @param most tokens that are scored at its end
    HeldOutScore(Transformer model, Backend backend, TokenShards heldOut, int impression, int most) {
        OptionalInt start = heldOut.table().endOfText();
        this.scorer = new Scorer(model, backend, start);
        this.heldOut = heldOut;
        this.impression = impression;
        this.most = most;
    }

    @Override
    public Score score(boolean last, BooleanSupplier cancelled) {
        // Documents begin with the end-of-text token where there is one; the scorer takes the first for granted.
        long first = heldOut.table().endOfText().isPresent() ? 1 : 0;
        long all = heldOut.tokens() - first;
        int count = (int) Math.min(all, last ? most : impression);
        int[] ids = heldOut.read(first, count);
        long bytes = 0;
        int[] lengths = heldOut.table().byteLengths();
        for (int id : ids) {
            bytes += lengths[id];
        }
        return new Score(scorer.score(ids, bytes, cancelled).bitsPerByte(), bytes, count == all);
    }

    @Override
    public void close() {
        scorer.close();
    }
}
