package ai.epitome.tensor.block;

import ai.epitome.tensor.Rows;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.VectorMath;
import java.util.Arrays;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/// One row of activations as products with a [BlockMatrix] read it: 32 channels at a time as whole numbers from -127 to
/// 127 and a scale, the largest magnitude over 127. The product is, for each weight row,
///
/// ```text
/// y = b
/// for each group of channels, in order:
///     y = fma(float(sum of number * weight number) * scale, weight scale, y)
///     y = fma(float(sum of number) * scale, weight least, y)       where the format has one, from 32 channels
/// ```
///
/// The sums are of whole numbers and stay below 2^24, so they are exact in any order and in any arithmetic; the rest is
/// one chain of operations. So a result does not depend on the machine, the threads, or the other rows of a batch.
final class BlockActivations {
    /// Channels with a scale.
    static final int BLOCK = 32;
    /// Blocks of smaller numbers count as zeros: products of scales stay normal.
    static final float LEAST = 0x1p-100f;

    private static final VectorSpecies<Float> FLOATS = VectorMath.FLOATS;
    private static final VectorSpecies<Integer> INTS = FLOATS.withLanes(int.class);
    private static final int LANES = FLOATS.length();
    private static final VectorSpecies<Byte> BYTES =
            VectorSpecies.of(byte.class, VectorShape.forBitSize(Math.max(64, 8 * LANES)));
    /// Adding it rounds to a whole number, ties to even, and leaves that in the low bits.
    private static final float ROUND = 12_582_912f;

    final byte[] numbers;
    final float[] scales;
    /// Of each block, the sum of its numbers times its scale.
    final float[] sums;
    /// Of each block, the sum of its numbers.
    final int[] totals;

    private final float[] values;

    /// Room for rows of `columns` channels.
    BlockActivations(int columns) {
        numbers = new byte[columns];
        scales = new float[columns / BLOCK];
        sums = new float[columns / BLOCK];
        totals = new int[columns / BLOCK];
        values = new float[columns];
    }

    int columns() {
        return numbers.length;
    }

    /// Quantises row `row` of `x`.
    void read(Tensor x, int row) {
        int columns = numbers.length;
        Rows.load(x, (long) row * columns, values, columns);
        for (int block = 0; block < scales.length; block++) {
            int at = block * BLOCK;
            float most = largest(values, at);
            if (most >= LEAST && most < Float.POSITIVE_INFINITY) {
                scales[block] = most / 127f;
                totals[block] = round(values, at, 127f / most, numbers);
                sums[block] = totals[block] * scales[block];
            } else {
                scales[block] = most < LEAST ? 0 : Float.NaN;
                sums[block] = scales[block];
                totals[block] = 0;
                Arrays.fill(numbers, at, at + BLOCK, (byte) 0);
            }
        }
    }

    /// Magnitudes are in the order of their bits, and what is not a number is behind all: the comparison of floats
    /// takes several instructions for each step.
    private static float largest(float[] x, int at) {
        IntVector most = magnitude(x, at);
        for (int i = LANES; i < BLOCK; i += LANES) {
            most = most.max(magnitude(x, at + i));
        }
        return Float.intBitsToFloat(most.reduceLanes(VectorOperators.MAX));
    }

    private static IntVector magnitude(float[] x, int at) {
        return FloatVector.fromArray(FLOATS, x, at).reinterpretAsInts().and(Integer.MAX_VALUE);
    }

    /// `numbers = round(x * factor)`; their sum.
    private static int round(float[] x, int at, float factor, byte[] numbers) {
        if (LANES < 8) {
            return roundSingly(x, at, factor, numbers);
        }
        IntVector sum = IntVector.zero(INTS);
        for (int i = 0; i < BLOCK; i += LANES) {
            IntVector rounded = FloatVector.fromArray(FLOATS, x, at + i)
                    .mul(factor)
                    .add(ROUND)
                    .reinterpretAsInts()
                    .sub(0x4B400000);
            sum = sum.add(rounded);
            ((ByteVector) rounded.convertShape(VectorOperators.I2B, BYTES, 0)).intoArray(numbers, at + i);
        }
        return sum.reduceLanes(VectorOperators.ADD);
    }

    private static int roundSingly(float[] x, int at, float factor, byte[] numbers) {
        int sum = 0;
        for (int i = at; i < at + BLOCK; i++) {
            numbers[i] = (byte) Math.rint(x[i] * factor);
            sum += numbers[i];
        }
        return sum;
    }
}
