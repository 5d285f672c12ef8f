package ai.epitome.tensor.optimizer;

import ai.epitome.tensor.DType;
import ai.epitome.tensor.Elementwise;
import ai.epitome.tensor.Rows;
import ai.epitome.tensor.Scratch;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.VectorMath;
import ai.epitome.tensor.Workers;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.Arrays;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/// The passes over parameters, gradients and their statistics that optimizers consist of. Each touches memory once.
///
/// All are elementwise but [#sumOfSquares], whose partial sums belong to fixed blocks and are added in a fixed tree, so
/// no result depends on the number of threads. Vector loops run over whole registers, then over single elements with
/// the same operations in the same order.
public final class OptimizerKernels {
    private static final VectorSpecies<Float> FLOATS = VectorMath.FLOATS;
    private static final VectorSpecies<Double> DOUBLES = FLOATS.withLanes(double.class);
    private static final int LANES = FLOATS.length();
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    /// Elements of one task: large enough to hide the cost of drawing it, small enough that threads end together.
    private static final int BLOCK = 16_384;
    /// Elements that stay in the first-level cache while several loops run over them.
    private static final int ROW = 2048;

    private OptimizerKernels() {}

    /// What one step of AdamW does to every element; see [#adamW].
    ///
    /// @param gradientScale what the gradient is multiplied by before use (clipping)
    /// @param keep what the weight is multiplied by: 1 - learning rate · weight decay
    /// @param beta1 decay of the mean
    /// @param beta2 decay of the mean square
    /// @param step learning rate / (1 - beta1^t)
    /// @param rootScale 1 / sqrt(1 - beta2^t)
    /// @param epsilon added to the root of the mean square
    public record AdamWStep(
            float gradientScale, float keep, float beta1, float beta2, float step, float rootScale, float epsilon) {}

    /// One step of AdamW (Loshchilov and Hutter 2019, algorithm 2, as in PyTorch) on all elements of `value`; sets
    /// `gradient` to zero. All tensors are f32 and of one size.
    ///
    /// ```
    /// g = gradient * gradientScale
    /// mean   += (1 - beta1) * (g - mean)
    /// square  = beta2 * square + (1 - beta2) * g * g
    /// value   = keep * value - step * mean / (rootScale * sqrt(square) + epsilon)
    /// ```
    public static void adamW(
            Tensor value, Tensor gradient, Tensor mean, Tensor square, AdamWStep step, Workers workers) {
        requireSame(value, gradient, mean, square);
        blocks(
                value.size(),
                workers,
                (from, to) -> adamW(value.data(), gradient.data(), mean.data(), square.data(), step, from, to));
    }

    private static void adamW(
            MemorySegment value,
            MemorySegment gradient,
            MemorySegment mean,
            MemorySegment square,
            AdamWStep s,
            long from,
            long to) {
        float towards = 1 - s.beta1;
        float fresh = 1 - s.beta2;
        long i = from;
        for (; i <= to - LANES; i += LANES) {
            FloatVector g = load(gradient, i).mul(s.gradientScale);
            FloatVector m = load(mean, i);
            m = g.sub(m).fma(FloatVector.broadcast(FLOATS, towards), m);
            FloatVector v = g.mul(fresh).fma(g, load(square, i).mul(s.beta2));
            FloatVector denominator =
                    v.sqrt().fma(FloatVector.broadcast(FLOATS, s.rootScale), FloatVector.broadcast(FLOATS, s.epsilon));
            store(load(value, i).mul(s.keep).sub(m.mul(s.step).div(denominator)), value, i);
            store(m, mean, i);
            store(v, square, i);
            store(FloatVector.zero(FLOATS), gradient, i);
        }
        for (; i < to; i++) {
            float g = get(gradient, i) * s.gradientScale;
            float m = get(mean, i);
            m = Math.fma(g - m, towards, m);
            float v = Math.fma(g * fresh, g, get(square, i) * s.beta2);
            float denominator = Math.fma((float) Math.sqrt(v), s.rootScale, s.epsilon);
            set(value, i, get(value, i) * s.keep - m * s.step / denominator);
            set(mean, i, m);
            set(square, i, v);
            set(gradient, i, 0);
        }
    }

    /// Muon's momentum. Leaves the update direction in `gradient`:
    ///
    /// ```
    /// g = gradient * gradientScale
    /// momentum += (1 - decay) * (g - momentum)
    /// gradient  = nesterov ? g + decay * (momentum - g) : momentum
    /// ```
    public static void momentum(
            Tensor gradient, Tensor momentum, float gradientScale, float decay, boolean nesterov, Workers workers) {
        requireSame(gradient, momentum);
        blocks(
                gradient.size(),
                workers,
                (from, to) -> momentum(
                        gradient.data(), momentum.data(), gradientScale, decay, nesterov ? decay : 1, from, to));
    }

    private static void momentum(
            MemorySegment gradient, MemorySegment momentum, float scale, float decay, float look, long from, long to) {
        float towards = 1 - decay;
        long i = from;
        for (; i <= to - LANES; i += LANES) {
            FloatVector g = load(gradient, i).mul(scale);
            FloatVector m = load(momentum, i);
            m = g.sub(m).fma(FloatVector.broadcast(FLOATS, towards), m);
            store(m, momentum, i);
            store(m.sub(g).fma(FloatVector.broadcast(FLOATS, look), g), gradient, i);
        }
        for (; i < to; i++) {
            float g = get(gradient, i) * scale;
            float m = get(momentum, i);
            m = Math.fma(g - m, towards, m);
            set(momentum, i, m);
            set(gradient, i, Math.fma(m - g, look, g));
        }
    }

    /// `value = keep * value - step * update`; sets `update` to zero.
    public static void apply(Tensor value, Tensor update, float keep, float step, Workers workers) {
        requireSame(value, update);
        blocks(value.size(), workers, (from, to) -> apply(value.data(), update.data(), keep, step, from, to));
    }

    private static void apply(MemorySegment value, MemorySegment update, float keep, float step, long from, long to) {
        long i = from;
        for (; i <= to - LANES; i += LANES) {
            FloatVector w = load(value, i).mul(keep);
            store(load(update, i).fma(FloatVector.broadcast(FLOATS, -step), w), value, i);
            store(FloatVector.zero(FLOATS), update, i);
        }
        for (; i < to; i++) {
            set(value, i, Math.fma(get(update, i), -step, get(value, i) * keep));
            set(update, i, 0);
        }
    }

    /// `average += weight * (value - average)`: an exponential moving average of weights.
    public static void average(Tensor average, Tensor value, float weight, Workers workers) {
        requireSame(average, value);
        blocks(average.size(), workers, (from, to) -> average(average.data(), value.data(), weight, from, to));
    }

    private static void average(MemorySegment average, MemorySegment value, float weight, long from, long to) {
        long i = from;
        for (; i <= to - LANES; i += LANES) {
            FloatVector a = load(average, i);
            store(load(value, i).sub(a).fma(FloatVector.broadcast(FLOATS, weight), a), average, i);
        }
        for (; i < to; i++) {
            float a = get(average, i);
            set(average, i, Math.fma(get(value, i) - a, weight, a));
        }
    }

    /// The sum of the squares of all elements of an f32 tensor, in fp64. NaN or infinite exactly when some element is.
    public static double sumOfSquares(Tensor tensor, Workers workers) {
        requireSame(tensor);
        int count = Math.toIntExact((tensor.size() + BLOCK - 1) / BLOCK);
        double[] sums = new double[count];
        workers.run(count, (block, _) -> {
            long from = (long) block * BLOCK;
            sums[block] = sumOfSquares(tensor.data(), from, Math.min(tensor.size(), from + BLOCK));
        });
        return treeSum(sums);
    }

    /// The same on the calling thread alone, with the same bits.
    static double sumOfSquares(Tensor tensor) {
        double[] sums = new double[Math.toIntExact((tensor.size() + BLOCK - 1) / BLOCK)];
        for (int block = 0; block < sums.length; block++) {
            long from = (long) block * BLOCK;
            sums[block] = sumOfSquares(tensor.data(), from, Math.min(tensor.size(), from + BLOCK));
        }
        return treeSum(sums);
    }

    private static double sumOfSquares(MemorySegment data, long from, long to) {
        DoubleVector low = DoubleVector.zero(DOUBLES);
        DoubleVector high = DoubleVector.zero(DOUBLES);
        long i = from;
        for (; i <= to - LANES; i += LANES) {
            FloatVector x = load(data, i);
            DoubleVector a = (DoubleVector) x.convertShape(VectorOperators.F2D, DOUBLES, 0);
            DoubleVector b = (DoubleVector) x.convertShape(VectorOperators.F2D, DOUBLES, 1);
            low = a.fma(a, low);
            high = b.fma(b, high);
        }
        double sum = low.add(high).reduceLanes(VectorOperators.ADD);
        for (; i < to; i++) {
            double x = get(data, i);
            sum = Math.fma(x, x, sum);
        }
        return sum;
    }

    /// The sum in the order of a balanced binary tree, which loses less than a running sum.
    public static double treeSum(double... values) {
        double[] sums = values.clone();
        for (int count = sums.length; count > 1; count = (count + 1) / 2) {
            for (int i = 0; i < count / 2; i++) {
                sums[i] = sums[2 * i] + sums[2 * i + 1];
            }
            if (count % 2 == 1) {
                sums[count / 2] = sums[count - 1];
            }
        }
        return sums.length == 0 ? 0 : sums[0];
    }

    /// Copies f32 `source` to `copy`, rounding to its dtype, and multiplies `source` by `factor`, on this thread.
    static void copyAndScale(Tensor source, Tensor copy, float factor, Scratch scratch) {
        float[] row = scratch.floats(0, ROW);
        for (long from = 0; from < source.size(); from += ROW) {
            int count = (int) Math.min(ROW, source.size() - from);
            Rows.load(source, from, row, count);
            Rows.store(row, copy, from, count);
            Elementwise.scale(row, factor, count);
            Rows.store(row, source, from, count);
        }
    }

    /// `target = factorA * a + factorB * b`, rounding to the dtype of `target`, on this thread. `a`, `b` f32.
    static void combine(Tensor a, float factorA, Tensor b, float factorB, Tensor target, Scratch scratch) {
        float[] rowA = scratch.floats(0, ROW);
        float[] rowB = scratch.floats(1, ROW);
        for (long from = 0; from < a.size(); from += ROW) {
            int count = (int) Math.min(ROW, a.size() - from);
            Rows.load(a, from, rowA, count);
            Rows.load(b, from, rowB, count);
            Elementwise.scale(rowA, factorA, count);
            Elementwise.addScaled(rowA, factorB, rowB, count);
            Rows.store(rowA, target, from, count);
        }
    }

    /// Elements `from` (inclusive) to `to` (exclusive).
    @FunctionalInterface
    private interface Span {
        void run(long from, long to);
    }

    private static void blocks(long size, Workers workers, Span span) {
        workers.run(Math.toIntExact((size + BLOCK - 1) / BLOCK), (block, _) -> {
            long from = (long) block * BLOCK;
            span.run(from, Math.min(size, from + BLOCK));
        });
    }

    private static void requireSame(Tensor first, Tensor... others) {
        if (first.dtype() != DType.F32) {
            throw new IllegalArgumentException("optimizers work on f32, not " + first);
        }
        for (Tensor other : others) {
            if (other.dtype() != DType.F32 || !Arrays.equals(other.shape(), first.shape())) {
                throw new IllegalArgumentException("an optimizer got " + first + " together with " + other);
            }
        }
    }

    private static FloatVector load(MemorySegment data, long i) {
        return FloatVector.fromMemorySegment(FLOATS, data, i * Float.BYTES, ORDER);
    }

    private static void store(FloatVector vector, MemorySegment data, long i) {
        vector.intoMemorySegment(data, i * Float.BYTES, ORDER);
    }

    private static float get(MemorySegment data, long i) {
        return data.get(Tensor.FLOAT, i * Float.BYTES);
    }

    private static void set(MemorySegment data, long i, float value) {
        data.set(Tensor.FLOAT, i * Float.BYTES, value);
    }
}
