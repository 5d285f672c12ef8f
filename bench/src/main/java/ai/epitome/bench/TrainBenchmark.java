package ai.epitome.bench;

import ai.epitome.model.Initialization;
import ai.epitome.model.Transformer;
import ai.epitome.model.TransformerConfig;
import ai.epitome.model.TransformerConfig.Activation;
import ai.epitome.model.TransformerConfig.Biases;
import ai.epitome.model.TransformerConfig.Norm;
import ai.epitome.model.TransformerConfig.Position;
import ai.epitome.tensor.Backend;
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
/// in
/// products, tied head, AdamW, gradients clipped at 1, random token ids.
///
/// `./epitome bench train [SHAPE] [--kernels auto|onednn|java] [--precision auto|bf16|f32] [--steps N]`
final class TrainBenchmark {
    private static final int WARM_UP = 8;

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
        for (Shape shape : SHAPES) {
            if (shape.name.equals(wanted) || wanted.equals("all")) {
                measure(shape, backend, arguments.number("--steps", 20));
            }
        }
        backend.workers().close();
    }

    private static void measure(Shape shape, Backend backend, int steps) throws IOException {
        try (Arena arena = Arena.ofShared();
                Transformer model = new Transformer(config(shape), Initialization.gpt2(1));
                LanguageModelling training = new LanguageModelling(model, backend, 0)) {
            AdamW optimizer = new AdamW(
                    List.of(new AdamW.Group(model.parameters(), 1e-4, 0.01)),
                    new AdamW.Settings(0.9, 0.999, 1e-8),
                    arena,
                    backend.workers());
            Batch batch = batch(shape);
            double[] seconds = new double[steps];
            for (int step = -WARM_UP; step < steps; step++) {
                long began = System.nanoTime();
                training.accumulate(batch, 1f / batch.targetCount(), step);
                GradientNorm norm = GradientNorm.of(model.parameters(), backend.workers());
                optimizer.step(norm.clipTo(1), 1);
                if (step >= 0) {
                    seconds[step] = (System.nanoTime() - began) / 1e9;
                }
            }
            report(shape, model, seconds);
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

    private static Batch batch(Shape shape) {
        int[] ids = new Random(0)
                .ints((long) shape.batch * shape.context, 0, shape.vocabulary)
                .toArray();
        return new Batch(shape.batch, shape.context, ids, ids, null, ids.length);
    }

    /// The same figures as the peer's, from the median step.
    private static void report(Shape shape, Transformer model, double[] seconds) throws IOException {
        Arrays.sort(seconds);
        double median = seconds[seconds.length / 2];
        long parameters = model.config().parameters();
        double tokens = shape.batch * (double) shape.context;
        double flops = 6.0 * parameters + 12.0 * shape.layers * shape.width * shape.context;
        System.out.printf(
                Locale.ROOT,
                "%s: %.0f tok/s, %.1f ms/step (%.1f to %.1f), %.0f GFLOP/s, %,d parameters, peak memory %d MB%n",
                shape.name,
                tokens / median,
                median * 1e3,
                seconds[0] * 1e3,
                seconds[seconds.length - 1] * 1e3,
                flops * tokens / median / 1e9,
                parameters,
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
