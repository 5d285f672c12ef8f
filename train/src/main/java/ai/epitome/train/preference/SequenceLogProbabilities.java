package ai.epitome.train.preference;

import ai.epitome.model.transformer.Transformer;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.train.TokenLosses;
import ai.epitome.train.data.Batch;
import ai.epitome.train.data.CorpusException;
import ai.epitome.train.data.Example;
import ai.epitome.train.data.RecordBatches;
import ai.epitome.train.data.TokenTable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;

/// What a model gives the learned tokens of each example: the sum of their log-probabilities, given what stands before
/// them. The network and the loss are those that training differentiates and that sampling reads.
public final class SequenceLogProbabilities implements AutoCloseable {
    /// Tokens that are computed side by side.
    private static final int TOKENS_AT_ONCE = 8192;

    private final TokenLosses model;
    private final TokenTable table;

    /// @param table of the model's tokenizer
    public SequenceLogProbabilities(Transformer model, Backend backend, TokenTable table) {
        this.model = new TokenLosses(model, backend);
        this.table = table;
    }

    /// Nats, 0 or less, one for each example.
    public double[] of(List<Example> examples) {
        return of(examples, () -> false);
    }

    /// The same, unless `cancelled`, which is asked every few thousand tokens.
    ///
    /// @throws CancellationException when it was cancelled
    public double[] of(List<Example> examples, BooleanSupplier cancelled) {
        double[] sums = new double[examples.size()];
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < sums.length; i++) {
            order.add(i);
        }
        order.sort(Comparator.comparingInt(i -> examples.get(i).tokens().length)); // stable; little filler
        for (int from = 0; from < order.size(); ) {
            if (cancelled.getAsBoolean()) {
                throw new CancellationException("scoring was cancelled");
            }
            int to = from + 1;
            while (to < order.size()
                    && (to + 1 - from) * examples.get(order.get(to)).tokens().length <= TOKENS_AT_ONCE) {
                to++;
            }
            score(examples, order.subList(from, to), sums);
            from = to;
        }
        return sums;
    }

    private void score(List<Example> examples, List<Integer> chosen, double[] sums) {
        Batch batch;
        try {
            List<List<Example>> records =
                    chosen.stream().map(i -> List.of(examples.get(i))).toList();
            batch = new RecordBatches(records, table, 0, 1).inOrder(0, records.size());
        } catch (CorpusException e) {
            throw new IllegalStateException(e);
        }
        float[] losses = model.of(batch);
        for (int row = 0; row < batch.rows(); row++) {
            sums[chosen.get(row)] = -sum(losses, row, batch.length());
        }
    }

    /// The losses of a row, in order.
    static double sum(float[] losses, int row, int length) {
        double sum = 0;
        for (int t = 0; t < length; t++) {
            sum += losses[row * length + t];
        }
        return sum;
    }

    @Override
    public void close() {
        model.close();
    }
}
