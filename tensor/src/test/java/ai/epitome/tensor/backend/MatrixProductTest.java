package ai.epitome.tensor.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.epitome.tensor.DType;
import ai.epitome.tensor.Matrix;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.Workers;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.opentest4j.TestAbortedException;

/// Every implementation against three loops in double precision.
class MatrixProductTest {

    static Stream<MatrixProduct> products() {
        List<MatrixProduct> products = new ArrayList<>(List.of(new VectorProduct(), new InvariantProduct()));
        if (OneDnnProduct.load() instanceof Loading.Loaded(OneDnnProduct product)) {
            products.add(product);
        }
        if (AmxProduct.load() instanceof Loading.Loaded(AmxProduct product)) {
            products.add(new ChosenProduct(VectorProduct::new, product));
        }
        return products.stream();
    }

    static MatrixProduct amx() {
        return switch (AmxProduct.load()) {
            case Loading.Loaded(AmxProduct product) -> product;
            case Loading.Unavailable(String reason) ->
                throw new TestAbortedException("no AMX product on this machine: " + reason);
        };
    }

    /// A product with everything that may vary.
    record Case(
            int m,
            int n,
            int k,
            int slack,
            int offset,
            boolean transposedA,
            boolean transposedB,
            DType inputs,
            DType output,
            boolean accumulate,
            long seed) {
        Case ofBf16() {
            return new Case(m, n, k, slack, offset, transposedA, transposedB, DType.BF16, output, accumulate, seed);
        }
    }

    @Provide
    Arbitrary<Case> cases() {
        Arbitrary<Integer> length = Arbitraries.oneOf(
                Arbitraries.integers().between(0, 70), Arbitraries.of(1, 2, 12, 16, 32, 33, 64, 127, 300, 1100));
        Arbitrary<Boolean> flag = Arbitraries.of(true, false);
        Arbitrary<DType> dtype = Arbitraries.of(DType.F32, DType.BF16);
        return Combinators.combine(
                        length, length, length, Arbitraries.integers().between(0, 3), flag, flag, dtype, dtype)
                .as((m, n, k, slack, ta, tb, in, out) -> new Case(m, n, k, slack, slack * 3, ta, tb, in, out, false, 1))
                .flatMap(c -> Combinators.combine(flag, Arbitraries.longs())
                        .as((accumulate, seed) -> new Case(
                                c.m,
                                c.n,
                                c.k,
                                c.slack,
                                c.offset,
                                c.transposedA,
                                c.transposedB,
                                c.inputs,
                                c.output,
                                accumulate,
                                seed)))
                .filter(c -> (long) c.m * c.n * c.k < 20_000_000);
    }

    @Property(tries = 400)
    void agreesWithThreeLoops(@ForAll("cases") Case given) {
        products().forEach(product -> verify(product, given));
    }

    @Property(tries = 1000)
    void amxAgreesWithThreeLoops(@ForAll("cases") Case given) {
        verify(amx(), given.ofBf16());
    }

    /// Inputs and results beyond the edges of a window are neither read nor written: they are NaN here.
    @Property(tries = 300)
    void amxReadsNothingBesidesTheWindow(@ForAll("cases") Case given) {
        Case bf16 = given.ofBf16();
        try (Arena arena = Arena.ofConfined()) {
            Random random = new Random(given.seed);
            Matrix a = matrix(arena, random, bf16, DType.BF16, given.m, given.k, given.transposedA);
            Matrix b = matrix(arena, random, bf16, DType.BF16, given.k, given.n, given.transposedB);
            Matrix c = matrix(arena, random, bf16, DType.F32, given.m, given.n, false);
            Matrix again = matrix(arena, random, bf16, DType.F32, given.m, given.n, false);
            amx().multiply(a, b, c, false);
            poison(a);
            poison(b);
            poison(again);
            amx().multiply(a, b, again, false);
            for (int i = 0; i < given.m; i++) {
                for (int j = 0; j < given.n; j++) {
                    assertThat(again.element(i, j))
                            .as("%s (%d, %d)", bf16, i, j)
                            .isEqualTo(c.element(i, j));
                }
            }
        }
    }

    private static void poison(Matrix matrix) {
        Matrix x = matrix.transposed() ? matrix.transpose() : matrix;
        Tensor memory = whole(x);
        for (long at = 0; at < memory.size(); at++) {
            long inside = at - x.offset();
            boolean within = inside >= 0
                    && inside / Math.max(1, x.stride()) < x.rows()
                    && inside % Math.max(1, x.stride()) < x.columns();
            if (!within) {
                memory.set(at, Float.NaN);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("products")
    void nothingBesidesTheWindowIsWritten(MatrixProduct product) {
        for (DType output : new DType[] {DType.F32, DType.BF16}) {
            verify(product, new Case(13, 17, 5, 7, 9, false, true, DType.F32, output, false, 3));
            verify(product, new Case(13, 33, 5, 7, 9, true, false, DType.BF16, output, true, 3));
        }
    }

    @ParameterizedTest
    @MethodSource("products")
    void aSumOfNothingIsZero(MatrixProduct product) {
        verify(product, new Case(3, 5, 0, 1, 2, false, false, DType.F32, DType.F32, false, 3));
        verify(product, new Case(3, 5, 0, 1, 2, false, false, DType.F32, DType.BF16, true, 3));
        verify(product, new Case(0, 5, 4, 1, 2, false, false, DType.F32, DType.F32, false, 3));
    }

    @ParameterizedTest
    @MethodSource("products")
    void manyThreadsAtOnceGetTheSameBits(MatrixProduct product) throws InterruptedException {
        try (Arena arena = Arena.ofShared()) {
            Random random = new Random(5);
            Tensor a = random(arena, random, DType.BF16, 37, 90);
            Tensor b = random(arena, random, DType.BF16, 90, 53);
            Tensor[] results = new Tensor[8];
            Thread[] threads = new Thread[results.length];
            for (int t = 0; t < threads.length; t++) {
                results[t] = Tensor.zeros(arena, DType.F32, 37, 53);
                Tensor result = results[t];
                boolean virtual = t % 2 == 1;
                Runnable work = () -> {
                    for (int i = 0; i < 50; i++) {
                        product.multiply(a.matrix(), b.matrix(), result.matrix(), false);
                    }
                };
                threads[t] = virtual
                        ? Thread.startVirtualThread(work)
                        : Thread.ofPlatform().start(work);
            }
            for (Thread thread : threads) {
                thread.join();
            }
            for (Tensor result : results) {
                assertThat(result.toFloats()).isEqualTo(results[0].toFloats());
            }
            assertThat(results[0].toFloats()).isNotEqualTo(new float[37 * 53]);
        }
    }

    @ParameterizedTest
    @MethodSource("products")
    void operandsThatDoNotFitAreRefused(MatrixProduct product) {
        try (Arena arena = Arena.ofConfined()) {
            Matrix a = Tensor.zeros(arena, DType.F32, 4, 5).matrix();
            Matrix b = Tensor.zeros(arena, DType.F32, 5, 6).matrix();
            Matrix c = Tensor.zeros(arena, DType.F32, 4, 6).matrix();
            assertThatThrownBy(() -> product.multiply(a, b.transpose(), c, false))
                    .hasMessageContaining("(4, 5) by (6, 5)");
            assertThatThrownBy(() -> product.multiply(b.transpose(), a.transpose(), c.transpose(), false))
                    .hasMessageContaining("cannot be transposed");
            Matrix bf16 = Tensor.zeros(arena, DType.BF16, 5, 6).matrix();
            assertThatThrownBy(() -> product.multiply(a, bf16, c, false)).hasMessageContaining("both inputs the same");
            Matrix tooLong = new Matrix(b.data(), DType.F32, 1, 5, 6, 6, false);
            assertThatThrownBy(() -> product.multiply(a, tooLong, c, false))
                    .isInstanceOf(IndexOutOfBoundsException.class)
                    .hasMessageContaining("B: 5 memory rows");
        }
    }

    @ParameterizedTest
    @MethodSource("products")
    void memoryThatWasGivenBackIsRefused(MatrixProduct product) {
        try (Arena arena = Arena.ofConfined()) {
            Matrix a = Tensor.zeros(arena, DType.BF16, 4, 4).matrix();
            Matrix c = Tensor.zeros(arena, DType.F32, 4, 4).matrix();
            Matrix closed;
            try (Arena inner = Arena.ofConfined()) {
                closed = Tensor.zeros(inner, DType.BF16, 4, 4).matrix();
            }
            assertThatThrownBy(() -> product.multiply(a, closed, c, false))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("B lies in memory that was given back");
        }
    }

    @Test
    void splittingOverThreadsChangesNoMoreThanRounding() {
        products().forEach(product -> {
            try (Arena arena = Arena.ofShared();
                    Workers one = new Workers(1);
                    Workers three = new Workers(3)) {
                Random random = new Random(7);
                int[][] shapes = {{200, 70, 500}, {20, 300, 129}, {5, 900, 64}, {1, 4000, 50}, {400, 1, 90}};
                for (int[] s : shapes) {
                    Tensor a = random(arena, random, DType.F32, s[0], s[2]);
                    Tensor b = random(arena, random, DType.F32, s[1], s[2]);
                    Tensor alone = Tensor.zeros(arena, DType.F32, s[0], s[1]);
                    Tensor split = Tensor.zeros(arena, DType.F32, s[0], s[1]);
                    Matrix right = b.matrix().transpose();
                    new Backend(product, one, DType.F32).multiply(a.matrix(), right, alone.matrix(), false);
                    new Backend(product, three, DType.F32).multiply(a.matrix(), right, split.matrix(), false);
                    float[] expected = alone.toFloats();
                    float[] found = split.toFloats();
                    float bound = tolerance(s[2], DType.F32);
                    for (int i = 0; i < expected.length; i++) {
                        assertThat(found[i]).isCloseTo(expected[i], org.assertj.core.data.Offset.offset(bound));
                    }
                }
            }
        });
    }

    /// Many rows and columns of a small depth: the packed parts of A and B hold more than one call may write.
    @Test
    void amxDoesSmallDepthsInSeveralCalls() {
        verify(amx(), new Case(1100, 4100, 3, 0, 0, false, false, DType.BF16, DType.F32, false, 4));
        verify(amx(), new Case(1100, 4100, 3, 0, 0, true, true, DType.BF16, DType.BF16, true, 4));
    }

    private static void verify(MatrixProduct product, Case given) {
        try (Arena arena = Arena.ofConfined()) {
            Random random = new Random(given.seed);
            Matrix a = matrix(arena, random, given, given.inputs, given.m, given.k, given.transposedA);
            Matrix b = matrix(arena, random, given, given.inputs, given.k, given.n, given.transposedB);
            Matrix c = matrix(arena, random, given, given.output, given.m, given.n, false);
            Tensor memory = whole(c);
            float[] expected = memory.toFloats();
            for (int i = 0; i < given.m; i++) {
                for (int j = 0; j < given.n; j++) {
                    int at = (int) c.offset() + i * c.stride() + j;
                    double sum = given.accumulate ? expected[at] : 0;
                    for (int p = 0; p < given.k; p++) {
                        sum += (double) a.element(i, p) * b.element(p, j);
                    }
                    expected[at] = (float) sum;
                }
            }
            product.multiply(a, b, c, given.accumulate);
            float[] found = memory.toFloats();
            float bound = tolerance(given.k, given.output);
            for (int at = 0; at < found.length; at++) {
                long inside = at - c.offset();
                boolean written = inside >= 0
                        && inside / Math.max(1, c.stride()) < c.rows()
                        && inside % Math.max(1, c.stride()) < c.columns();
                float allowed = written ? bound * Math.max(1, Math.abs(expected[at])) : 0;
                assertThat(Math.abs(found[at] - expected[at]))
                        .as(
                                "%s: %s, element %d is %s, expected %s",
                                product.describe(), given, at, found[at], expected[at])
                        .isLessThanOrEqualTo(allowed);
            }
        }
    }

    /// Inputs are uniform in (-1, 1): a sum of k products of f32 errs by at most k roundings of partial sums that
    /// stay within k/3 in practice far below sqrt(k); bf16 results are rounded once more, to 8 bits.
    private static float tolerance(int k, DType output) {
        float sums = (k + 2) * Math.ulp(1f) * (float) Math.sqrt(k + 1);
        return output == DType.BF16 ? sums + 1f / 256 : sums;
    }

    private static Matrix matrix(
            Arena arena, Random random, Case given, DType dtype, int rows, int columns, boolean transposed) {
        int memoryRows = transposed ? columns : rows;
        int stride = (transposed ? rows : columns) + given.slack;
        Tensor tensor = random(arena, random, dtype, given.offset + memoryRows * stride + given.slack);
        return new Matrix(tensor.data(), dtype, given.offset, rows, columns, stride, transposed);
    }

    private static Tensor whole(Matrix matrix) {
        return Tensor.of(matrix.data(), matrix.dtype(), (int)
                (matrix.data().byteSize() / matrix.dtype().bytes()));
    }

    private static Tensor random(Arena arena, Random random, DType dtype, int... shape) {
        Tensor tensor = Tensor.zeros(arena, dtype, shape);
        for (long i = 0; i < tensor.size(); i++) {
            tensor.set(i, random.nextFloat(-1, 1));
        }
        return tensor;
    }
}
