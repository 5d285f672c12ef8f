package ai.epitome.tensor.optimizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.epitome.tensor.DType;
import ai.epitome.tensor.Scratch;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.Workers;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.tensor.backend.NaiveProduct;
import java.lang.foreign.Arena;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NewtonSchulzTest {
    private final Arena arena = Arena.ofShared();
    private final Workers workers = new Workers(2);
    private final Scratch scratch = new Scratch();

    @AfterEach
    void close() {
        workers.close();
        arena.close();
    }

    @ParameterizedTest
    @CsvSource({"5,5", "7,19", "19,7", "40,24", "1,8", "8,1"})
    void equalsItsNaiveTwin(int rows, int columns) {
        for (DType compute : new DType[] {DType.F32, DType.BF16}) {
            for (boolean parallel : new boolean[] {false, true}) {
                Tensor x = normal(rows, columns);
                double[][] expected = naive(x);
                NewtonSchulz.orthogonalise(x, new Backend(new NaiveProduct(), workers, compute), parallel, scratch);
                for (int i = 0; i < rows; i++) {
                    for (int j = 0; j < columns; j++) {
                        assertThat((double) x.get((long) i * columns + j))
                                .isCloseTo(expected[i][j], within(compute == DType.F32 ? 2e-4 : 0.06));
                    }
                }
            }
        }
    }

    @Test
    void resultIsNearlyOrthogonalAndZeroStaysZero() {
        Tensor x = normal(16, 64);
        NewtonSchulz.orthogonalise(x, new Backend(new NaiveProduct(), workers, DType.BF16), false, scratch);
        for (int i = 0; i < 16; i++) {
            double length = 0;
            for (int j = 0; j < 64; j++) {
                length += x.get(i * 64L + j) * x.get(i * 64L + j);
            }
            assertThat(length).isBetween(0.4, 1.5);
        }
        Tensor zero = Tensor.zeros(arena, DType.F32, 3, 4);
        NewtonSchulz.orthogonalise(zero, new Backend(new NaiveProduct(), workers, DType.F32), false, scratch);
        assertThat(zero.toFloats()).containsOnly(0f);
    }

    /// The published formula, from the left, in fp64.
    private static double[][] naive(Tensor g) {
        int rows = g.rows();
        int columns = g.columns();
        double[][] x = new double[rows][columns];
        double norm = 0;
        for (int i = 0; i < rows * columns; i++) {
            x[i / columns][i % columns] = g.get(i);
            norm += (double) g.get(i) * g.get(i);
        }
        x = sum(1 / Math.sqrt(norm), x, 0, x);
        for (int step = 0; step < 5; step++) {
            double[][] gram = product(x, transpose(x));
            double[][] b = sum(-4.7750, gram, 2.0315, product(gram, gram));
            x = sum(3.4445, x, 1, product(b, x));
        }
        return x;
    }

    private static double[][] product(double[][] a, double[][] b) {
        double[][] c = new double[a.length][b[0].length];
        for (int i = 0; i < a.length; i++) {
            for (int j = 0; j < b[0].length; j++) {
                for (int k = 0; k < b.length; k++) {
                    c[i][j] += a[i][k] * b[k][j];
                }
            }
        }
        return c;
    }

    private static double[][] transpose(double[][] a) {
        double[][] t = new double[a[0].length][a.length];
        for (int i = 0; i < a.length; i++) {
            for (int j = 0; j < a[0].length; j++) {
                t[j][i] = a[i][j];
            }
        }
        return t;
    }

    private static double[][] sum(double fa, double[][] a, double fb, double[][] b) {
        double[][] c = new double[a.length][a[0].length];
        for (int i = 0; i < a.length; i++) {
            for (int j = 0; j < a[0].length; j++) {
                c[i][j] = fa * a[i][j] + fb * b[i][j];
            }
        }
        return c;
    }

    private Tensor normal(int rows, int columns) {
        Random random = new Random(rows * 31L + columns);
        Tensor tensor = Tensor.zeros(arena, DType.F32, rows, columns);
        for (int i = 0; i < rows * columns; i++) {
            tensor.set(i, (float) random.nextGaussian());
        }
        return tensor;
    }
}
