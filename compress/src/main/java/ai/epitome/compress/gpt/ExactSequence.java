package ai.epitome.compress.gpt;

import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.tensor.exact.ExactKernels;
import ai.epitome.tensor.exact.PackedMatrix;
import java.util.Arrays;

/// One sequence that an [ExactTransformer] reads: its tokens, and their keys and values in every layer, laid out as the
/// right operands of the two products of attention.
///
/// ```text
/// keys of a head:    panels of 32 positions: channel 0: positions 0 .. 31 | channel 1: ...
/// values of a head:  panels of 32 channels: position 0: channels 0 .. 31 | position 1: ...
/// ```
public final class ExactSequence {
    private final int capacity; // a multiple of 32
    private final int dimension;
    private final int paddedDimension;
    private final float[][] keys; // of each layer: (K, capacity, D)
    private final float[][] values; // (K, padded D, capacity)
    private final int[] tokens;
    private int length;

    ExactSequence(TransformerConfig config, int context) {
        capacity = PackedMatrix.padded(context);
        dimension = config.headDimension();
        paddedDimension = PackedMatrix.padded(dimension);
        keys = new float[config.layers()][config.keyValueHeads() * capacity * dimension];
        values = new float[config.layers()][config.keyValueHeads() * capacity * paddedDimension];
        tokens = new int[context];
    }

    /// Bytes that a sequence takes.
    static long bytes(TransformerConfig config, int context) {
        long channels = config.headDimension() + PackedMatrix.padded(config.headDimension());
        return 4L * config.layers() * config.keyValueHeads() * PackedMatrix.padded(context) * channels;
    }

    /// Tokens that the next prediction sees.
    public int length() {
        return length;
    }

    /// Forgets everything.
    public void clear() {
        length = 0;
    }

    boolean isFull() {
        return length == tokens.length;
    }

    /// The newest `count` tokens.
    int[] newest(int count) {
        return Arrays.copyOfRange(tokens, length - count, length);
    }

    void append(int token) {
        tokens[length++] = token;
    }

    /// Keeps key and value of a position.
    void store(int layer, int head, int position, float[] row, int keyFrom, int valueFrom) {
        float[] k = keys[layer];
        int at = keyPlace(head, position / ExactKernels.COLUMNS) + position % ExactKernels.COLUMNS;
        for (int i = 0; i < dimension; i++) {
            k[at + i * ExactKernels.COLUMNS] = row[keyFrom + i];
        }
        for (int i = 0; i < dimension; i += ExactKernels.COLUMNS) {
            int count = Math.min(ExactKernels.COLUMNS, dimension - i);
            int to = valuePlace(head, position) + i / ExactKernels.COLUMNS * valuePanel();
            System.arraycopy(row, valueFrom + i, values[layer], to, count);
        }
    }

    float[] keys(int layer) {
        return keys[layer];
    }

    float[] values(int layer) {
        return values[layer];
    }

    /// Where a panel of 32 positions begins.
    int keyPlace(int head, int panel) {
        return head * capacity * dimension + panel * keyPanel();
    }

    int keyPanel() {
        return dimension * ExactKernels.COLUMNS;
    }

    /// Where a position's first 32 channels begin.
    int valuePlace(int head, int position) {
        return head * capacity * paddedDimension + position * ExactKernels.COLUMNS;
    }

    int valuePanel() {
        return capacity * ExactKernels.COLUMNS;
    }
}
