package ai.epitome.bench;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// `./epitome bench`: benchmarks.
public final class Main {
    private static final String USAGE = """
            usage: ./epitome bench MODEL [-p N] [-n N] [-b N,N...] [-r N] [-t N] [--kernels auto|onednn|java] [--precision auto|bf16|f32]
                   ./epitome bench train [SHAPE|all|growth] [--kernels auto|onednn|java] [--precision auto|bf16|f32] [--steps N]
                   ./epitome bench products
                   ./epitome bench tokenizer [cl100k_base|o200k_base] [--text FILE] [--ranks FOLDER] [--rounds N]
                   ./epitome bench constraint [r50k_base|cl100k_base|o200k_base] [--texts N] [--ranks FOLDER]
                   ./epitome bench mix FILE...
                   ./epitome bench gpt TEXT MODEL... [--threads N] [--bytes N] [--stream N]
                   ./epitome bench cache MODEL TEXT [--bytes N] [-r N] [-t N]
                   ./epitome bench accounts [--database URL] [--requests N]
                   ./epitome bench serve MODEL [-p N] [-n N] [-r N] [-t N] [--streams 1,4,16,32] [--clients N]
                   ./epitome bench load MODEL [--seconds N] [--streams N] [--cache MB] [--database URL]

            MODEL     reading and writing speed of a model, in llama-bench's columns: prompt of -p tokens (512), then -n
                      tokens one by one (128), -r times (5), on -t threads; with -b 1,8,32 also so many texts at once
            train     training steps of cpu-config, baby (the default) or gpt2-124M, beside bench/peers/torch_train.py;
                      growth: a table over depth and context
            products  matrix products, oneDNN and Java
            tokenizer encoding, beside jtokkit, on one thread and on two
            constraint masks of constrained decoding, and sampling: microseconds a token
            mix       the context-mixing predictor of compress: bits per byte and speed over files
            gpt       trained models as predictors of compress: bits per byte and speed, by size and number of blocks
            cache     formats of keys and values: memory, bits per byte of a text, speed at the end of a full context
            accounts  what keys, limits and usage rows cost a request
            serve     streams over HTTP beside the engine itself: tokens a second, time to the first of them;
                      with --clients N these are a process of their own on processor N (taskset)
            load      streams, clients that leave and garbage for some time (60 s): answers, sums of usage, memory""";

    private Main() {}

    public static void main(String[] arguments) throws IOException {
        List<String> words = List.of(arguments);
        String benchmark = words.isEmpty() ? "" : words.getFirst();
        try {
            switch (benchmark) {
                case "train" -> TrainBenchmark.run(new Arguments(words.subList(1, words.size())));
                case "products" ->
                    ProductBenchmark.main(words.subList(1, words.size()).toArray(String[]::new));
                case "tokenizer" -> TokenizerBenchmark.run(new Arguments(words.subList(1, words.size())));
                case "constraint" -> ConstraintBenchmark.run(new Arguments(words.subList(1, words.size())));
                case "mix" -> MixBenchmark.run(new Arguments(words.subList(1, words.size())));
                case "cache" -> CacheBenchmark.run(model(words), new Arguments(words.subList(2, words.size())));
                case "accounts" -> AccountsBenchmark.run(new Arguments(words.subList(1, words.size())));
                case "serve" -> ServeBenchmark.run(model(words), new Arguments(words.subList(2, words.size())));
                case "clients" -> StreamClients.run(URI.create(words.get(1))); // what `serve --clients` starts
                case "load" -> LoadBenchmark.run(model(words), new Arguments(words.subList(2, words.size())));
                case "gpt" -> GptBenchmark.run(new Arguments(words.subList(1, words.size())));
                default -> {
                    if (!benchmark.isEmpty() && Files.exists(Path.of(benchmark))) {
                        GenerationBenchmark.run(Path.of(benchmark), new Arguments(words.subList(1, words.size())));
                        return;
                    }
                    System.err.println(USAGE);
                    System.exit(2);
                }
            }
        } catch (IllegalArgumentException e) {
            System.err.println("epitome bench: " + e.getMessage());
            System.err.println(USAGE);
            System.exit(2);
        }
    }

    private static Path model(List<String> words) {
        if (words.size() < 2 || words.get(1).startsWith("-")) {
            throw new IllegalArgumentException(words.getFirst() + " needs a model");
        }
        return Path.of(words.get(1));
    }
}
