package ai.epitome.tensor;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/// Conversion between bf16 memory off the heap and floats: single ones, registers, and arrays on the heap.
public final class Bf16 {
    private static final VectorSpecies<Float> FLOATS = VectorMath.FLOATS;
    private static final VectorSpecies<Integer> INTS = FLOATS.withLanes(int.class);
    /// As many shorts as there are floats in a register, so one load feeds one register.
    private static final VectorSpecies<Short> SHORTS =
            VectorSpecies.of(short.class, VectorShape.forBitSize(FLOATS.vectorBitSize() / 2));

    private static final int LANES = FLOATS.length();
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();

    private Bf16() {}

    /// Rounds to the nearest bf16, ties to even; NaN stays NaN.
    public static short fromFloat(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (value != value) {
            return (short) ((bits >>> 16) | 0x40);
        }
        return (short) ((bits + 0x7FFF + ((bits >>> 16) & 1)) >>> 16);
    }

    /// One register of elements from element index `from` of `source`.
    public static FloatVector vector(MemorySegment source, long from) {
        IntVector bits = (IntVector) ShortVector.fromMemorySegment(SHORTS, source, from * 2, ORDER)
                .convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0);
        return bits.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
    }

    /// Writes one register, rounded to bf16, at element index `to` of `target`. NaN stays NaN as arithmetic on the
    /// processor makes it (its highest payload bit set, the lowest not); a NaN of 31 ones, which GPUs make, would
    /// become a zero, one without bits in the upper half an infinity.
    public static void into(FloatVector x, MemorySegment target, long to) {
        IntVector bits = x.reinterpretAsInts();
        IntVector odd = bits.lanewise(VectorOperators.LSHR, 16).and(1);
        IntVector rounded = bits.add(odd).add(0x7FFF).lanewise(VectorOperators.LSHR, 16);
        ((ShortVector) rounded.convertShape(VectorOperators.I2S, SHORTS, 0)).intoMemorySegment(target, to * 2, ORDER);
    }

    /// Reads `count` bf16 elements from element index `from` of `source` into `target[0..count)`.
    public static void load(MemorySegment source, long from, float[] target, int count) {
        int i = 0;
        for (int bound = FLOATS.loopBound(count); i < bound; i += LANES) {
            vector(source, from + i).intoArray(target, i);
        }
        for (; i < count; i++) {
            target[i] = Float.intBitsToFloat(source.getAtIndex(Tensor.SHORT, from + i) << 16);
        }
    }

    /// Writes `source[0..count)` rounded to bf16 at element index `to` of `target`.
    static void store(float[] source, MemorySegment target, long to, int count) {
        int i = 0;
        for (int bound = FLOATS.loopBound(count); i < bound; i += LANES) {
            into(FloatVector.fromArray(FLOATS, source, i), target, to + i);
        }
        for (; i < count; i++) {
            target.setAtIndex(Tensor.SHORT, to + i, fromFloat(source[i]));
        }
    }
}
