package ai.epitome.train;

import ai.epitome.model.transformer.Dropout;
import ai.epitome.model.transformer.Sequences;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.tensor.StepArena;
import ai.epitome.tensor.autograd.Tape;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.train.data.Batch;
import java.util.concurrent.locks.ReentrantLock;

/// What a model makes of batches that nothing is learned from, by the network and the loss that training
/// differentiates.
public final class TokenLosses implements AutoCloseable {
    private final Transformer model;
    private final Backend backend;
    private final StepArena arena = new StepArena();

    public TokenLosses(Transformer model, Backend backend) {
        this.model = model;
        this.backend = backend;
    }

    /// Nats of each token of `batch` that is learned, row by row, 0 for the others. Waits its turn at the workers.
    public float[] of(Batch batch) {
        ReentrantLock turn = backend.workers().turn();
        turn.lock();
        try {
            arena.reset();
            Tape tape = new Tape(backend, arena, false);
            Sequences tokens = new Sequences(batch.inputs(), batch.rows(), batch.segmentStarts());
            return tape.tokenLosses(model.hidden(tape, tokens, Dropout.NONE), model.head(), batch.targets())
                    .toFloats();
        } finally {
            turn.unlock();
        }
    }

    @Override
    public void close() {
        arena.close();
    }
}
