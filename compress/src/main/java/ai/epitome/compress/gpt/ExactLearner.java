package ai.epitome.compress.gpt;

import ai.epitome.compress.ByteDistribution;
import ai.epitome.tensor.Workers;
import ai.epitome.tensor.exact.ExactKernels;
import java.util.Arrays;
import java.util.concurrent.Executor;

/// A small GPT that learns the bytes that it is told, and predicts the next one: no weights need to be kept, since
/// whoever tells it the same bytes gets the same network, bit for bit.
///
/// Contexts of the last bytes and words have embeddings of their own ([LearnerTable]), so that the network need not
/// find them first: of a short file it could not.
///
/// It predicts a segment of bytes one by one. Then it begins a step of training on the newest window of bytes, and
/// reads these again with the weights of the step before ([LearnerTraining]). Each byte is learned once, when the
/// newest segment is the end of a window: what was learned twice would look surer than it is.
///
/// ```text
/// bytes told:   ... | segment | segment | segment | segment | next segment ...
/// trained on:       [ newest window of 4 segments, say      ]
/// then read again:            [ 3 segments                  ] and the next one byte by byte
/// ```
public final class ExactLearner implements ByteDistribution {
    private static final int BYTES = 256;

    private final LearnerShape shape;
    private final LearnerTraining training;
    private final LearnerTable table;
    private final ExactKernels kernels;
    private final ExactTransformer transformer;
    private final ExactSequence[] sequence = new ExactSequence[ExactTransformer.MOST_ROWS];
    private final int[] tokens = new int[ExactTransformer.MOST_ROWS];
    private final int[] rows = new int[ExactTransformer.MOST_ROWS * LearnerHistory.CONTEXTS];
    private Frequencies frequencies = new Frequencies(BYTES); // equal ones until something is known
    private final LearnerHistory history;

    /// A learner of the size that suits `bytes` bytes.
    ///
    /// @param executor runs a step of training at a time; on another thread, it takes half of the time
    public ExactLearner(long bytes, Executor executor, ExactKernels kernels) {
        this(LearnerShape.numbered(LearnerShape.number(bytes)), executor, kernels);
    }

    ExactLearner(LearnerShape shape, Executor executor, ExactKernels kernels) {
        this.shape = shape;
        this.kernels = kernels;
        history = new LearnerHistory(shape.rowBits());
        table = new LearnerTable(1 << shape.rowBits(), shape.width(), kernels);
        LearnerWeights weights = new LearnerWeights(shape);
        training = new LearnerTraining(shape, weights, table, kernels, executor);
        int context = shape.config().context();
        transformer = new ExactTransformer(shape.config(), context, weights.exact(shape), new Workers(1), kernels);
        Arrays.fill(sequence, transformer.newSequence());
    }

    @Override
    public void frequencies(int[] target) {
        frequencies.scaled(target);
    }

    @Override
    public void append(int value) {
        history.append(value);
        long length = history.length();
        if (length % shape.segment() == 0 && length > shape.window()) {
            training.finish();
            training.start(history);
            sequence[0].clear();
            read(length - (shape.window() - shape.segment()));
        } else {
            read(length - 1);
        }
    }

    /// Reads the bytes from `from` on and predicts the one after them.
    private void read(long from) {
        for (long start = from; start < history.length(); ) {
            int count = (int) Math.min(ExactTransformer.MOST_ROWS, history.length() - start);
            for (int i = 0; i < count; i++) {
                tokens[i] = history.at(start + i);
                history.contexts(start + i, rows, i * LearnerHistory.CONTEXTS);
            }
            transformer.read(sequence, tokens, count, this::addRows);
            start += count;
            if (start == history.length()) {
                predict(transformer.logits(count - 1, count));
            }
        }
    }

    /// Bytes that drive the weights beyond all bounds are not known, but there may be some: they must come back too.
    private void predict(float[] logits) {
        if (Float.isFinite(kernels.maximum(logits, 0, BYTES))) {
            frequencies.set(kernels, logits, 0);
        } else {
            frequencies = new Frequencies(BYTES);
        }
    }

    private void addRows(int row, float[] x, int at) {
        for (int i = row * LearnerHistory.CONTEXTS; i < (row + 1) * LearnerHistory.CONTEXTS; i++) {
            table.addPublished(rows[i], x, at);
        }
    }
}
