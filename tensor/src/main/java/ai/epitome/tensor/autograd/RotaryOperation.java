package ai.epitome.tensor.autograd;

import ai.epitome.tensor.DType;
import ai.epitome.tensor.Elementwise;
import ai.epitome.tensor.Rows;
import ai.epitome.tensor.Scratch;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.VectorMath;
import ai.epitome.tensor.Workers;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// What happens to queries and keys between their projection and attention: per-head root-mean-square norm
/// (QK-norm, Henry et al. 2020; optional) and rotary position embedding (Su et al. 2021; optional), in one pass
/// over the fused rows. Values pass through.
///
/// A rotation is orthogonal, so its gradient is the rotation by the opposite angle.
final class RotaryOperation {
    private static final VectorSpecies<Float> FLOATS = VectorMath.FLOATS;
    private static final int LANES = FLOATS.length();

    private RotaryOperation() {}

    /// What stays the same along the rows of one operation.
    private record Setting(
            AttentionShape shape,
            RotaryTable table,
            int[] positions,
            Parameter queryGain,
            Parameter keyGain,
            float epsilon,
            Tensor scales) { // (N, H + K): reciprocal root mean square of each head

        int normedHeads() {
            return shape.heads() + shape.keyValueHeads();
        }

        Parameter gain(int head) {
            return head < shape.heads() ? queryGain : keyGain;
        }
    }

    static Tensor apply(
            Tape tape,
            Tensor qkv,
            AttentionShape shape,
            RotaryTable table,
            int[] positions,
            Parameter queryGain,
            Parameter keyGain,
            float epsilon) {
        check(qkv, shape, table, positions);
        int columns = qkv.columns();
        Tensor y = tape.allocate(qkv.dtype(), qkv.shape());
        Tensor scales = tape.allocate(DType.F32, qkv.rows(), shape.heads() + shape.keyValueHeads());
        Setting setting = new Setting(shape, table, positions, queryGain, keyGain, epsilon, scales);
        tape.backend().workers().rows(qkv.rows(), Workers.worthwhile(columns, 16), (from, to, scratch) -> {
            float[] row = scratch.floats(0, columns);
            float[][] gains = gains(setting, scratch);
            for (int n = from; n < to; n++) {
                Rows.load(qkv, (long) n * columns, row, columns);
                forwardRow(setting, n, row, gains);
                Rows.store(row, y, (long) n * columns, columns);
            }
        });
        tape.record(y, qkv.requiresGradient(), () -> {
            backward(tape, qkv, y.gradient(), setting);
            tape.arena().release(scales);
        });
        return y;
    }

    private static void forwardRow(Setting setting, int n, float[] row, float[][] gains) {
        int dimension = setting.shape.headDimension();
        for (int head = 0; head < setting.normedHeads(); head++) {
            int from = head * dimension;
            if (setting.gain(head) != null) {
                double meanSquare = RowKernels.dot(row, from, row, from, dimension) / (double) dimension;
                float scale = (float) (1 / Math.sqrt(meanSquare + setting.epsilon));
                setting.scales.data().setAtIndex(Tensor.FLOAT, (long) n * setting.normedHeads() + head, scale);
                NormKernels.scaleHead(row, from, scale, gains[head < setting.shape.heads() ? 0 : 1], dimension);
            }
            if (setting.table != null) {
                rotate(row, from, setting.table, setting.positions[n], 1f);
            }
        }
    }

    /// Rotates the head at `row[from..from + D)`; `direction` is 1 for the way forward and -1 for the way back.
    private static void rotate(float[] row, int from, RotaryTable table, int position, float direction) {
        int pairs = table.pairs();
        int start = position * pairs;
        float[] cosines = table.cosines();
        float[] sines = table.sines();
        int i = 0;
        for (int bound = FLOATS.loopBound(pairs); i < bound; i += LANES) {
            FloatVector cosine = FloatVector.fromArray(FLOATS, cosines, start + i);
            FloatVector sine = FloatVector.fromArray(FLOATS, sines, start + i).mul(direction);
            FloatVector a = FloatVector.fromArray(FLOATS, row, from + i);
            FloatVector b = FloatVector.fromArray(FLOATS, row, from + pairs + i);
            a.mul(cosine).sub(b.mul(sine)).intoArray(row, from + i);
            b.mul(cosine).add(a.mul(sine)).intoArray(row, from + pairs + i);
        }
        for (; i < pairs; i++) {
            float cosine = cosines[start + i];
            float sine = sines[start + i] * direction;
            float a = row[from + i];
            float b = row[from + pairs + i];
            row[from + i] = a * cosine - b * sine;
            row[from + pairs + i] = b * cosine + a * sine;
        }
    }

    private static void backward(Tape tape, Tensor qkv, Tensor dy, Setting setting) {
        int dimension = setting.shape.headDimension();
        int columns = qkv.columns();
        boolean accumulate = qkv.gradient() != null;
        Tensor dx = tape.gradientOf(qkv);
        // Sums of the gains' gradients over rows: the query gain's in the first D, the key gain's in the next.
        Tensor gainSums = tape.allocate(DType.F32, 2 * dimension);
        gainSums.data().fill((byte) 0);
        RowKernels.sumOverRows(tape, qkv.rows(), gainSums, (n, sums, scratch) -> {
            float[] row = scratch.floats(1, columns);
            float[] gradient = scratch.floats(2, columns);
            float[][] gains = gains(setting, scratch);
            Rows.load(qkv, (long) n * columns, row, columns);
            Rows.load(dy, (long) n * columns, gradient, columns);
            backwardRow(setting, n, row, gradient, gains, sums, scratch.floats(5, 2 * dimension));
            Rows.put(gradient, dx, (long) n * columns, columns, accumulate, row);
        });
        addGain(setting.queryGain, gainSums.slice(0, dimension), tape);
        addGain(setting.keyGain, gainSums.slice(dimension, 2 * dimension), tape);
        tape.arena().release(gainSums);
    }

    private static void backwardRow(
            Setting setting, int n, float[] row, float[] gradient, float[][] gains, float[] sums, float[] head) {
        int dimension = setting.shape.headDimension();
        for (int h = 0; h < setting.normedHeads(); h++) {
            int from = h * dimension;
            if (setting.table != null) {
                rotate(gradient, from, setting.table, setting.positions[n], -1f);
            }
            if (setting.gain(h) == null) {
                continue;
            }
            int kind = h < setting.shape.heads() ? 0 : 1;
            float scale = setting.scales.data().getAtIndex(Tensor.FLOAT, (long) n * setting.normedHeads() + h);
            System.arraycopy(row, from, head, 0, dimension);
            Elementwise.scale(head, scale, dimension);
            for (int i = 0; i < dimension; i++) {
                sums[kind * dimension + i] = Math.fma(gradient[from + i], head[i], sums[kind * dimension + i]);
            }
            NormKernels.scaleHead(gradient, from, 1f, gains[kind], dimension);
            float along = RowKernels.dot(gradient, from, head, 0, dimension) / dimension;
            NormKernels.inputGradient(gradient, from, head, 0, scale, along, 0f, dimension);
        }
    }

    private static void addGain(Parameter gain, Tensor sums, Tape tape) {
        if (gain != null && gain.trainable()) {
            RowKernels.addColumnSums(sums.view(1, sums.columns()), gain.gradient(), tape);
        }
    }

    private static float[][] gains(Setting setting, Scratch scratch) {
        int dimension = setting.shape.headDimension();
        float[][] gains = {scratch.floats(3, dimension), scratch.floats(4, dimension)};
        if (setting.queryGain != null) {
            Rows.load(setting.queryGain.value(), 0, gains[0], dimension);
        }
        if (setting.keyGain != null) {
            Rows.load(setting.keyGain.value(), 0, gains[1], dimension);
        }
        return gains;
    }

    private static void check(Tensor qkv, AttentionShape shape, RotaryTable table, int[] positions) {
        if (qkv.columns() != shape.fusedColumns()) {
            throw new IllegalArgumentException(
                    "fused rows have %d columns, %s needs %d".formatted(qkv.columns(), shape, shape.fusedColumns()));
        }
        if (table == null) {
            return;
        }
        if (table.pairs() * 2 != shape.headDimension() || positions.length != qkv.rows()) {
            throw new IllegalArgumentException("rotary table of %d channels and %d positions for %s rows of heads of %d"
                    .formatted(table.pairs() * 2, positions.length, qkv.rows(), shape.headDimension()));
        }
        for (int position : positions) {
            if (position < 0 || position >= table.length()) {
                throw new IllegalArgumentException(
                        "position %d, the rotary table covers 0 to %d".formatted(position, table.length() - 1));
            }
        }
    }
}
