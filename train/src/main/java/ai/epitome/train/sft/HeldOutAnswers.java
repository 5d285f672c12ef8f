package ai.epitome.train.sft;

import ai.epitome.model.Dropout;
import ai.epitome.model.Sequences;
import ai.epitome.model.Transformer;
import ai.epitome.tensor.Backend;
import ai.epitome.tensor.StepArena;
import ai.epitome.tensor.Tape;
import ai.epitome.train.TrainingJob;
import ai.epitome.train.TrainingJob.Score;
import ai.epitome.train.data.Batch;
import ai.epitome.train.data.BatchStream;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import java.util.concurrent.CancellationException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;

/// What the held-out answers cost, each after the conversation before it: bits for each byte that the assistant says,
/// the ends of its turns included.
final class HeldOutAnswers implements TrainingJob.Evaluation, AutoCloseable {
    /// Rows that give a fair impression during a run.
    private static final int IMPRESSION = 64;

    private final Transformer model;
    private final Backend backend;
    private final BatchStream rows;
    private final StepArena arena = new StepArena();

    /// @param rows of held-out examples, one a batch
    HeldOutAnswers(Transformer model, Backend backend, BatchStream rows) {
        this.model = model;
        this.backend = backend;
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
            nats += nats(batch);
            bytes += batch.bytes();
            tokens +=
                    Arrays.stream(batch.targets()).filter(target -> target >= 0).count();
        }
        SequencedMap<String, Double> measures = new LinkedHashMap<>();
        measures.put("loss", nats / Math.max(1, tokens));
        return new Score(nats / Math.log(2) / Math.max(1, bytes), bytes, count == rows.rowsPerEpoch(), measures);
    }

    private double nats(Batch batch) {
        ReentrantLock turn = backend.workers().turn();
        turn.lock();
        try {
            arena.reset();
            Tape tape = new Tape(backend, arena, false);
            Sequences tokens = new Sequences(batch.inputs(), batch.rows(), batch.segmentStarts());
            float[] losses = tape.tokenLosses(model.hidden(tape, tokens, Dropout.NONE), model.head(), batch.targets())
                    .toFloats();
            double sum = 0;
            for (float loss : losses) {
                sum += loss;
            }
            return sum;
        } finally {
            turn.unlock();
        }
    }

    @Override
    public void close() {
        arena.close();
    }
}
