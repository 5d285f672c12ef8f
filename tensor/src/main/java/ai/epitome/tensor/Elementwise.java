package ai.epitome.tensor;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// Loops over float arrays that kernels are put together from. Each has the same shape: full registers, then single
/// elements.
public final class Elementwise {
    private static final VectorSpecies<Float> FLOATS = VectorMath.FLOATS;
    private static final int LANES = FLOATS.length();
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    /// Elements that one task converts or adds: three arrays of them stay in the first-level cache.
    public static final int BLOCK = 2048;

    private Elementwise() {}

    /// `sum = x + y` of `count` elements from element index `from`, whole registers, with `x` and `sum` f32 and `y`
    /// bf16: the residual stream and a branch.
    public static void add(MemorySegment x, MemorySegment y, MemorySegment sum, long from, int count) {
        for (int i = 0; i < count; i += LANES) {
            FloatVector.fromMemorySegment(FLOATS, x, (from + i) * 4, ORDER)
                    .add(Bf16.vector(y, from + i))
                    .intoMemorySegment(sum, (from + i) * 4, ORDER);
        }
    }

    /// Writes `count` f32 elements from element index `from` of `source` to the same place in bf16; whole registers.
    public static void round(MemorySegment source, MemorySegment target, long from, int count) {
        for (int i = 0; i < count; i += LANES) {
            Bf16.into(FloatVector.fromMemorySegment(FLOATS, source, (from + i) * 4, ORDER), target, from + i);
        }
    }

    /// `target += source`.
    public static void add(float[] target, float[] source, int count) {
        int i = 0;
        for (int bound = FLOATS.loopBound(count); i < bound; i += LANES) {
            FloatVector.fromArray(FLOATS, target, i)
                    .add(FloatVector.fromArray(FLOATS, source, i))
                    .intoArray(target, i);
        }
        for (; i < count; i++) {
            target[i] += source[i];
        }
    }

    /// `target += factor * source`.
    public static void addScaled(float[] target, float factor, float[] source, int count) {
        int i = 0;
        FloatVector f = FloatVector.broadcast(FLOATS, factor);
        for (int bound = FLOATS.loopBound(count); i < bound; i += LANES) {
            FloatVector.fromArray(FLOATS, source, i)
                    .fma(f, FloatVector.fromArray(FLOATS, target, i))
                    .intoArray(target, i);
        }
        for (; i < count; i++) {
            target[i] = Math.fma(source[i], factor, target[i]);
        }
    }

    /// `target *= factor`.
    public static void scale(float[] target, float factor, int count) {
        int i = 0;
        FloatVector f = FloatVector.broadcast(FLOATS, factor);
        for (int bound = FLOATS.loopBound(count); i < bound; i += LANES) {
            FloatVector.fromArray(FLOATS, target, i).mul(f).intoArray(target, i);
        }
        for (; i < count; i++) {
            target[i] *= factor;
        }
    }

    /// Copies all elements of `source` to `target`, converting the dtype.
    public static void convert(Tensor source, Tensor target, Workers workers) {
        int blocks = Math.toIntExact((source.size() + BLOCK - 1) / BLOCK);
        workers.run(blocks, (block, scratch) -> {
            long from = (long) block * BLOCK;
            int count = (int) Math.min(BLOCK, source.size() - from);
            if (rounds(source, target, count)) {
                round(source.data(), target.data(), from, count);
                return;
            }
            float[] row = scratch.floats(0, BLOCK);
            Rows.load(source, from, row, count);
            Rows.store(row, target, from, count);
        });
    }

    /// Whether [#round] can do `count` elements of these tensors.
    public static boolean rounds(Tensor source, Tensor target, int count) {
        return source.dtype() == DType.F32 && target.dtype() == DType.BF16 && count % LANES == 0;
    }
}
