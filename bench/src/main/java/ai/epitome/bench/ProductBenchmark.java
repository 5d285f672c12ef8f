package ai.epitome.bench;

import ai.epitome.tensor.DType;
import ai.epitome.tensor.Matrix;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.Workers;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.tensor.backend.Loading;
import ai.epitome.tensor.backend.MatrixProduct;
import ai.epitome.tensor.backend.OneDnnProduct;
import ai.epitome.tensor.backend.VectorProduct;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// GFLOP/s of matrix products in the shapes of a small GPT: medians of alternating runs, so that a change
/// of the machine's clock meets all competitors alike. Arguments filter the shapes by name.
public final class ProductBenchmark {
    private static final int ROUNDS = 7;
    private static final long RUN_NANOS = 15_000_000;

    private ProductBenchmark() {}

    /// A product, or `batch` independent ones.
    private record Shape(
            String name, int m, int n, int k, boolean transposedA, boolean transposedB, boolean gradient, int batch) {
        double operations() {
            return 2.0 * m * n * k * batch;
        }
    }

    private static final List<Shape> SHAPES = List.of(
            forward(4096, 1536, 384),
            forward(4096, 384, 1536),
            forward(4096, 1152, 384),
            forward(1024, 256, 384),
            new Shape("input gradient 4096x384x1536", 4096, 384, 1536, false, false, false, 1),
            new Shape("weight gradient 384x1536x4096", 384, 1536, 4096, true, false, true, 1),
            new Shape("weight gradient 1536x384x4096", 1536, 384, 4096, true, false, true, 1),
            new Shape("attention 64x64x64, B transposed", 64, 64, 64, false, true, false, 256),
            new Shape("attention 128x64x128", 128, 64, 128, false, false, false, 128),
            forward(1, 1536, 384),
            forward(1, 32000, 384),
            new Shape("Newton-Schulz 384x384x384", 384, 384, 384, false, false, false, 1),
            new Shape("Newton-Schulz 384x384x1536, B transposed", 384, 384, 1536, false, true, false, 1),
            new Shape("Newton-Schulz 384x1536x384", 384, 1536, 384, false, false, false, 1),
            new Shape("square 1024", 1024, 1024, 1024, false, false, false, 1));

    /// Activations (m, k) by a weight held as (n, k).
    private static Shape forward(int m, int n, int k) {
        return new Shape("forward %dx%dx%d".formatted(m, n, k), m, n, k, false, true, false, 1);
    }

    /// One column of the table.
    private record Variant(String name, MatrixProduct product, DType dtype, Workers workers) {}

    public static void main(String[] arguments) {
        try (Workers one = new Workers(1);
                Workers two = new Workers(2)) {
            List<Variant> variants = variants(one, two);
            System.out.println("| GFLOP/s | "
                    + String.join(" | ", variants.stream().map(Variant::name).toList()) + " |");
            System.out.println("|---|" + "--:|".repeat(variants.size()));
            for (Shape shape : SHAPES) {
                if (arguments.length == 0 || Arrays.stream(arguments).anyMatch(shape.name::contains)) {
                    System.out.println(row(shape, variants));
                }
            }
            System.out.printf("%nf32 multiply-add limit of one thread: %.0f GFLOP/s%n", limit());
        }
    }

    private static List<Variant> variants(Workers one, Workers two) {
        List<Variant> variants = new ArrayList<>();
        MatrixProduct java = new VectorProduct();
        for (Workers workers : List.of(one, two)) {
            String threads = workers.count() + "T";
            variants.add(new Variant("Java f32 " + threads, java, DType.F32, workers));
            variants.add(new Variant("Java bf16 " + threads, java, DType.BF16, workers));
            switch (OneDnnProduct.load()) {
                case Loading.Loaded(OneDnnProduct oneDnn) -> {
                    variants.add(new Variant("oneDNN f32 " + threads, oneDnn, DType.F32, workers));
                    variants.add(new Variant("oneDNN bf16 " + threads, oneDnn, DType.BF16, workers));
                }
                case Loading.Unavailable(String reason) -> System.out.println("oneDNN does not run here: " + reason);
            }
        }
        return variants;
    }

    private static String row(Shape shape, List<Variant> variants) {
        StringBuilder row = new StringBuilder("| " + shape.name);
        try (Arena arena = Arena.ofShared()) {
            Runnable[] runs = variants.stream()
                    .map(variant -> work(arena, shape, variant))
                    .toArray(Runnable[]::new);
            double[][] rates = new double[runs.length][ROUNDS];
            for (int round = -3; round < ROUNDS; round++) {
                for (int v = 0; v < runs.length; v++) {
                    double rate = rate(runs[v], shape.operations());
                    if (round >= 0) {
                        rates[v][round] = rate;
                    }
                }
            }
            for (double[] of : rates) {
                Arrays.sort(of);
                row.append(" | %.0f".formatted(of[ROUNDS / 2]));
            }
        }
        return row + " |";
    }

    private static double rate(Runnable run, double operations) {
        long start = System.nanoTime();
        long end = start;
        int count = 0;
        while (end - start < RUN_NANOS) {
            run.run();
            count++;
            end = System.nanoTime();
        }
        return operations * count / (end - start);
    }

    private static Runnable work(Arena arena, Shape shape, Variant variant) {
        DType output = shape.gradient ? DType.F32 : variant.dtype;
        Matrix[] a = matrices(arena, shape, variant.dtype, shape.m, shape.k, shape.transposedA);
        Matrix[] b = matrices(arena, shape, variant.dtype, shape.k, shape.n, shape.transposedB);
        Matrix[] c = matrices(arena, shape, output, shape.m, shape.n, false);
        if (shape.batch == 1) {
            Backend backend = new Backend(variant.product, variant.workers, variant.dtype);
            return () -> backend.multiply(a[0], b[0], c[0], shape.gradient);
        }
        return () -> variant.workers.run(
                shape.batch, (task, _) -> variant.product.multiply(a[task], b[task], c[task], false));
    }

    private static Matrix[] matrices(Arena arena, Shape shape, DType dtype, int rows, int columns, boolean transposed) {
        Random random = new Random(1);
        Matrix[] matrices = new Matrix[shape.batch];
        for (int i = 0; i < matrices.length; i++) {
            Tensor tensor = Tensor.zeros(arena, dtype, transposed ? columns : rows, transposed ? rows : columns);
            for (long at = 0; at < tensor.size(); at++) {
                tensor.set(at, random.nextFloat(-1, 1));
            }
            matrices[i] = transposed ? tensor.matrix().transpose() : tensor.matrix();
        }
        return matrices;
    }

    /// Multiply-adds on registers alone: what no product can exceed.
    private static double limit() {
        double best = 0;
        float sum = 0;
        for (int i = 0; i < 20; i++) {
            long start = System.nanoTime();
            sum += chains(1_000_000);
            double rate = 1_000_000.0 * 12 * 2 * FLOATS.length() / (System.nanoTime() - start);
            best = Math.max(best, rate);
        }
        return sum == 0 ? 0 : best;
    }

    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;

    /// Twelve independent chains, enough to fill two units of four cycles' latency.
    private static float chains(int count) {
        FloatVector x = FloatVector.broadcast(FLOATS, 0.999f);
        FloatVector y = FloatVector.broadcast(FLOATS, 0.001f);
        FloatVector s0 = x;
        FloatVector s1 = x;
        FloatVector s2 = x;
        FloatVector s3 = x;
        FloatVector s4 = x;
        FloatVector s5 = x;
        FloatVector s6 = x;
        FloatVector s7 = x;
        FloatVector s8 = x;
        FloatVector s9 = x;
        FloatVector s10 = x;
        FloatVector s11 = x;
        for (int i = 0; i < count; i++) {
            s0 = s0.fma(x, y);
            s1 = s1.fma(x, y);
            s2 = s2.fma(x, y);
            s3 = s3.fma(x, y);
            s4 = s4.fma(x, y);
            s5 = s5.fma(x, y);
            s6 = s6.fma(x, y);
            s7 = s7.fma(x, y);
            s8 = s8.fma(x, y);
            s9 = s9.fma(x, y);
            s10 = s10.fma(x, y);
            s11 = s11.fma(x, y);
        }
        return s0.add(s1)
                .add(s2)
                .add(s3)
                .add(s4)
                .add(s5)
                .add(s6)
                .add(s7)
                .add(s8)
                .add(s9)
                .add(s10)
                .add(s11)
                .lane(0);
    }
}
