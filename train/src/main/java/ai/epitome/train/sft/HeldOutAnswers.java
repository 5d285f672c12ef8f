package ai.epitome.train.sft;

import ai.epitome.model.transformer.Transformer;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.train.TokenLosses;
import ai.epitome.train.TrainingJob;
import ai.epitome.train.TrainingJob.Score;
import ai.epitome.train.data.Batch;
import ai.epitome.train.data.BatchStream;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;

/// What the held-out answers cost, each after the conversation before it: bits for each byte that the assistant says,
/// the ends of its turns included.
final class HeldOutAnswers implements TrainingJob.Evaluation, AutoCloseable {
    /// Rows that give a fair impression during a run.
    private static final int IMPRESSION = 64;

    private final TokenLosses losses;
    private final BatchStream rows;

    /// @param rows of held-out examples, one a batch
    HeldOutAnswers(Transformer model, Backend backend, BatchStream rows) {
        losses = new TokenLosses(model, backend);
        this.rows = rows;
    }

    @Override
    public Score score(boolean last, BooleanSupplier cancelled) {
        long count = last ? rows.rowsPerEpoch() : Math.min(IMPRESSION, rows.rowsPerEpoch());
        double nats = 0;
        long bytes = 0;
        long tokens = 0;
        for (long row = 0; row < count; row++) {
            if (cancelled.getAsBoolean()) {
                throw new CancellationException("scoring was cancelled");
            }
            Batch batch = rows.batch(row);
            for (float loss : losses.of(batch)) {
                nats += loss;
            }
            bytes += batch.bytes();
            tokens +=
                    Arrays.stream(batch.targets()).filter(target -> target >= 0).count();
        }
        SequencedMap<String, Double> measures = new LinkedHashMap<>();
        measures.put("loss", nats / Math.max(1, tokens));
        return new Score(nats / Math.log(2) / Math.max(1, bytes), bytes, count == rows.rowsPerEpoch(), measures);
    }

    @Override
    public void close() {
        losses.close();
    }
}
