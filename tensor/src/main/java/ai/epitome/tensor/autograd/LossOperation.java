package ai.epitome.tensor.autograd;

import ai.epitome.tensor.DType;
import ai.epitome.tensor.Elementwise;
import ai.epitome.tensor.Rows;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.VectorMath;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.tensor.block.BlockMatrix;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// The last linear layer, softmax and negative log-likelihood in one operation.
///
/// Logits are made for a few rows at a time, so that a large vocabulary needs no (N, V) memory. Where one chunk
/// holds all rows its logits are kept for the way back and turned into their own gradient in place; otherwise the
/// way back makes each chunk again, at the price of one product more. There are never two copies of the logits.
///
/// Where it is known beforehand how the losses will be weighed, each chunk becomes its gradient at once, while it is
/// near, and no product is done twice ([#weighedLosses]).
final class LossOperation {
    private static final VectorSpecies<Float> FLOATS = VectorMath.FLOATS;
    private static final int LANES = FLOATS.length();
    /// Bytes of f32 logits that may exist at once.
    private static final long CHUNK_BYTES = 32L << 20;

    private LossOperation() {}

    /// What the way back needs to know about the way forward.
    private record Head(Tensor hidden, Tensor input, Parameter weight, int[] targets, Tensor logSumExp, int chunk) {}

    /// @param hidden (N, C)
    /// @param weight (V, C)
    /// @param targets N token ids; -1 for a row that costs nothing
    /// @return (N) f32: `-log softmax(hidden · Wᵀ)[target]` in nats, 0 where the target is -1
    static Tensor tokenLosses(Tape tape, Tensor hidden, Parameter weight, int[] targets) {
        int rows = hidden.rows();
        int vocabulary = weight.shape()[0];
        check(targets, rows, vocabulary);
        int chunk = Math.clamp(CHUNK_BYTES / 4 / vocabulary, 1, rows);
        Tensor losses = tape.allocate(DType.F32, rows);
        Tensor input = LinearOperation.inCompute(tape, hidden);
        Head head = new Head(hidden, input, weight, targets, tape.allocate(DType.F32, rows), chunk);
        Tensor logits = tape.allocate(DType.F32, chunk, vocabulary);
        for (int from = 0; from < rows; from += chunk) {
            Tensor part = chunkLogits(tape, head, logits, from);
            measure(tape, head, part, from, losses);
        }
        boolean kept = chunk == rows;
        if (!kept || !tape.recording()) {
            tape.arena().release(logits);
        }
        tape.record(
                losses,
                hidden.requiresGradient() || weight.trainable(),
                () -> backward(tape, head, losses.gradient(), kept ? logits : null));
        return losses;
    }

    /// The same losses, with the gradients of `hidden` and `weight` made along the way, for a step that sums up the
    /// losses with these `weights` and goes back from there, once.
    ///
    /// @param weights N factors; the way back insists on them
    static Tensor weighedLosses(Tape tape, Tensor hidden, Parameter weight, int[] targets, float[] weights) {
        if (weights.length != hidden.rows()) {
            throw new IllegalArgumentException("%d weights for %d rows".formatted(weights.length, hidden.rows()));
        }
        if (!tape.recording()) {
            return tokenLosses(tape, hidden, weight, targets);
        }
        int rows = hidden.rows();
        int vocabulary = weight.shape()[0];
        check(targets, rows, vocabulary);
        DType compute = tape.backend().compute();
        int chunk = Math.clamp(CHUNK_BYTES / 4 / vocabulary, 1, rows);
        Tensor losses = tape.allocate(DType.F32, rows);
        Tensor input = LinearOperation.inCompute(tape, hidden);
        Head head = new Head(hidden, input, weight, targets, null, chunk);
        Tensor logits = tape.allocate(DType.F32, chunk, vocabulary);
        Tensor gradients = compute == DType.F32 ? logits : tape.allocate(compute, chunk, vocabulary);
        boolean accumulate = hidden.gradient() != null;
        Tensor dHidden = hidden.requiresGradient() ? tape.gradientOf(hidden) : null;
        Tensor w = dHidden == null ? null : LinearOperation.onTheWayBack(tape, weight);
        for (int from = 0; from < rows; from += chunk) {
            Tensor part = chunkLogits(tape, head, logits, from);
            Tensor dLogits = gradients.slice(0, part.rows());
            measureAndDifferentiate(tape, head, part, from, losses, weights, dLogits);
            chunkBackward(tape, head, dLogits, from, w, dHidden, accumulate);
        }
        release(tape, head, w);
        LinearOperation.releaseCopy(tape, gradients, logits);
        tape.arena().release(logits);
        LinearOperation.releaseCopy(tape, input, hidden);
        tape.record(losses, hidden.requiresGradient() || weight.trainable(), () -> insist(weights, losses.gradient()));
        return losses;
    }

    private static void insist(float[] announced, Tensor dLosses) {
        float[] actual = dLosses.toFloats();
        int at = java.util.Arrays.mismatch(announced, actual);
        if (at >= 0) {
            throw new IllegalStateException("loss %d was announced with weight %s, but its gradient is %s"
                    .formatted(at, announced[at], actual[at]));
        }
    }

    private static Tensor chunkLogits(Tape tape, Head head, Tensor memory, int from) {
        Backend backend = tape.backend();
        int to = Math.min(head.input.rows(), from + head.chunk);
        Tensor part = memory.slice(0, to - from);
        BlockMatrix blocks = head.weight.blocks();
        if (blocks != null) {
            backend.blocks().multiply(head.input.slice(from, to), blocks, null, part, backend.workers());
            return part;
        }
        Tensor w = head.weight.in(backend.compute(), backend.workers());
        backend.multiply(head.input.matrix().rows(from, to), w.matrix().transpose(), part.matrix(), false);
        return part;
    }

    private static void measure(Tape tape, Head head, Tensor logits, int from, Tensor losses) {
        int vocabulary = logits.columns();
        tape.backend().workers().rows(logits.rows(), 4, (first, last, scratch) -> {
            float[] row = scratch.floats(0, vocabulary);
            for (int n = first; n < last; n++) {
                int target = head.targets[from + n];
                float loss = 0f;
                if (target >= 0) {
                    Rows.load(logits, (long) n * vocabulary, row, vocabulary);
                    float picked = row[target];
                    float maximum = RowKernels.maximum(row, vocabulary);
                    float logSum = maximum + (float) Math.log(sumOfExponentials(row, maximum, vocabulary));
                    head.logSumExp.data().setAtIndex(Tensor.FLOAT, from + n, logSum);
                    loss = logSum - picked;
                }
                losses.data().setAtIndex(Tensor.FLOAT, from + n, loss);
            }
        });
    }

    /// Losses of a chunk, and `(softmax - onehot(target)) * weight` in `dLogits`, which may be the logits themselves.
    private static void measureAndDifferentiate(
            Tape tape, Head head, Tensor logits, int from, Tensor losses, float[] weights, Tensor dLogits) {
        int vocabulary = logits.columns();
        tape.backend().workers().rows(logits.rows(), 4, (first, last, scratch) -> {
            float[] row = scratch.floats(0, vocabulary);
            for (int n = first; n < last; n++) {
                int target = head.targets[from + n];
                float weight = weights[from + n];
                float loss = 0f;
                if (target < 0) {
                    java.util.Arrays.fill(row, 0, vocabulary, 0f);
                } else {
                    Rows.load(logits, (long) n * vocabulary, row, vocabulary);
                    float picked = row[target];
                    float maximum = RowKernels.maximum(row, vocabulary);
                    double sum = exponentials(row, maximum, vocabulary);
                    loss = maximum + (float) Math.log(sum) - picked;
                    Elementwise.scale(row, (float) (weight / sum), vocabulary);
                    row[target] -= weight;
                }
                losses.data().setAtIndex(Tensor.FLOAT, from + n, loss);
                Rows.store(row, dLogits, (long) n * vocabulary, vocabulary);
            }
        });
    }

    private static void backward(Tape tape, Head head, Tensor dLosses, Tensor kept) {
        int rows = head.input.rows();
        int vocabulary = head.weight.shape()[0];
        Tensor memory = kept != null ? kept : tape.allocate(DType.F32, head.chunk, vocabulary);
        boolean accumulate = head.hidden.gradient() != null;
        Tensor dHidden = head.hidden.requiresGradient() ? tape.gradientOf(head.hidden) : null;
        Tensor w = dHidden == null ? null : LinearOperation.onTheWayBack(tape, head.weight);
        for (int from = 0; from < rows; from += head.chunk) {
            Tensor part = kept != null ? kept : chunkLogits(tape, head, memory, from);
            intoGradient(tape, head, part, from, dLosses);
            Tensor dLogits = LinearOperation.inCompute(tape, part);
            chunkBackward(tape, head, dLogits, from, w, dHidden, accumulate);
            LinearOperation.releaseCopy(tape, dLogits, part);
        }
        release(tape, head, w);
        tape.arena().release(memory);
        tape.arena().release(head.logSumExp);
        LinearOperation.releaseCopy(tape, head.input, head.hidden);
    }

    /// Replaces logits by `(softmax - onehot(target)) * dLoss`.
    private static void intoGradient(Tape tape, Head head, Tensor logits, int from, Tensor dLosses) {
        int vocabulary = logits.columns();
        tape.backend().workers().rows(logits.rows(), 4, (first, last, scratch) -> {
            float[] row = scratch.floats(0, vocabulary);
            for (int n = first; n < last; n++) {
                int target = head.targets[from + n];
                float weight = dLosses.data().getAtIndex(Tensor.FLOAT, from + n);
                if (target < 0 || weight == 0f) {
                    java.util.Arrays.fill(row, 0, vocabulary, 0f);
                } else {
                    Rows.load(logits, (long) n * vocabulary, row, vocabulary);
                    float logSum = head.logSumExp.data().getAtIndex(Tensor.FLOAT, from + n);
                    probabilities(row, logSum, weight, vocabulary);
                    row[target] -= weight;
                }
                Rows.store(row, logits, (long) n * vocabulary, vocabulary);
            }
        });
    }

    private static void chunkBackward(
            Tape tape, Head head, Tensor dLogits, int from, Tensor w, Tensor dHidden, boolean accumulate) {
        Backend backend = tape.backend();
        int to = from + dLogits.rows();
        if (dHidden != null) {
            backend.multiply(dLogits.matrix(), w.matrix(), dHidden.matrix().rows(from, to), accumulate);
        }
        if (head.weight.trainable()) {
            backend.multiply(
                    dLogits.matrix().transpose(),
                    head.input.matrix().rows(from, to),
                    head.weight.gradient().matrix(),
                    true);
        }
    }

    private static void release(Tape tape, Head head, Tensor w) {
        if (w != null) {
            LinearOperation.release(tape, w, head.weight);
        }
    }

    private static double sumOfExponentials(float[] row, float maximum, int count) {
        FloatVector sum = FloatVector.zero(FLOATS);
        int i = 0;
        for (int bound = FLOATS.loopBound(count); i < bound; i += LANES) {
            sum = sum.add(VectorMath.exp(FloatVector.fromArray(FLOATS, row, i).sub(maximum)));
        }
        double total = VectorMath.sum(sum);
        for (; i < count; i++) {
            total += Math.exp(row[i] - maximum);
        }
        return total;
    }

    /// `row = exp(row - maximum)`; returns the sum.
    private static double exponentials(float[] row, float maximum, int count) {
        FloatVector sum = FloatVector.zero(FLOATS);
        int i = 0;
        for (int bound = FLOATS.loopBound(count); i < bound; i += LANES) {
            FloatVector e = VectorMath.exp(FloatVector.fromArray(FLOATS, row, i).sub(maximum));
            e.intoArray(row, i);
            sum = sum.add(e);
        }
        double total = VectorMath.sum(sum);
        for (; i < count; i++) {
            row[i] = (float) Math.exp(row[i] - maximum);
            total += row[i];
        }
        return total;
    }

    /// `row = exp(row - logSum) * factor`.
    private static void probabilities(float[] row, float logSum, float factor, int count) {
        int i = 0;
        for (int bound = FLOATS.loopBound(count); i < bound; i += LANES) {
            VectorMath.exp(FloatVector.fromArray(FLOATS, row, i).sub(logSum))
                    .mul(factor)
                    .intoArray(row, i);
        }
        for (; i < count; i++) {
            row[i] = (float) Math.exp(row[i] - logSum) * factor;
        }
    }

    private static void check(int[] targets, int rows, int vocabulary) {
        if (targets.length != rows) {
            throw new IllegalArgumentException("%d targets for %d rows".formatted(targets.length, rows));
        }
        for (int n = 0; n < rows; n++) {
            if (targets[n] < -1 || targets[n] >= vocabulary) {
                throw new IllegalArgumentException("target %d at row %d: the head has ids 0 to %d, -1 for none"
                        .formatted(targets[n], n, vocabulary - 1));
            }
        }
    }
}
