package ai.epitome.train.sft;

import ai.epitome.model.transformer.Transformer;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.autograd.Parameter;
import java.util.Random;

/// Room for control tokens that a model did not know: rows behind its embeddings, and behind its head.
///
/// A new row is the mean of all old ones, so that the new token is about as likely as any other (Hewitt 2021,
/// "Initializing new word embeddings for pretrained language models"), and a little noise, so that no two are the same.
final class GrownVocabulary {
    /// Rows are a multiple of this: products work on blocks of rows.
    private static final int BLOCK = 64;
    private static final double NOISE = 0.1;

    private GrownVocabulary() {}

    /// `model` itself where it has as many rows as `tokens`, or else a larger copy; `model` is closed then.
    static Transformer of(Transformer model, int tokens, long seed) {
        int old = model.config().vocabulary();
        if (tokens <= old) {
            return model;
        }
        int rows = Math.ceilDiv(tokens, BLOCK) * BLOCK;
        Transformer grown = new Transformer(model.config().with(c -> c.vocabulary = rows));
        Random random = new Random(seed);
        for (int i = 0; i < model.parameters().size(); i++) {
            Tensor from = model.parameters().get(i).value();
            Parameter to = grown.parameters().get(i);
            Tensor.of(to.value().data(), from.dtype(), from.shape()).data().copyFrom(from.data());
            boolean table = model.parameters().get(i) == model.embedding()
                    || model.parameters().get(i) == model.head();
            if (table) {
                fill(to.value(), old, random);
            }
            to.changed();
        }
        model.close();
        return grown;
    }

    /// Gives rows from `old` on the mean of those before, and noise of a tenth of their deviation.
    private static void fill(Tensor table, int old, Random random) {
        int width = table.columns();
        for (int column = 0; column < width; column++) {
            double sum = 0;
            double squares = 0;
            for (int row = 0; row < old; row++) {
                double value = table.get((long) row * width + column);
                sum += value;
                squares += value * value;
            }
            double mean = sum / old;
            double deviation = Math.sqrt(Math.max(0, squares / old - mean * mean));
            for (int row = old; row < table.rows(); row++) {
                double value = mean + NOISE * deviation * random.nextGaussian();
                table.set((long) row * width + column, (float) value);
            }
        }
    }
}
