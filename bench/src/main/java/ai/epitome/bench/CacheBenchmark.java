package ai.epitome.bench;

import ai.epitome.model.LoadedModel;
import ai.epitome.model.engine.Session;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.tensor.attention.KeyValueFormat;
import ai.epitome.tensor.attention.KeyValueMemory;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/// What formats of keys and values take, cost and change: bytes of a token; bits per byte of a text, read
/// in windows of the model's context, and how far logits are from those with keys and values in f32; and
/// how fast the last tokens of a full context are read together, and written one by one, by turns.
///
/// `./epitome bench cache MODEL TEXT [--bytes N] [-r N] [-t N] [--kernels ...] [--precision ...]`
final class CacheBenchmark {
    /// Tokens that are read together, as far as the context has so many.
    private static final int READ = 512;
    /// Tokens that are written one by one, likewise.
    private static final int WRITTEN = 64;

    private final Transformer model;
    private final Backend backend;
    private final List<Measured> formats =
            Arrays.stream(KeyValueFormat.values()).map(Measured::new).toList();

    private static final class Measured {
        private final KeyValueFormat format;
        private double bits;
        private double differences;
        private float largest;
        private long logits;
        private final List<Double> read = new ArrayList<>();
        private final List<Double> written = new ArrayList<>();

        Measured(KeyValueFormat format) {
            this.format = format;
        }
    }

    private CacheBenchmark(Transformer model, Backend backend) {
        this.model = model;
        this.backend = backend;
    }

    static void run(Path source, Arguments arguments) throws IOException {
        if (arguments.positional(0, "").isEmpty()) {
            throw new IllegalArgumentException("cache needs a model and a text");
        }
        byte[] whole = Files.readAllBytes(Path.of(arguments.positional(0, "")));
        byte[] text = Arrays.copyOf(whole, Math.min(whole.length, arguments.number("--bytes", 1 << 16)));
        Backend backend = Backend.of(
                arguments.choice("--kernels", Backend.Kernels.AUTO),
                arguments.choice("--precision", Backend.Precision.AUTO),
                arguments.number("-t", Runtime.getRuntime().availableProcessors()));
        System.out.println(backend.describe());
        try (LoadedModel loaded = LoadedModel.open(source)) {
            Tokenizer tokenizer = loaded.tokenizer()
                    .orElseThrow(() -> new IllegalArgumentException("a model without a tokenizer reads no text"));
            CacheBenchmark benchmark = new CacheBenchmark(loaded.transformer(), backend);
            long bytes = benchmark.read(tokenizer, tokenizer.encode(text));
            int rounds = arguments.number("-r", 5);
            for (int round = -1; round < rounds; round++) { // the first is the compiler's
                benchmark.time(round >= 0);
            }
            benchmark.print(bytes);
        } finally {
            backend.workers().close();
        }
    }

    /// Reads a text in every format; bytes of the tokens that were predicted.
    private long read(Tokenizer tokenizer, int[] ids) {
        int context = model.config().context();
        long bytes = 0;
        for (int from = 0; from + 1 < ids.length; from += context) {
            int[] window = Arrays.copyOfRange(ids, from, Math.min(ids.length, from + context));
            float[][] expected = new float[window.length][];
            for (Measured each : formats) {
                try (Session session = new Session(model, backend, context, each.format)) {
                    session.scan(window, (index, logits) -> {
                        if (each == formats.getFirst()) {
                            expected[index] = logits;
                        }
                        compare(each, logits, expected[index]);
                        if (index + 1 < window.length) {
                            each.bits += bits(logits, window[index + 1]);
                        }
                    });
                }
            }
            bytes += Arrays.stream(window, 1, window.length)
                    .mapToLong(id -> tokenizer.token(id).length)
                    .sum();
        }
        return bytes;
    }

    private static double bits(float[] logits, int token) {
        double sum = 0;
        for (float logit : logits) {
            sum += Math.exp(logit - logits[token]);
        }
        return Math.log(sum) / Math.log(2);
    }

    private static void compare(Measured each, float[] logits, float[] expected) {
        for (int i = 0; i < logits.length; i++) {
            float difference = Math.abs(logits[i] - expected[i]);
            each.differences += difference;
            each.largest = Math.max(each.largest, difference);
        }
        each.logits += logits.length;
    }

    private void time(boolean counts) {
        int context = model.config().context();
        int read = Math.min(READ, context / 2);
        int written = Math.min(WRITTEN, context / 2);
        int[] ids = IntStream.range(0, context)
                .map(i -> (int) (7919L * i % model.config().vocabulary()))
                .toArray();
        for (Measured each : formats) {
            try (Session session = new Session(model, backend, context, each.format)) {
                session.advance(Arrays.copyOf(ids, context - read));
                long began = System.nanoTime();
                session.advance(Arrays.copyOfRange(ids, context - read, context));
                double reading = read * 1e9 / (System.nanoTime() - began);
                session.rewind(context - written);
                began = System.nanoTime();
                for (int i = context - written; i < context; i++) {
                    session.advance(ids[i]);
                }
                if (counts) {
                    each.read.add(reading);
                    each.written.add(written * 1e9 / (System.nanoTime() - began));
                }
            }
        }
    }

    private void print(long bytes) {
        TransformerConfig config = model.config();
        System.out.printf(
                Locale.ROOT,
                "| format | bytes a token | bits per byte of %,d bytes | logits differ, mean | largest | t/s read | t/s written |%n",
                bytes);
        System.out.println("|---|--:|--:|--:|--:|--:|--:|");
        for (Measured each : formats) {
            System.out.printf(
                    Locale.ROOT,
                    "| %s | %,d | %.5f | %.5f | %.3f | %.0f | %.1f |%n",
                    each.format.toString().toLowerCase(Locale.ROOT),
                    KeyValueMemory.tokenBytes(
                            each.format, config.layers(), config.keyValueHeads(), config.headDimension()),
                    each.bits / bytes,
                    each.differences / each.logits,
                    each.largest,
                    median(each.read),
                    median(each.written));
        }
    }

    private static double median(List<Double> values) {
        return values.stream().sorted().toList().get(values.size() / 2);
    }
}
