package ai.epitome.compress.gpt;

import ai.epitome.compress.gpt.ExactWeights.Block;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.tensor.Scratch;
import ai.epitome.tensor.exact.ExactKernels;
import ai.epitome.tensor.exact.PackedMatrix;
import ai.epitome.tensor.exact.PackedRows;
import java.util.Arrays;

/// Attention in the `exact` profile. Scores are chains over the channels of a head, results chains over the positions
/// in view, in ascending order.
///
/// Rows of one sequence that follow each other are looked up together, [ExactKernels#ROWS] at a time, as products. A
/// position that one of them does not see has weight 0 there, which leaves its chain as it is.
final class ExactAttention {
    private final TransformerConfig config;
    private final ExactWeights weights;
    private final ExactKernels kernels;
    private final int dimension;
    private final int perGroup; // heads that share keys and values
    private final float scale;

    ExactAttention(TransformerConfig config, ExactWeights weights, ExactKernels kernels) {
        this.config = config;
        this.weights = weights;
        this.kernels = kernels;
        dimension = config.headDimension();
        perGroup = config.heads() / config.keyValueHeads();
        scale = 1f / (float) Math.sqrt(dimension);
    }

    /// Normalises and turns queries and keys of a row, which begins at `from`, and keeps keys and values.
    void prepare(ExactSequence sequence, int layer, int position, float[] row, int from) {
        Block block = weights.blocks().get(layer);
        for (int head = 0; head < config.heads(); head++) {
            prepare(row, from + head * dimension, block.queryGain(), position);
        }
        for (int group = 0; group < config.keyValueHeads(); group++) {
            int key = from + (config.heads() + group) * dimension;
            int value = key + config.keyValueHeads() * dimension;
            prepare(row, key, block.keyGain(), position);
            sequence.store(layer, group, position, row, key, value);
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

    /// Rows of an array, `stride` apart.
    record Rows(float[] values, int from, int stride) {
        int row(int index) {
            return from + index * stride;
        }
    }

    /// Writes what the heads of one group see from `count` positions of a sequence, [ExactKernels#ROWS] at most.
    ///
    /// @param position the first of them
    /// @param fused their prepared queries
    /// @param heads for the results
    void look(
            ExactSequence sequence,
            int layer,
            int group,
            int position,
            int count,
            Rows fused,
            Rows heads,
            Scratch scratch) {
        View view = new View(sequence, layer, group, position, count);
        for (int head = group * perGroup; head < (group + 1) * perGroup; head++) {
            if (count == 1) {
                one(
                        view,
                        fused.values,
                        fused.from + head * dimension,
                        heads.values,
                        heads.from + head * dimension,
                        scratch);
            } else {
                several(view, fused, heads, head * dimension, scratch);
            }
        }
    }

    /// Keys and values that `count` positions see.
    private final class View {
        private final float[] keys;
        private final float[] values;
        private final int position;
        private final int count;
        private final int low; // the first position that any of them sees
        private final int firstPanel;
        private final int panels;
        private final int keyFrom;
        private final int keyPanel;
        private final int valueFrom;
        private final int valuePanel;

        View(ExactSequence sequence, int layer, int group, int position, int count) {
            keys = sequence.keys(layer);
            values = sequence.values(layer);
            this.position = position;
            this.count = count;
            low = low(0);
            firstPanel = low / ExactKernels.COLUMNS;
            panels = (position + count - 1) / ExactKernels.COLUMNS + 1 - firstPanel;
            keyFrom = sequence.keyPlace(group, firstPanel);
            keyPanel = sequence.keyPanel();
            valueFrom = sequence.valuePlace(group, low);
            valuePanel = sequence.valuePanel();
        }

        /// The first position that row `row` sees.
        int low(int row) {
            return Math.max(0, position + row - config.window() + 1);
        }

        /// Positions that any of them sees.
        int span() {
            return position + count - low;
        }

        /// Where the scores of position [#low] lie in a row of panels.
        int begin() {
            return low - firstPanel * ExactKernels.COLUMNS;
        }
    }

    private void one(View view, float[] row, int query, float[] heads, int to, Scratch scratch) {
        float[] scores = scratch.floats(0, view.panels * ExactKernels.COLUMNS);
        kernels.row(dimension, row, query, view.keys, view.keyFrom, view.keyPanel, view.panels, scores, 0);
        float sum = weigh(scores, view.begin(), view.span());
        int valuePanels = PackedMatrix.panels(dimension);
        float[] result = scratch.floats(1, valuePanels * ExactKernels.COLUMNS);
        kernels.row(
                view.span(),
                scores,
                view.begin(),
                view.values,
                view.valueFrom,
                view.valuePanel,
                valuePanels,
                result,
                0);
        kernels.scale(result, 0, 1f / sum, heads, to, dimension);
    }

    /// Turns scores into weights and returns their sum.
    private float weigh(float[] scores, int from, int count) {
        float maximum = kernels.maximum(scores, from, count);
        kernels.exponentials(scores, from, count, scale, maximum * scale);
        return kernels.sum(scores, from, count);
    }

    private void several(View view, Rows fused, Rows heads, int channel, Scratch scratch) {
        int rows = view.count <= ExactKernels.FEW_ROWS ? ExactKernels.FEW_ROWS : ExactKernels.ROWS;
        int stride = view.panels * ExactKernels.COLUMNS;
        float[] packed = scratch.floats(2, rows * Math.max(dimension, view.span()));
        float[] scores = scratch.floats(0, rows * stride);
        PackedRows.pack(fused.values, fused.from + channel, fused.stride, view.count, dimension, packed, 0, rows);
        multiply(rows, dimension, packed, view.keys, view.keyFrom, view.keyPanel, view.panels, scores);

        float[] sums = new float[view.count];
        for (int row = 0; row < view.count; row++) {
            int before = view.low(row) - view.low;
            int seen = view.position + row + 1 - view.low(row);
            int from = row * stride + view.begin();
            sums[row] = weigh(scores, from + before, seen);
            Arrays.fill(scores, from, from + before, 0f);
            Arrays.fill(scores, from + before + seen, from + view.span(), 0f);
        }
        PackedRows.pack(scores, view.begin(), stride, view.count, view.span(), packed, 0, rows);
        int valuePanels = PackedMatrix.panels(dimension);
        int width = valuePanels * ExactKernels.COLUMNS;
        float[] results = scratch.floats(1, rows * width);
        multiply(rows, view.span(), packed, view.values, view.valueFrom, view.valuePanel, valuePanels, results);
        for (int row = 0; row < view.count; row++) {
            kernels.scale(results, row * width, 1f / sums[row], heads.values, heads.row(row) + channel, dimension);
        }
    }

    /// A panel of packed rows times panels of columns that begin `panelStride` apart.
    private void multiply(
            int rows, int depth, float[] packed, float[] columns, int from, int panelStride, int panels, float[] to) {
        for (int panel = 0; panel < panels; panel++) {
            int begin = from + panel * panelStride;
            int column = panel * ExactKernels.COLUMNS;
            int stride = panels * ExactKernels.COLUMNS;
            if (rows == ExactKernels.ROWS) {
                kernels.tile(depth, packed, 0, columns, begin, to, column, stride);
            } else {
                kernels.smallTile(depth, packed, 0, columns, begin, to, column, stride);
            }
        }
    }
}
