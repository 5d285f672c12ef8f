package ai.epitome.bench;

import ai.epitome.compress.BitPredictor;
import ai.epitome.compress.ByteDistribution;
import ai.epitome.compress.gpt.ExactLearner;
import ai.epitome.compress.mix.MixingPredictor;
import ai.epitome.compress.mix.MixingSize;
import ai.epitome.tensor.exact.ExactKernels;
import com.github.luben.zstd.ZstdInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.ToDoubleFunction;

/// The context-mixing predictor over files: bits per byte (the sum of -log2 p, what a range coder would write) and
/// kilobytes a second on one thread. Files that end in `.zst` are unpacked first.
///
/// `./epitome bench mix FILE...`, of their beginnings with `--bytes N`. With `--learn mixed` a network that
/// learns takes part, on a second thread; with `--learn alone` it predicts by itself.
final class MixBenchmark {
    private MixBenchmark() {}

    static void run(Arguments arguments) throws IOException {
        if (arguments.positional(0, "").isEmpty()) {
            throw new IllegalArgumentException("mix needs files");
        }
        System.out.println("| file | bytes | bits per byte | coded bytes | kB/s | memory, MB |");
        System.out.println("|---|--:|--:|--:|--:|--:|");
        for (int i = 0; !arguments.positional(i, "").isEmpty(); i++) {
            Path file = Path.of(arguments.positional(i, ""));
            byte[] bytes = read(file);
            int most = arguments.number("bytes", bytes.length);
            measure(file, Arrays.copyOf(bytes, Math.min(most, bytes.length)), arguments.text("learn", "no"));
        }
    }

    private static void measure(Path file, byte[] bytes, String learn) {
        MixingSize size = MixingSize.of(bytes.length);
        long began = System.nanoTime();
        double bits = switch (learn) {
            case "no" -> cost(new MixingPredictor(size), bytes);
            case "mixed" -> learning(bytes, learner -> cost(new MixingPredictor(size, learner), bytes));
            case "alone" -> learning(bytes, learner -> cost(learner, bytes));
            default -> throw new IllegalArgumentException("--learn %s: no, mixed or alone".formatted(learn));
        };
        double seconds = (System.nanoTime() - began) / 1e9;
        System.out.printf(
                Locale.ROOT,
                "| %s | %,d | %.4f | %,.0f | %.0f | %d |%n",
                file.getFileName(),
                bytes.length,
                bits / Math.max(1, bytes.length),
                bits / 8,
                bytes.length / seconds / 1e3,
                size.memory() >> 20);
    }

    private static double learning(byte[] bytes, ToDoubleFunction<ByteDistribution> cost) {
        try (ExecutorService trainer = Executors.newSingleThreadExecutor()) {
            return cost.applyAsDouble(new ExactLearner(bytes.length, trainer, ExactKernels.best()));
        }
    }

    private static byte[] read(Path file) throws IOException {
        try (InputStream raw = Files.newInputStream(file);
                InputStream in = file.toString().endsWith(".zst") ? new ZstdInputStream(raw) : raw) {
            return in.readAllBytes();
        }
    }

    /// Bits that the predictor charges for the bytes.
    private static double cost(BitPredictor predictor, byte[] bytes) {
        double bits = 0;
        for (byte value : bytes) {
            for (int i = 7; i >= 0; i--) {
                int bit = value >> i & 1;
                int probability = predictor.probability();
                bits -= Math.log((bit == 1 ? probability : BitPredictor.ONE - probability) / (double) BitPredictor.ONE);
                predictor.update(bit);
            }
        }
        return bits / Math.log(2);
    }

    /// Bits that the distribution charges for the bytes.
    private static double cost(ByteDistribution distribution, byte[] bytes) {
        int[] frequencies = new int[256];
        double bits = 0;
        for (byte value : bytes) {
            distribution.frequencies(frequencies);
            bits -= Math.log(frequencies[value & 0xff] / (double) ByteDistribution.TOTAL);
            distribution.append(value & 0xff);
        }
        return bits / Math.log(2);
    }
}
