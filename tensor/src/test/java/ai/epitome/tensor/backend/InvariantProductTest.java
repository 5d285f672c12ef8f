package ai.epitome.tensor.backend;

import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.tensor.DType;
import ai.epitome.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

class InvariantProductTest {
    private static final InvariantProduct PRODUCT = new InvariantProduct();

    /// Rows in one product, and in two of them cut anywhere; columns cut anywhere too, as threads do.
    @Property(tries = 200)
    void aRowHasTheSameBitsInAnyCompany(
            @ForAll @IntRange(min = 1, max = 40) int rows,
            @ForAll @IntRange(min = 1, max = 50) int columns,
            @ForAll @IntRange(min = 1, max = 100) int depth,
            @ForAll boolean bf16,
            @ForAll long seed) {
        Random random = new Random(seed);
        DType dtype = bf16 ? DType.BF16 : DType.F32;
        try (Arena arena = Arena.ofConfined()) {
            Tensor a = drawn(arena, dtype, random, rows, depth);
            Tensor b = drawn(arena, dtype, random, columns, depth);
            Tensor whole = Tensor.zeros(arena, DType.F32, rows, columns);
            PRODUCT.multiply(a.matrix(), b.matrix().transpose(), whole.matrix(), false);
            Tensor parts = Tensor.zeros(arena, DType.F32, rows, columns);
            int row = random.nextInt(rows + 1);
            int column = random.nextInt(columns + 1);
            for (int[] r : new int[][] {{0, row}, {row, rows}}) {
                for (int[] c : new int[][] {{0, column}, {column, columns}}) {
                    PRODUCT.multiply(
                            a.matrix().rows(r[0], r[1]),
                            b.matrix().transpose().columns(c[0], c[1]),
                            parts.matrix().rows(r[0], r[1]).columns(c[0], c[1]),
                            false);
                }
            }
            assertThat(parts.toFloats()).isEqualTo(whole.toFloats());
            for (int n = 0; n < rows; n++) {
                Tensor one = Tensor.zeros(arena, DType.F32, 1, columns);
                PRODUCT.multiply(a.matrix().rows(n, n + 1), b.matrix().transpose(), one.matrix(), false);
                assertThat(one.toFloats())
                        .isEqualTo(Arrays.copyOfRange(whole.toFloats(), n * columns, (n + 1) * columns));
            }
        }
    }

    private static Tensor drawn(Arena arena, DType dtype, Random random, int rows, int columns) {
        Tensor tensor = Tensor.zeros(arena, dtype, rows, columns);
        for (int i = 0; i < rows * columns; i++) {
            tensor.set(i, (float) random.nextGaussian());
        }
        return tensor;
    }
}
