package ai.epitome.tensor.attention;

import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.VectorMath;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/// Conversion between numbers of half precision (IEEE 754 binary16: 5 bits of exponent, 10 of fraction) off the heap
/// and floats. The Vector API has none, so registers do it in integers.
final class Half {
    private static final VectorSpecies<Float> FLOATS = VectorMath.FLOATS;
    private static final VectorSpecies<Integer> INTS = FLOATS.withLanes(int.class);
    /// As many shorts as there are floats in a register, so one load feeds one register.
    private static final VectorSpecies<Short> SHORTS =
            VectorSpecies.of(short.class, VectorShape.forBitSize(FLOATS.vectorBitSize() / 2));

    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final int SIGN = 0x8000;
    /// The least with all bits of the exponent set: infinity, and behind it NaN.
    private static final int INFINITY = 0x7C00;
    /// The least that is normal.
    private static final int NORMAL = 0x0400;
    /// What the exponent of a float is greater by, in a float's place.
    private static final int BIAS = (127 - 15) << 23;

    private static final float LARGEST = 65504;

    private Half() {}

    /// Rounds to the nearest, ties to even. A number beyond the largest becomes the largest; infinities and NaN stay.
    static short fromFloat(float value) {
        return Float.floatToFloat16(Float.isFinite(value) ? Math.clamp(value, -LARGEST, LARGEST) : value);
    }

    /// One register of elements from element index `from` of `source`.
    private static FloatVector vector(MemorySegment source, long from) {
        IntVector bits = (IntVector) ShortVector.fromMemorySegment(SHORTS, source, from * 2, ORDER)
                .convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0);
        IntVector magnitude = bits.and(SIGN - 1);
        VectorMask<Integer> infinite = magnitude.compare(VectorOperators.GE, INFINITY);
        VectorMask<Integer> subnormal = magnitude.compare(VectorOperators.LT, NORMAL);
        IntVector wide = magnitude.lanewise(VectorOperators.LSHL, 13).add(BIAS).add(BIAS, infinite);
        FloatVector small = ((FloatVector) magnitude.convert(VectorOperators.I2F, 0)).mul(0x1p-24f);
        return wide.blend(small.reinterpretAsInts(), subnormal)
                .or(bits.and(SIGN).lanewise(VectorOperators.LSHL, 16))
                .reinterpretAsFloats();
    }

    /// Reads `count` elements from element index `from` of `source` into `target[0..count)`.
    static void load(MemorySegment source, long from, float[] target, int count) {
        int i = 0;
        for (int bound = FLOATS.loopBound(count); i < bound; i += FLOATS.length()) {
            vector(source, from + i).intoArray(target, i);
        }
        for (; i < count; i++) {
            target[i] = Float.float16ToFloat(source.getAtIndex(Tensor.SHORT, from + i));
        }
    }
}
