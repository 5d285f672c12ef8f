package ai.epitome.bench;

import ai.epitome.text.Tokenizer;
import ai.epitome.text.file.TiktokenEncoding;
import ai.epitome.text.file.Tokenizers;
import ai.epitome.train.data.Corpus;
import ai.epitome.train.data.Document;
import ai.epitome.train.data.DocumentReader;
import com.knuddels.jtokkit.Encodings;
import com.knuddels.jtokkit.api.Encoding;
import com.knuddels.jtokkit.api.EncodingType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntUnaryOperator;
import java.util.function.Supplier;
import java.util.stream.DoubleStream;

/// Encoding beside jtokkit: the same documents as strings in memory, the same vocabulary, the same number of threads,
/// by turns in one process. One thread encodes a document; the threads take documents from one queue. Our tokenizer
/// remembers words that it has met; it is loaded anew for each round, so each round meets them for the first time.
///
/// `./epitome bench tokenizer [cl100k_base|o200k_base] [--text FILE] [--ranks FOLDER] [--rounds N]`
final class TokenizerBenchmark {
    private static final int WARM_UP = 1;
    /// Documents that a thread takes at a time.
    private static final int TAKEN = 16;

    /// Gives, for a round, what encodes a document, named by its number, and tells how many ids came out.
    private record Competitor(String name, Supplier<IntUnaryOperator> round) {}

    private TokenizerBenchmark() {}

    static void run(Arguments arguments) throws IOException {
        String name = arguments.positional(0, "cl100k_base");
        EncodingType peer = EncodingType.fromName(name)
                .orElseThrow(() -> new IllegalArgumentException("'" + name + "' is no encoding of tiktoken's"));
        Path ranks = Path.of(arguments.text("--ranks", "../shared/data/tokenizers/tiktoken"), name + ".tiktoken.gz");
        TiktokenEncoding encoding = TiktokenEncoding.valueOf(name.toUpperCase(Locale.ROOT));
        Supplier<Tokenizer> tokenizer = () -> load(ranks, encoding);
        Path file = Path.of(arguments.text("--text", "../shared/data/pretrain/enwiki.jsonl.zst"));
        List<byte[]> documents = read(file);
        long bytes = documents.stream().mapToLong(document -> document.length).sum();
        System.out.printf(Locale.ROOT, "%s: %,d documents, %,d bytes%n", file, documents.size(), bytes);
        compare(tokenizer, Encodings.newLazyEncodingRegistry().getEncoding(peer), documents, arguments);
    }

    private static Tokenizer load(Path ranks, TiktokenEncoding encoding) {
        try {
            return Tokenizers.loadTiktoken(ranks, encoding);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<byte[]> read(Path file) throws IOException {
        List<byte[]> documents = new ArrayList<>();
        try (DocumentReader reader = Corpus.of(List.of(file)).open()) {
            for (Document document = reader.next(); document != null; document = reader.next()) {
                documents.add(document.text());
            }
        }
        return documents;
    }

    private static void compare(
            Supplier<Tokenizer> loaded, Encoding jtokkit, List<byte[]> documents, Arguments arguments) {
        String[] texts = documents.stream()
                .map(document -> new String(document, StandardCharsets.UTF_8))
                .toArray(String[]::new);
        Tokenizer first = loaded.get();
        long same = Arrays.stream(texts)
                .filter(text -> Arrays.equals(
                        first.encode(text), jtokkit.encodeOrdinary(text).toArray()))
                .count();
        System.out.printf(
                Locale.ROOT, "%s: equal ids in %,d of %,d documents%n%n", jtokkit.getName(), same, texts.length);
        List<Competitor> competitors = List.of(
                new Competitor("epitome", () -> {
                    Tokenizer tokenizer = loaded.get();
                    return i -> tokenizer.encode(texts[i]).length;
                }),
                new Competitor("epitome, from bytes", () -> {
                    Tokenizer tokenizer = loaded.get();
                    return i -> tokenizer.encode(documents.get(i)).length;
                }),
                new Competitor(
                        "jtokkit", () -> i -> jtokkit.encodeOrdinary(texts[i]).size()));
        long bytes = documents.stream().mapToLong(document -> document.length).sum();
        System.out.println("| threads | "
                + String.join(
                        " | ",
                        competitors.stream()
                                .map(competitor -> competitor.name + ", MB/s")
                                .toList())
                + " | epitome / jtokkit |");
        System.out.println("|--:|" + "--:|".repeat(competitors.size() + 1));
        for (int threads = 1; threads <= 2; threads++) {
            double[][] rates =
                    measure(competitors, texts.length, threads, arguments.number("--rounds", 7), bytes / 1e6);
            double[] ratios = new double[rates[0].length];
            Arrays.setAll(ratios, round -> rates[0][round] / rates[2][round]);
            StringBuilder row = new StringBuilder("| " + threads);
            for (double[] of : rates) {
                row.append(" | ").append(spread(of, "%.1f (%.1f to %.1f)"));
            }
            System.out.println(row + " | " + spread(ratios, "%.2f (%.2f to %.2f)") + " |");
        }
    }

    /// Megabytes a second, by competitor and round.
    private static double[][] measure(
            List<Competitor> competitors, int documents, int threads, int rounds, double megabytes) {
        double[][] rates = new double[competitors.size()][rounds];
        long ids = -1;
        for (int round = -WARM_UP; round < rounds; round++) {
            for (int c = 0; c < rates.length; c++) {
                IntUnaryOperator encode = competitors.get(c).round.get();
                long began = System.nanoTime();
                ids = encode(encode, documents, threads);
                double rate = megabytes * 1e9 / (System.nanoTime() - began);
                if (round >= 0) {
                    rates[c][round] = rate;
                }
            }
        }
        if (ids <= 0) {
            throw new IllegalArgumentException("the text has no tokens; give another with --text");
        }
        return rates;
    }

    private static long encode(IntUnaryOperator encode, int documents, int threads) {
        AtomicInteger next = new AtomicInteger();
        long[] ids = new long[threads];
        List<Thread> workers = new ArrayList<>();
        for (int t = 0; t < threads; t++) {
            int own = t;
            workers.add(Thread.ofPlatform().start(() -> ids[own] = encode(encode, documents, next)));
        }
        for (Thread worker : workers) {
            try {
                worker.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted while measuring", e);
            }
        }
        return Arrays.stream(ids).sum();
    }

    private static long encode(IntUnaryOperator encode, int documents, AtomicInteger next) {
        long ids = 0;
        for (int from = next.getAndAdd(TAKEN); from < documents; from = next.getAndAdd(TAKEN)) {
            for (int i = from; i < Math.min(documents, from + TAKEN); i++) {
                ids += encode.applyAsInt(i);
            }
        }
        return ids;
    }

    /// Median, least and greatest.
    private static String spread(double[] values, String format) {
        double[] sorted = DoubleStream.of(values).sorted().toArray();
        return String.format(Locale.ROOT, format, sorted[sorted.length / 2], sorted[0], sorted[sorted.length - 1]);
    }
}
