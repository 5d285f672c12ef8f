package ai.epitome.compress.gpt;

import ai.epitome.compress.gpt.ExactWeights.Block;
import ai.epitome.model.TransformerConfig;
import ai.epitome.tensor.Scratch;
import ai.epitome.tensor.exact.ExactKernels;
import ai.epitome.tensor.exact.PackedMatrix;

/// Attention of one row in the `exact` profile. Scores are chains over the channels of a head, results chains over the
/// positions in view, in ascending order.
final class ExactAttention {
    private final TransformerConfig config;
    private final ExactWeights weights;
    private final ExactKernels kernels;
    private final int dimension;
    private final float scale;

    ExactAttention(TransformerConfig config, ExactWeights weights, ExactKernels kernels) {
        this.config = config;
        this.weights = weights;
        this.kernels = kernels;
        dimension = config.headDimension();
        scale = 1f / (float) Math.sqrt(dimension);
    }

    /// Normalises and turns queries and key of one key-value head, keeps key and value, and writes what the heads of
    /// its group see, from `rowFrom` of the fused rows to `to` of `heads`.
    void attend(
            ExactSequence sequence,
            int layer,
            int group,
            int position,
            float[] row,
            int rowFrom,
            float[] heads,
            int to,
            Scratch scratch) {
        Block block = weights.blocks().get(layer);
        int keys = rowFrom + (config.heads() + group) * dimension;
        int values = keys + config.keyValueHeads() * dimension;
        prepare(row, keys, block.keyGain(), position);
        sequence.store(layer, group, position, row, keys, values);
        int perGroup = config.heads() / config.keyValueHeads();
        for (int head = group * perGroup; head < (group + 1) * perGroup; head++) {
            int query = rowFrom + head * dimension;
            prepare(row, query, block.queryGain(), position);
            look(sequence, layer, group, position, row, query, heads, to + head * dimension, scratch);
        }
    }

    private void prepare(float[] row, int from, float[] gain, int position) {
        if (gain != null) {
            float factor = kernels.inverseRootMeanSquare(row, from, dimension, config.normEpsilon());
            kernels.scale(row, from, factor, gain, row, from, dimension);
        }
        if (weights.cosines() != null) {
            int pairs = dimension / 2;
            kernels.rotate(row, from, weights.cosines(), weights.sines(), position * pairs, pairs);
        }
    }

    private void look(
            ExactSequence sequence,
            int layer,
            int group,
            int position,
            float[] row,
            int query,
            float[] heads,
            int to,
            Scratch scratch) {
        int low = Math.max(0, position - config.window() + 1);
        int count = position - low + 1;
        int firstPanel = low / ExactKernels.COLUMNS;
        int panels = position / ExactKernels.COLUMNS + 1 - firstPanel;
        float[] scores = scratch.floats(0, panels * ExactKernels.COLUMNS);
        int keyFrom = sequence.keyPlace(group, firstPanel);
        kernels.row(dimension, row, query, sequence.keys(layer), keyFrom, sequence.keyPanel(), panels, scores, 0);

        int first = low - firstPanel * ExactKernels.COLUMNS;
        float maximum = kernels.maximum(scores, first, count);
        kernels.exponentials(scores, first, count, scale, maximum * scale);
        float sum = kernels.sum(scores, first, count);

        int valuePanels = PackedMatrix.panels(dimension);
        float[] result = scratch.floats(1, valuePanels * ExactKernels.COLUMNS);
        int valueFrom = sequence.valuePlace(group, low);
        kernels.row(
                count, scores, first, sequence.values(layer), valueFrom, sequence.valuePanel(), valuePanels, result, 0);
        kernels.scale(result, 0, 1f / sum, heads, to, dimension);
    }
}
