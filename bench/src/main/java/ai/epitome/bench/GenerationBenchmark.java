package ai.epitome.bench;

import ai.epitome.model.LoadedModel;
import ai.epitome.model.engine.EngineLimits;
import ai.epitome.model.engine.Session;
import ai.epitome.model.generation.Generation;
import ai.epitome.model.generation.GenerationRequest;
import ai.epitome.model.generation.Sampling;
import ai.epitome.model.generation.TextGenerator;
import ai.epitome.model.transformer.Adapter;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.tensor.DType;
import ai.epitome.tensor.autograd.Parameter;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// How fast a model reads and writes, in the columns of llama.cpp's `llama-bench`: `pp512` reads 512 tokens
/// in one pass, `tg128` goes on token by token for 128 tokens from an empty context; mean and standard
/// deviation of all repetitions, without sampling, after some seconds in which the compiler gets its turn.
///
/// Below the table: the bytes of weights that each written token reads, over its time, beside what the threads read
/// when they do nothing else.
///
/// Batches (`-b 1,8`) are texts that the engine continues together, as a service does, drawing included:
/// `tg128 x 8` are the tokens of all eight a second.
///
/// Adapters (`-a 1,4`): the largest of these batches once more, its texts with so many adapters by turns,
/// of rank 8 and on all projections.
///
/// `./epitome bench MODEL [-p N] [-n N] [-b N,N... [-a N,N...]] [-r N] [-t N]`
final class GenerationBenchmark {
    private static final long WARM_UP_NANOS = 4_000_000_000L;
    /// Any token will do: ids are spread over the vocabulary.
    private static final int SPREAD = 7919;
    private static final int RANK = 8;

    private final Path source;
    private final Transformer model;
    private final Backend backend;
    private final int repetitions;

    private GenerationBenchmark(Path source, Transformer model, Backend backend, int repetitions) {
        this.source = source;
        this.model = model;
        this.backend = backend;
        this.repetitions = repetitions;
    }

    static void run(Path source, Arguments arguments) throws IOException {
        int prompt = arguments.number("-p", 512);
        int written = arguments.number("-n", 128);
        int threads = arguments.number("-t", Runtime.getRuntime().availableProcessors());
        Backend backend = Backend.of(
                arguments.choice("--kernels", Backend.Kernels.AUTO),
                arguments.choice("--precision", Backend.Precision.AUTO),
                threads);
        System.out.println(backend.describe());
        try (LoadedModel loaded = LoadedModel.open(source)) {
            int context = loaded.transformer().config().context();
            if (prompt > context || written > context) {
                throw new IllegalArgumentException("the model's context is %d tokens".formatted(context));
            }
            GenerationBenchmark benchmark =
                    new GenerationBenchmark(source, loaded.transformer(), backend, arguments.number("-r", 5));
            benchmark.measure(prompt, written);
            if (!arguments.numbers("-b").isEmpty()) {
                benchmark.measureBatches(loaded, arguments.numbers("-b"), arguments.numbers("-a"), written);
            }
        } finally {
            backend.workers().close();
        }
    }

    private void measure(int prompt, int written) throws IOException {
        head();
        if (prompt > 0) {
            row("pp" + prompt, prompt, () -> read(prompt));
        }
        if (written > 0) {
            double rate = row("tg" + written, written, () -> write(written));
            long bytes = bytesOfToken();
            System.out.printf(
                    Locale.ROOT,
                    "%nweights read for a token: %.1f MB, %.1f GB/s; reading as many bytes does %.1f GB/s%n",
                    bytes / 1e6,
                    bytes * rate / 1e9,
                    new StreamingRead(backend.workers()).bytesPerSecond(bytes) / 1e9);
        }
    }

    private static void head() {
        System.out.println("| model                          |       size |     params | threads |          test |"
                + "                  t/s |");
        System.out.println("| ------------------------------ | ---------: | ---------: | ------: | ------------: |"
                + " -------------------: |");
    }

    private void measureBatches(LoadedModel loaded, List<Integer> batches, List<Integer> adapters, int written)
            throws IOException {
        EngineLimits limits = EngineLimits.DEFAULT
                .withSequences(Collections.max(batches))
                .withSpeculation(EngineLimits.Speculation.NEVER);
        Tokenizer tokenizer = loaded.tokenizer()
                .orElseThrow(() -> new IllegalArgumentException("a model without a tokenizer continues no texts"));
        TextGenerator generator = new TextGenerator(loaded.id(), model, tokenizer, Set.of(), backend, limits);
        System.out.println();
        head();
        List<String> beside = new ArrayList<>();
        double first = 0;
        for (int batch : batches) {
            double rate = row(
                    "tg" + written + " x " + batch, batch * written, () -> write(List.of(generator), batch, written));
            first = first == 0 ? rate : first;
            beside.add(String.format(Locale.ROOT, "%d: %.2f", batch, rate / first));
        }
        System.out.println("\ntimes the first, by batch: " + String.join(", ", beside));
        int largest = Collections.max(batches);
        for (int count : adapters) {
            List<TextGenerator> adapted = IntStream.range(0, count)
                    .mapToObj(i -> generator.with("adapter " + i, adapter(i), Set.of()))
                    .toList();
            row("%d adapters".formatted(count), largest * written, () -> write(adapted, largest, written));
        }
    }

    /// A drawn one, whose second matrices are not zero.
    private Adapter adapter(int seed) {
        Adapter adapter = Adapter.create(model, Adapter.Settings.of(RANK, Adapter.names(model)), seed);
        for (Adapter.Target target : adapter.targets()) {
            for (long i = 0; i < target.up().value().size(); i++) {
                target.up().value().set(i, (i % 7 - 3) * 1e-3f);
            }
            target.up().changed();
        }
        return adapter;
    }

    private double row(String test, int tokens, LongSupplier work) throws IOException {
        for (long began = System.nanoTime(); System.nanoTime() - began < WARM_UP_NANOS; ) {
            work.getAsLong();
        }
        double[] rates = new double[repetitions];
        Arrays.setAll(rates, _ -> tokens * 1e9 / work.getAsLong());
        double mean = Arrays.stream(rates).average().orElse(Double.NaN);
        double squares =
                Arrays.stream(rates).map(rate -> (rate - mean) * (rate - mean)).sum();
        System.out.println(String.format(
                Locale.ROOT,
                "| %-30s | %6.2f MiB | %8.2f M | %7d | %13s | %12.2f ± %5.2f |",
                LoadedModel.nameOf(source),
                size() / (double) (1 << 20),
                model.config().parameters() / 1e6,
                backend.workers().count(),
                test,
                mean,
                Math.sqrt(squares / Math.max(1, repetitions - 1))));
        return mean;
    }

    private long size() throws IOException {
        if (Files.isRegularFile(source)) {
            return Files.size(source);
        }
        try (Stream<Path> files = Files.list(source)) {
            return files.filter(file -> file.toString().endsWith(".safetensors"))
                    .mapToLong(file -> file.toFile().length())
                    .sum();
        }
    }

    /// Nanoseconds to read a prompt in one pass.
    private long read(int tokens) {
        int[] ids = new int[tokens];
        Arrays.setAll(ids, this::token);
        try (Session session = new Session(model, backend, tokens)) {
            long began = System.nanoTime();
            session.advance(ids);
            return System.nanoTime() - began;
        }
    }

    /// Nanoseconds to go on token by token.
    private long write(int tokens) {
        try (Session session = new Session(model, backend, tokens)) {
            long began = System.nanoTime();
            for (int i = 0; i < tokens; i++) {
                session.advance(token(i));
            }
            return System.nanoTime() - began;
        }
    }

    /// Nanoseconds to go on with so many texts at once, each of its own first token, by these generators by turns.
    private long write(List<TextGenerator> generators, int batch, int tokens) {
        long began = System.nanoTime();
        List<Generation> generations = IntStream.range(0, batch)
                .mapToObj(i -> generators
                        .get(i % generators.size())
                        .submit(new GenerationRequest(new int[] {token(i)}, tokens, Sampling.ofTemperature(0, 0))))
                .toList();
        generations.forEach(Generation::result);
        return System.nanoTime() - began;
    }

    private int token(int place) {
        return (int) ((long) (place + 1) * SPREAD % model.config().vocabulary());
    }

    /// Bytes of all matrices that every token multiplies.
    private long bytesOfToken() {
        List<Parameter> parameters = model.parameters();
        return parameters.stream()
                .filter(parameter -> parameter.shape().length == 2)
                .filter(parameter -> parameter == model.head()
                        || (parameter != model.embedding() && !parameter.name().equals("position_embedding")))
                .mapToLong(this::bytes)
                .sum();
    }

    private long bytes(Parameter parameter) {
        if (parameter.blocks() != null) {
            return parameter.blocks().bytes();
        }
        int[] shape = parameter.shape();
        return (long) shape[0] * shape[1] * (backend.compute() == DType.BF16 ? 2 : 4);
    }
}
