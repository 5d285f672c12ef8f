package ai.epitome.bench;

import ai.epitome.model.transformer.Initialization;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.model.transformer.TransformerConfig.Activation;
import ai.epitome.model.transformer.TransformerConfig.Biases;
import ai.epitome.model.transformer.TransformerConfig.Norm;
import ai.epitome.model.transformer.TransformerConfig.Position;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.train.LanguageModelling;
import ai.epitome.train.data.Batch;
import ai.epitome.train.optimizer.AdamW;
import ai.epitome.train.optimizer.GradientNorm;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/// Training steps of the shapes that PyTorch is measured on (`bench/peers/torch_train.py`): GPT-2 layout without biases
/// in products, tied head, AdamW, gradients clipped at 1, random token ids. And, as `growth`, of the layout of new
/// models over depth and context: how the cost grows with the work.
///
/// `./epitome bench train [SHAPE|all|growth] [--kernels auto|onednn|java] [--precision auto|bf16|f32] [--steps N]`
final class TrainBenchmark {
    /// The JVM compiles the kernels meanwhile, and once more when a shape takes another way through them.
    private static final int WARM_UP_STEPS = 16;

    private static final double WARM_UP_SECONDS = 8;

    private static final int[] DEPTHS = {2, 4, 6, 8};
    private static final int[] CONTEXTS = {128, 256, 512, 1024};
    private static final int TOKENS = 4096;

    /// A shape of the peer's.
    private record Shape(String name, int vocabulary, int context, int width, int layers, int heads, int batch) {}

    private static final List<Shape> SHAPES = List.of(
            new Shape("cpu-config", 65, 64, 128, 4, 4, 12),
            new Shape("baby", 65, 256, 384, 6, 6, 16),
            new Shape("gpt2-124M", 50_304, 64, 768, 12, 12, 4));

    private TrainBenchmark() {}

    static void run(Arguments arguments) throws IOException {
        Backend backend = Backend.of(
                arguments.choice("--kernels", Backend.Kernels.AUTO),
                arguments.choice("--precision", Backend.Precision.AUTO),
                arguments.number("--threads", Runtime.getRuntime().availableProcessors()));
        System.out.println(backend.describe());
        String wanted = arguments.positional(0, "baby");
        int steps = arguments.number("--steps", 20);
        if (wanted.equals("growth")) {
            growth(backend, steps);
        }
        for (Shape shape : SHAPES) {
            if (shape.name.equals(wanted) || wanted.equals("all")) {
                report(shape, measure(config(shape), shape.batch, backend, steps));
            }
        }
        backend.workers().close();
    }

    /// A table over depth and context, with the tokens of a step held fixed.
    private static void growth(Backend backend, int steps) {
        System.out.println("| depth | parameters | context | ms/step | tok/s | GFLOP/token | GFLOP/s |");
        System.out.println("|--:|--:|--:|--:|--:|--:|--:|");
        for (int depth : DEPTHS) {
            for (int context : CONTEXTS) {
                TransformerConfig config = TransformerConfig.ofDepth(depth, 257, context);
                double median = median(measure(config, TOKENS / context, backend, steps));
                double flops = flopsPerToken(config);
                System.out.printf(
                        Locale.ROOT,
                        "| %d | %,d | %d | %.1f | %,.0f | %.3f | %.0f |%n",
                        depth,
                        config.parameters(),
                        context,
                        median * 1e3,
                        TOKENS / median,
                        flops / 1e9,
                        flops * TOKENS / median / 1e9);
            }
        }
    }

    /// Seconds of each of `steps` steps, after the warm-up.
    private static double[] measure(TransformerConfig config, int rows, Backend backend, int steps) {
        try (Arena arena = Arena.ofShared();
                Transformer model = new Transformer(config, Initialization.gpt2(1));
                LanguageModelling training = new LanguageModelling(model, backend, 0)) {
            AdamW optimizer = new AdamW(
                    List.of(new AdamW.Group(model.parameters(), 1e-4, 0.01)),
                    new AdamW.Settings(0.9, 0.999, 1e-8),
                    arena,
                    backend.workers());
            Batch batch = batch(config, rows);
            double[] seconds = new double[steps];
            long start = System.nanoTime();
            for (int step = 0, measured = 0; measured < steps; step++) {
                long began = System.nanoTime();
                training.accumulate(batch, 1f / batch.targetCount(), step);
                GradientNorm norm = GradientNorm.of(model.parameters(), backend.workers());
                optimizer.step(norm.clipTo(1), 1);
                if (step >= WARM_UP_STEPS && began - start > WARM_UP_SECONDS * 1e9) {
                    seconds[measured++] = (System.nanoTime() - began) / 1e9;
                }
            }
            return seconds;
        }
    }

    private static TransformerConfig config(Shape shape) {
        return TransformerConfig.ofDepth(shape.layers, shape.vocabulary, shape.context)
                .with(c -> {
                    c.width = shape.width;
                    c.heads = shape.heads;
                    c.keyValueHeads = shape.heads;
                    c.headDimension = shape.width / shape.heads;
                    c.hidden = 4 * shape.width;
                    c.norm = Norm.LAYER;
                    c.normEpsilon = 1e-5f;
                    c.position = new Position.Learned();
                    c.activation = Activation.GELU;
                    c.biases = Biases.NONE;
                    c.queryKeyNorm = false;
                });
    }

    private static Batch batch(TransformerConfig config, int rows) {
        int[] ids = new Random(0)
                .ints((long) rows * config.context(), 0, config.vocabulary())
                .toArray();
        return new Batch(rows, config.context(), ids, ids, null, ids.length);
    }

    private static double median(double[] seconds) {
        Arrays.sort(seconds);
        return seconds[seconds.length / 2];
    }

    /// Floating-point operations of both ways, as the peer counts them: six for each parameter, and the attention of
    /// all pairs.
    private static double flopsPerToken(TransformerConfig config) {
        return 6.0 * config.parameters() + 12.0 * config.layers() * config.width() * config.context();
    }

    /// The same figures as the peer's, from the median step.
    private static void report(Shape shape, double[] seconds) throws IOException {
        double median = median(seconds);
        TransformerConfig config = config(shape);
        double tokens = shape.batch * (double) shape.context;
        double flops = flopsPerToken(config);
        System.out.printf(
                Locale.ROOT,
                "%s: %.0f tok/s, %.1f ms/step (%.1f to %.1f), %.0f GFLOP/s, %,d parameters, peak memory %d MB%n",
                shape.name,
                tokens / median,
                median * 1e3,
                seconds[0] * 1e3,
                seconds[seconds.length - 1] * 1e3,
                flops * tokens / median / 1e9,
                config.parameters(),
                peakMegabytes());
    }

    /// The largest resident set of this process, where Linux tells it; else 0.
    private static long peakMegabytes() throws IOException {
        Path status = Path.of("/proc/self/status");
        if (!Files.isReadable(status)) {
            return 0;
        }
        return Files.readAllLines(status).stream()
                .filter(line -> line.startsWith("VmHWM:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) / 1024)
                .findFirst()
                .orElse(0);
    }
}
