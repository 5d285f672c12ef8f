package ai.epitome.train.preference;

import ai.epitome.model.transformer.Dropout;
import ai.epitome.model.transformer.Sequences;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.tensor.StepArena;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.autograd.Tape;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.train.Objective;
import ai.epitome.train.data.Batch;
import ai.epitome.train.preference.PairLoss.LogProbabilities;
import java.util.List;

/// The loss of direct preference optimisation: the mean over the pairs of a batch of [PairLoss#dpo].
final class DirectPreference implements Objective, AutoCloseable {
    /// What a run is about.
    ///
    /// @param beta how dear it is to leave the reference
    /// @param smoothing how often a label is taken to be wrong
    record Terms(double beta, double smoothing) {
        PairLoss loss(LogProbabilities policy, LogProbabilities reference) {
            return PairLoss.dpo(policy, reference, beta, smoothing);
        }
    }

    private final Transformer model;
    private final Terms terms;
    private final List<LogProbabilities> reference;
    private final Backend backend;
    private final float dropout;
    private final int accumulation;
    private final StepArena arena = new StepArena();

    /// @param reference of the pairs that batches name
    /// @param accumulation batches of a step
    DirectPreference(
            Transformer model,
            Terms terms,
            List<LogProbabilities> reference,
            Backend backend,
            float dropout,
            int accumulation) {
        this.model = model;
        this.terms = terms;
        this.reference = reference;
        this.backend = backend;
        this.dropout = dropout;
        this.accumulation = accumulation;
    }

    /// @param weight of a token, which does not matter here: every pair counts alike
    /// @return the mean loss of a pair, times the tokens: the trainer divides by them
    @Override
    public double accumulate(Batch batch, float weight, long seed) {
        arena.reset();
        Tape tape = new Tape(backend, arena, true);
        Sequences tokens = new Sequences(batch.inputs(), batch.rows(), batch.segmentStarts());
        Tensor hidden = model.hidden(tape, tokens, new Dropout(dropout, seed));
        Tensor losses = tape.tokenLosses(hidden, model.head(), batch.targets()); // (N), nats
        float[] values = losses.toFloats();
        float[] weights = new float[values.length];
        int length = batch.length();
        int pairs = batch.rows() / 2;
        double sum = 0;
        for (int row = 0; row < batch.rows(); row += 2) {
            LogProbabilities policy = new LogProbabilities(
                    -SequenceLogProbabilities.sum(values, row, length),
                    -SequenceLogProbabilities.sum(values, row + 1, length));
            PairLoss loss = terms.loss(policy, reference.get(batch.records()[row]));
            sum += loss.loss();
            // A token's loss is its log-probability, negated.
            fill(weights, batch, row, -loss.chosen() / pairs / accumulation);
            fill(weights, batch, row + 1, -loss.rejected() / pairs / accumulation);
        }
        tape.backward(tape.weightedSum(losses, weights));
        return sum / pairs * batch.targetCount();
    }

    private static void fill(float[] weights, Batch batch, int row, double weight) {
        for (int n = row * batch.length(); n < (row + 1) * batch.length(); n++) {
            weights[n] = batch.targets()[n] == Batch.NO_TARGET ? 0 : (float) weight;
        }
    }

    @Override
    public void close() {
        arena.close();
    }
}
