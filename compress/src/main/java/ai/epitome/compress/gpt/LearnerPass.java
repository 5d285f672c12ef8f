package ai.epitome.compress.gpt;

import ai.epitome.tensor.exact.ExactKernels;
import ai.epitome.tensor.exact.PackedMatrix;
import ai.epitome.tensor.exact.PackedRows;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Forward and backward pass of a learner over a training window, in the `exact` profile, on one thread. Sums over rows
/// go through the rows in order.
///
/// N rows, the positions of the window, C channels, F hidden channels.
final class LearnerPass {
    private static final int CONTEXTS = LearnerHistory.CONTEXTS;

    private final LearnerShape shape;
    private final LearnerWeights weights;
    private final LearnerTable table;
    private final ExactKernels kernels;
    private final int count; // N
    private final int width; // C
    private final int hidden; // F
    private final float[] cosines;
    private final float[] sines;
    private final float[] negativeSines;

    private final List<Saved> saved = new ArrayList<>();
    private final NormRows last;
    private final float[] x; // (N, C)
    private final float[] branch; // (N, C)
    private final float[] logits; // (N, 256), then their gradient
    private final float[] dx; // (N, C) of the residual stream
    private final float[] dNormed; // (N, C)
    private final float[] dHeads; // (N, C)
    private final float[] dFused; // (N, 3C)
    private final float[] dHidden; // (N, F)
    private final PackedRows left = new PackedRows();
    private final PackedMatrix inputs; // (N, C)
    private final PackedMatrix wideInputs; // (N, F)

    /// What the way back reads of one block.
    private final class Saved {
        final NormRows attentionNorm = new NormRows();
        final NormRows mlpNorm = new NormRows();
        final float[] fused = rows(3 * width);
        final float[] heads = rows(width);
        final float[] up = rows(hidden);
        final float[] activated = rows(hidden);
        final LearnerAttention[] attention = new LearnerAttention[shape.heads()];

        Saved() {
            Arrays.setAll(attention, _ -> new LearnerAttention(kernels, shape.window(), shape.headDimension()));
        }
    }

    /// A normalisation's rows: `y = x r gain`.
    private final class NormRows {
        final float[] input = rows(width); // x r
        final float[] output = rows(width);
        final float[] factors = new float[count]; // r
    }

    LearnerPass(LearnerShape shape, LearnerWeights weights, LearnerTable table, ExactKernels kernels) {
        this.shape = shape;
        this.weights = weights;
        this.table = table;
        this.kernels = kernels;
        count = shape.window();
        width = shape.width();
        hidden = shape.hidden();
        float[][] rotations = ExactWeights.rotations(shape.config(), shape.window());
        cosines = rotations[0];
        sines = rotations[1];
        negativeSines = new float[sines.length];
        for (int i = 0; i < sines.length; i++) {
            negativeSines[i] = -sines[i];
        }
        for (int i = 0; i < shape.layers(); i++) {
            saved.add(new Saved());
        }
        last = new NormRows();
        x = rows(width);
        branch = rows(width);
        logits = rows(256);
        dx = rows(width);
        dNormed = rows(width);
        dHeads = rows(width);
        dFused = rows(3 * width);
        dHidden = rows(hidden);
        inputs = new PackedMatrix(count, width);
        wideInputs = new PackedMatrix(count, hidden);
    }

    private float[] rows(int columns) {
        return new float[PackedRows.padded(count) * columns];
    }

    /// Sets all gradients to those of the mean loss of the predictions that count and returns that loss in nats.
    ///
    /// @param ids (N) bytes read
    /// @param targets (N) bytes that follow
    /// @param rows (N, contexts) of the table, added to the embeddings
    double run(int[] ids, int[] targets, int[] rows) {
        for (int n = 0; n < count; n++) {
            System.arraycopy(weights.embedding.value, ids[n] * width, x, n * width, width);
            for (int i = n * CONTEXTS; i < (n + 1) * CONTEXTS; i++) {
                table.addTrained(rows[i], x, n * width);
            }
        }
        for (int i = 0; i < saved.size(); i++) {
            forward(weights.blocks.get(i), saved.get(i));
        }
        norm(weights.finalGain, last);
        product(last.output, width, weights.head.forward(), logits, 256);
        double loss = lossGradient(targets);

        backProduct(weights.head, logits, 256, last.output, inputs, dNormed);
        Arrays.fill(dx, 0f);
        normBack(weights.finalGain, last);
        for (int i = saved.size() - 1; i >= 0; i--) {
            backward(weights.blocks.get(i), saved.get(i));
        }
        Arrays.fill(weights.embedding.gradient, 0f);
        for (int n = 0; n < count; n++) {
            kernels.add(weights.embedding.gradient, ids[n] * width, dx, n * width, width);
        }
        return loss;
    }

    /// After [#run]: a step of the rows that it read, from `from` on.
    void updateRows(int[] rows, int from, float rate) {
        for (int i = from; i < rows.length; i++) {
            table.update(rows[i], dx, i / CONTEXTS * width, rate);
        }
    }

    private void forward(LearnerWeights.Block block, Saved s) {
        norm(block.attentionGain(), s.attentionNorm);
        product(s.attentionNorm.output, width, block.queryKeyValue().forward(), s.fused, 3 * width);
        turn(s.fused, sines);
        attention((head, at, to) -> s.attention[head].forward(s.fused, at, s.heads, to, width));
        product(s.heads, width, block.output().forward(), branch, width);
        kernels.add(x, 0, branch, 0, count * width);

        norm(block.mlpGain(), s.mlpNorm);
        product(s.mlpNorm.output, width, block.up().forward(), s.up, hidden);
        System.arraycopy(s.up, 0, s.activated, 0, count * hidden);
        kernels.reluSquared(s.activated, 0, count * hidden);
        product(s.activated, hidden, block.down().forward(), branch, width);
        kernels.add(x, 0, branch, 0, count * width);
    }

    private void backward(LearnerWeights.Block block, Saved s) {
        backProduct(block.down(), dx, width, s.activated, wideInputs, dHidden);
        for (int i = 0; i < count * hidden; i++) {
            dHidden[i] *= 2f * Math.max(s.up[i], 0f);
        }
        backProduct(block.up(), dHidden, hidden, s.mlpNorm.output, inputs, dNormed);
        normBack(block.mlpGain(), s.mlpNorm);

        backProduct(block.output(), dx, width, s.heads, inputs, dHeads);
        attention((head, at, to) -> s.attention[head].backward(s.fused, at, dHeads, to, width, dFused));
        turn(dFused, negativeSines);
        backProduct(block.queryKeyValue(), dFused, 3 * width, s.attentionNorm.output, inputs, dNormed);
        normBack(block.attentionGain(), s.attentionNorm);
    }

    /// `y = x W`.
    private void product(float[] source, int depth, PackedMatrix matrix, float[] target, int columns) {
        left.pack(source, 0, depth, count, depth);
        matrix.multiply(kernels, left, 0, matrix.panels(), target, columns);
    }

    /// `dW = dYᵀ X` and `dX = dY W`.
    private void backProduct(
            LearnedParameter weight, float[] dy, int out, float[] input, PackedMatrix packed, float[] dInput) {
        left.packTransposed(dy, 0, out, out, count);
        packed.pack(input, 0, weight.columns);
        packed.multiply(kernels, left, 0, packed.panels(), weight.gradient, weight.columns);
        product(dy, out, weight.backward(), dInput, weight.columns);
    }

    private void norm(LearnedParameter gain, NormRows rows) {
        for (int n = 0; n < count; n++) {
            int at = n * width;
            float factor = kernels.inverseRootMeanSquare(x, at, width, 1e-6f);
            rows.factors[n] = factor;
            kernels.scale(x, at, factor, rows.input, at, width);
            kernels.scale(x, at, factor, gain.value, rows.output, at, width);
        }
    }

    /// Adds to `dx` what `dNormed` says of the norm's input, and sets the gain's gradient:
    /// `dx += r (g - x̂ avg(g x̂))` with `g = dy gain` and `x̂ = x r`.
    private void normBack(LearnedParameter gain, NormRows rows) {
        Arrays.fill(gain.gradient, 0f);
        for (int n = 0; n < count; n++) {
            int at = n * width;
            for (int i = 0; i < width; i++) {
                gain.gradient[i] = Math.fma(dNormed[at + i], rows.input[at + i], gain.gradient[i]);
            }
        }
        for (int n = 0; n < count; n++) {
            int at = n * width;
            kernels.scale(dNormed, at, 1f, gain.value, dNormed, at, width);
            float along = kernels.dot(dNormed, at, rows.input, at, width) / width;
            float factor = rows.factors[n];
            for (int i = at; i < at + width; i++) {
                dx[i] = Math.fma(factor, Math.fma(-along, rows.input[i], dNormed[i]), dx[i]);
            }
        }
    }

    /// Turns queries and keys of all rows.
    private void turn(float[] fused, float[] direction) {
        int pairs = shape.headDimension() / 2;
        for (int n = 0; n < count; n++) {
            int angles = n * pairs;
            for (int head = 0; head < 2 * shape.heads(); head++) {
                int at = n * 3 * width + head * 2 * pairs;
                kernels.rotate(fused, at, cosines, direction, angles, pairs);
            }
        }
    }

    /// Work on one head, whose results begin at channel `channel`.
    @FunctionalInterface
    private interface Head {
        void run(int head, LearnerAttention.Place at, int channel);
    }

    private void attention(Head work) {
        for (int head = 0; head < shape.heads(); head++) {
            int channel = head * shape.headDimension();
            work.run(
                    head,
                    new LearnerAttention.Place(channel, channel + width, channel + 2 * width, 3 * width),
                    channel);
        }
    }

    /// `logits = (softmax(logits) - onehot(target)) / M` for the M rows that count, those of the newest
    /// segment: what a network has learned already would teach it to trust contexts that it knows by
    /// heart. The loss is for people and tests: nothing is coded by it.
    private double lossGradient(int[] targets) {
        double loss = 0;
        int skipped = shape.window() - shape.segment();
        int counted = count - skipped;
        Arrays.fill(logits, 0, skipped * 256, 0f);
        for (int n = skipped; n < count; n++) {
            int at = n * 256;
            float maximum = kernels.maximum(logits, at, 256);
            kernels.exponentials(logits, at, 256, 1f, maximum);
            float sum = kernels.sum(logits, at, 256);
            loss -= Math.log(logits[at + targets[n]] / sum);
            kernels.scale(logits, at, 1f / sum / counted, logits, at, 256);
            logits[at + targets[n]] -= 1f / counted;
        }
        return loss / counted;
    }
}
