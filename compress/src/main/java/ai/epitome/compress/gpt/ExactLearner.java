package ai.epitome.compress.gpt;

import ai.epitome.compress.ByteDistribution;
import ai.epitome.tensor.Workers;
import ai.epitome.tensor.exact.ExactKernels;
import java.util.Arrays;

/// A small GPT that learns the bytes that it is told, and predicts the next one: no weights need to be kept, since
/// whoever tells it the same bytes gets the same network, bit for bit.
///
/// It predicts a segment of bytes one by one. Then it takes one step of Adam on the newest window of bytes and on some
/// older ones drawn at random (replay makes more of a file's beginning than a single pass would), and reads the newest
/// bytes again with the new weights before it goes on.
///
/// ```text
/// bytes told:   ... | segment | segment | segment | segment | next segment ...
/// trained on:       [ newest window of 4 segments, say      ]
/// then read again:            [ 3 segments                  ] and the next one byte by byte
/// ```
public final class ExactLearner implements ByteDistribution {
    private static final int BYTES = 256;
    private static final int WARM_UP = 50;
    /// Steps after which the rate falls with the square root of time.
    private static final int STEADY = 2_000;

    private final LearnerShape shape;
    private final LearnerWeights weights;
    private final LearnerPass pass;
    private final ExactKernels kernels;
    private final ExactTransformer transformer;
    private final ExactSequence[] sequence = new ExactSequence[ExactTransformer.MOST_ROWS];
    private final Frequencies frequencies = new Frequencies(BYTES);
    private final LearnedParameter.Corrections corrections = new LearnedParameter.Corrections();
    private final LearnerRandom random = new LearnerRandom(2);
    private byte[] history = new byte[1 << 16];
    private int length;
    private int steps;

    /// A learner of the size that suits `bytes` bytes.
    public ExactLearner(long bytes, Workers workers, ExactKernels kernels) {
        this(LearnerShape.of(bytes), workers, kernels);
    }

    ExactLearner(LearnerShape shape, Workers workers, ExactKernels kernels) {
        this.shape = shape;
        this.kernels = kernels;
        weights = new LearnerWeights(shape);
        pass = new LearnerPass(shape, weights, workers, kernels);
        int context = shape.config().context();
        transformer = new ExactTransformer(shape.config(), context, weights.exact(shape), workers, kernels);
        Arrays.fill(sequence, transformer.newSequence());
    }

    @Override
    public void frequencies(int[] target) {
        frequencies.scaled(target);
    }

    @Override
    public void append(int value) {
        if (length == history.length) {
            history = Arrays.copyOf(history, 2 * length);
        }
        history[length++] = (byte) value;
        if (length % shape.segment() == 0 && length > shape.window()) {
            learn();
            sequence[0].clear();
            read(length - (shape.window() - shape.segment()));
        } else {
            read(length - 1);
        }
    }

    /// Reads the bytes from `from` on and predicts the one after them.
    private void read(int from) {
        for (int start = from; start < length; ) {
            int count = Math.min(ExactTransformer.MOST_ROWS, length - start);
            int[] tokens = new int[count];
            for (int i = 0; i < count; i++) {
                tokens[i] = history[start + i] & 0xff;
            }
            transformer.read(sequence, tokens, count);
            start += count;
            if (start == length) {
                frequencies.set(kernels, transformer.logits(count - 1, count), 0);
            }
        }
    }

    private void learn() {
        int window = shape.window();
        int[] ids = new int[shape.windows() * window];
        int[] targets = new int[ids.length];
        for (int w = 0; w < shape.windows(); w++) {
            int newest = length - window - 1;
            int from = w == 0 ? newest : random.nextInt(newest + 1);
            for (int i = 0; i < window; i++) {
                ids[w * window + i] = history[from + i] & 0xff;
                targets[w * window + i] = history[from + i + 1] & 0xff;
            }
        }
        pass.run(ids, targets);
        steps++;
        corrections.step();
        float rate = rate();
        for (LearnedParameter parameter : weights.all()) {
            parameter.update(rate, corrections.first(), corrections.second());
        }
        weights.pack();
    }

    private float rate() {
        if (steps < WARM_UP) {
            return shape.rate() * steps / WARM_UP;
        }
        return steps < STEADY ? shape.rate() : shape.rate() * (float) Math.sqrt((double) STEADY / steps);
    }
}
