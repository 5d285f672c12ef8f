package ai.epitome.tensor.exact;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import java.util.function.BiConsumer;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/// Registers and single elements give the same bits, and those are what the names say.
class ExactKernelsTest {
    private static final ExactKernels SCALAR = ExactKernels.scalar();
    private static final ExactKernels VECTOR = ExactKernels.vector();

    private static float[] drawn(Random random, int count, float scale) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian() * scale;
        }
        return values;
    }

    @Property(tries = 200)
    void productsAreTheSameChains(
            @ForAll @IntRange(min = 1, max = 40) int rows,
            @ForAll @IntRange(min = 1, max = 70) int depth,
            @ForAll @IntRange(min = 1, max = 300) int columns,
            @ForAll long seed) {
        Random random = new Random(seed);
        float[] x = drawn(random, rows * depth, 1);
        float[] w = drawn(random, columns * depth, 1);
        PackedRows packed = new PackedRows();
        packed.pack(x, 0, depth, rows, depth);
        PackedMatrix matrix = new PackedMatrix(depth, columns);
        matrix.packTransposed(w, 0);
        int stride = PackedMatrix.padded(columns);
        float[] scalar = new float[PackedRows.padded(rows) * stride];
        float[] vector = new float[PackedRows.padded(rows) * stride];
        matrix.multiply(SCALAR, packed, 0, matrix.panels(), scalar, stride);
        int split = random.nextInt(matrix.panels() + 1);
        matrix.multiply(VECTOR, packed, 0, split, vector, stride);
        matrix.multiply(VECTOR, packed, split, matrix.panels(), vector, stride);
        for (int r = 0; r < rows; r++) {
            for (int j = 0; j < columns; j++) {
                float chain = 0;
                for (int k = 0; k < depth; k++) {
                    chain = Math.fma(x[r * depth + k], w[j * depth + k], chain);
                }
                assertThat(scalar[r * stride + j]).isEqualTo(chain);
                assertThat(vector[r * stride + j]).isEqualTo(chain);
            }
        }
    }

    @Property(tries = 300)
    void reductionsAreTheSame(
            @ForAll @IntRange(min = 0, max = 200) int count,
            @ForAll @IntRange(min = 0, max = 5) int from,
            @ForAll long seed) {
        Random random = new Random(seed);
        float[] x = drawn(random, from + count, 1);
        float[] y = drawn(random, from + count + 3, 1);
        assertThat(VECTOR.sum(x, from, count)).isEqualTo(SCALAR.sum(x, from, count));
        assertThat(VECTOR.maximum(x, from, count)).isEqualTo(SCALAR.maximum(x, from, count));
        float dot = SCALAR.dot(x, from, y, 3, count);
        assertThat(VECTOR.dot(x, from, y, 3, count)).isEqualTo(dot);
        double exact = 0;
        for (int i = 0; i < count; i++) {
            exact += (double) x[from + i] * y[3 + i];
        }
        assertThat((double) dot).isCloseTo(exact, within(1e-4));
    }

    @Property(tries = 300)
    void functionsAreTheSame(@ForAll @IntRange(min = 1, max = 100) int count, @ForAll long seed) {
        Random random = new Random(seed);
        float[] x = drawn(random, count + 2, random.nextBoolean() ? 1 : 60);
        float[] y = drawn(random, count + 2, 1);
        float[] gain = drawn(random, count, 1);
        same(x, (k, v) -> k.exponentials(v, 1, count, 0.7f, 0.3f));
        same(x, (k, v) -> k.silu(v, 1, count));
        same(x, (k, v) -> k.gelu(v, 1, count));
        same(x, (k, v) -> k.reluSquared(v, 1, count));
        same(x, (k, v) -> k.gate(v, 1, y, 2, count));
        same(x, (k, v) -> k.add(v, 1, y, 2, count));
        same(x, (k, v) -> k.scale(y, 1, 1.3f, v, 2, count));
        same(x, (k, v) -> k.scale(y, 1, 1.3f, gain, v, 2, count));
        same(x, (k, v) -> k.subtract(v, 1, 1.3f, count));
        same(x, (k, v) -> k.rotate(v, 1, y, gain, 0, count / 2));
        int[] scalar = new int[count];
        int[] vector = new int[count];
        float shift = SCALAR.maximum(x, 1, count);
        SCALAR.quantisedExponentials(x, 1, count, shift, scalar);
        VECTOR.quantisedExponentials(x, 1, count, shift, vector);
        assertThat(vector).isEqualTo(scalar).contains(1 << 30);
    }

    private static void same(float[] x, BiConsumer<ExactKernels, float[]> kernel) {
        float[] scalar = x.clone();
        float[] vector = x.clone();
        kernel.accept(SCALAR, scalar);
        kernel.accept(VECTOR, vector);
        assertThat(vector).isEqualTo(scalar);
    }

    @Property
    void exponentialIsCloseToTheLibrarys(@ForAll @IntRange(min = -87_000, max = 88_000) int thousandths) {
        float x = thousandths / 1000f;
        double expected = StrictMath.exp(x);
        assertThat(ExactMath.exp(x) / expected).isCloseTo(1, within(2.5e-7));
        assertThat((double) ExactMath.silu(x)).isCloseTo(x / (1 + StrictMath.exp(-x)), within(1e-5));
    }
}
