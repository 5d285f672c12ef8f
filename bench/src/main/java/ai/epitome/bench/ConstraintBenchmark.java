package ai.epitome.bench;

import ai.epitome.model.constraint.Constraint;
import ai.epitome.model.constraint.automaton.Guide;
import ai.epitome.model.constraint.automaton.TokenVocabulary;
import ai.epitome.model.generation.Penalties;
import ai.epitome.model.generation.Sampler;
import ai.epitome.model.generation.Sampling;
import ai.epitome.text.Tokenizer;
import ai.epitome.text.file.TiktokenEncoding;
import ai.epitome.text.file.Tokenizers;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// What constraints and sampling cost for each token. Texts that constraints allow go token by token, as a model of the
/// vocabulary would write them, through a guide: each step asks which tokens may follow and takes the next one.
///
/// `./epitome bench constraint [r50k_base|cl100k_base|o200k_base] [--texts N] [--ranks FOLDER]`
final class ConstraintBenchmark {
    private static final String SCHEMA = """
            {"type": "object", "additionalProperties": false, "required": ["id", "name", "note", "state", "date", "lines"],
             "properties": {"id": {"type": "integer", "minimum": 1}, "name": {"type": "string", "maxLength": 40},
              "note": {"type": "string"}, "state": {"enum": ["open", "paid", "late"]}, "date": {"type": "string", "format": "date"},
              "lines": {"type": "array", "minItems": 1, "items": {"type": "object", "additionalProperties": false,
               "required": ["code", "price"], "properties": {"code": {"type": "string", "pattern": "^[A-Z]{3}-[0-9]{4}$"},
               "price": {"type": "number", "minimum": 0, "maximum": 9999.99}}}}}}""";
    private static final String WORDS =
            "the of and river Zürich market 東京 engine was built between two old mills naïve which"
                    + " flour paper and later electricity were made until a fire in 1911 destroyed it completely; nobody";

    /// @param texts what it allows
    private record Case(String name, Supplier<Constraint> maker, List<String> texts) {}

    private ConstraintBenchmark() {}

    static void run(Arguments arguments) throws IOException {
        String name = arguments.positional(0, "cl100k_base");
        Path ranks = Path.of(
                arguments.text("--ranks", "../shared/data/tokenizers/tiktoken"),
                (name.equals("r50k_base") ? "gpt2" : name) + ".tiktoken.gz");
        Tokenizer tokenizer = Tokenizers.loadTiktoken(ranks, TiktokenEncoding.valueOf(name.toUpperCase(Locale.ROOT)));
        List<Case> cases = cases(arguments.number("--texts", 100));
        print("%s: %,d tokens%n", name, tokenizer.vocabularySize());
        for (Case warmUp : cases) {
            microseconds(warmUp, tokenizer, vocabulary(tokenizer));
        }
        long begin = System.nanoTime();
        TokenVocabulary vocabulary = vocabulary(tokenizer);
        print("tries of the vocabulary: %d ms%n%n", (System.nanoTime() - begin) / 1_000_000);
        print(
                "%-12s %12s %8s %22s %8s %8s %8s%n",
                "constraint", "compiled ms", "tokens", "first text, µs/token", "mean µs", "p99 µs", "most µs");
        for (Case one : cases) {
            show(one, tokenizer, vocabulary);
        }
        sampling(tokenizer.vocabularySize());
    }

    private static TokenVocabulary vocabulary(Tokenizer tokenizer) {
        return new TokenVocabulary(tokenizer, Set.of(tokenizer.endOfText().orElseThrow()));
    }

    private static void print(String format, Object... values) {
        System.out.printf(Locale.ROOT, format, values);
    }

    private static List<Case> cases(int count) {
        Random random = new Random(1);
        return List.of(
                new Case("json object", Constraint::jsonObject, texts(count, () -> invoice(random))),
                new Case("json schema", () -> Constraint.jsonSchema(SCHEMA), texts(count, () -> invoice(random))),
                new Case(
                        "regex",
                        () -> Constraint.regex("([A-Z][a-z]{1,15} ){1,3}<[a-z0-9.]+@[a-z0-9]+\\.(com|org)>"),
                        texts(
                                count,
                                () -> "Ada Lovelace <ada.%d@engine%d.org>"
                                        .formatted(random.nextInt(999), random.nextInt(99)))),
                new Case("gbnf", () -> Constraint.gbnf("""
                                root ::= sum
                                sum ::= product ([-+] product)*
                                product ::= value ([*/] value)*
                                value ::= [0-9]+ | "(" sum ")"
                                """), texts(count, () -> sum(random, 5))));
    }

    private static List<String> texts(int count, Supplier<String> text) {
        return Stream.generate(text).limit(count).toList();
    }

    private static String words(Random random, int count) {
        String[] words = WORDS.split(" ");
        return IntStream.range(0, count)
                .mapToObj(_ -> words[random.nextInt(words.length)])
                .collect(Collectors.joining(" "));
    }

    private static String invoice(Random random) {
        String lines = IntStream.range(0, 1 + random.nextInt(5))
                .mapToObj(_ -> "{\"code\": \"ABC-%04d\", \"price\": %d.%02d}"
                        .formatted(random.nextInt(9999), random.nextInt(9000), random.nextInt(100)))
                .collect(Collectors.joining(", "));
        return "{\"id\": %d, \"name\": \"%s\", \"note\": \"%s\", \"state\": \"late\", \"date\": \"2024-%02d-28\", \"lines\": [%s]}"
                .formatted(
                        1 + random.nextInt(99_999), words(random, 3), words(random, 30), 1 + random.nextInt(12), lines);
    }

    private static String sum(Random random, int depth) {
        return depth == 0 || random.nextInt(4) == 0
                ? String.valueOf(random.nextInt(10_000))
                : "(" + sum(random, depth - 1) + (random.nextBoolean() ? "+" : "*") + sum(random, depth - 1) + ")";
    }

    private static void show(Case one, Tokenizer tokenizer, TokenVocabulary vocabulary) {
        long begin = System.nanoTime();
        one.maker.get();
        double compiled = (System.nanoTime() - begin) / 1e6;
        List<double[]> texts = microseconds(one, tokenizer, vocabulary);
        double[] all = texts.stream().flatMapToDouble(Arrays::stream).sorted().toArray();
        print(
                "%-12s %12.2f %,8d %22.1f %8.1f %8.1f %8.0f%n",
                one.name,
                compiled,
                all.length,
                Arrays.stream(texts.getFirst()).average().orElseThrow(),
                Arrays.stream(all).average().orElseThrow(),
                all[all.length * 99 / 100],
                all[all.length - 1]);
    }

    /// Of each token of each text, under one constraint that is new at the first text.
    private static List<double[]> microseconds(Case one, Tokenizer tokenizer, TokenVocabulary vocabulary) {
        Constraint constraint = one.maker.get();
        List<double[]> result = new ArrayList<>();
        for (String text : one.texts) {
            int[] tokens = tokenizer.encode(text.getBytes(StandardCharsets.UTF_8));
            double[] times = new double[tokens.length];
            Guide guide = constraint.guide(vocabulary);
            for (int i = 0; i < tokens.length; i++) {
                long begin = System.nanoTime();
                long[] allowed = guide.allowed(100_000);
                guide.accept(tokens[i]);
                times[i] = (System.nanoTime() - begin) / 1e3;
                if ((allowed[tokens[i] >> 6] >> tokens[i] & 1) == 0) {
                    throw new IllegalStateException("token %d of %s is not allowed".formatted(i, text));
                }
            }
            result.add(times);
        }
        return result;
    }

    private static void sampling(int size) {
        Map<String, Sampling> ways = new LinkedHashMap<>();
        ways.put("greedy", Sampling.GREEDY);
        ways.put("temperature", Sampling.ofTemperature(0.8, 1));
        ways.put("top-k 40", new Sampling(0.8, 40, 1, 0, 1));
        ways.put("top-p 0.95", new Sampling(0.8, 0, 0.95, 0, 1));
        ways.put("min-p 0.05", new Sampling(0.8, 0, 1, 0.05, 1));
        ways.put("top-k 40, typical 0.9", new Sampling(0.8, 40, 1, 0, 0.9, Penalties.NONE, Map.of(), 1));
        ways.put("typical 0.9", new Sampling(0.8, 0, 1, 0, 0.9, Penalties.NONE, Map.of(), 1));
        ways.put("penalties", new Sampling(0.8, 0, 1, 0, 1, new Penalties(1.1, 0.5, 0.5), Map.of(), 1));
        float[] logits = logits(size);
        print("%n%-24s %8s%n", "sampling", "µs/token");
        ways.forEach((name, sampling) -> {
            time(sampling, logits, 300);
            print("%-24s %8.0f%n", name, time(sampling, logits, 200));
        });
    }

    /// A few likely tokens and a long tail.
    private static float[] logits(int size) {
        Random random = new Random(2);
        float[] logits = new float[size];
        for (int i = 0; i < size; i++) {
            logits[i] = (float) (3 * random.nextGaussian());
        }
        return logits;
    }

    private static double time(Sampling sampling, float[] logits, int draws) {
        Sampler sampler = new Sampler(sampling, IntStream.range(0, 500).toArray());
        long begin = System.nanoTime();
        for (int i = 0; i < draws; i++) {
            sampler.sample(logits);
        }
        return (System.nanoTime() - begin) / 1e3 / draws;
    }
}
