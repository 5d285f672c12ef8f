package ai.epitome.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import tools.jackson.databind.JsonNode;

/// Every command in this process, on a tiny model: what it prints, and its exit code.
class CommandsTest {
    @TempDir
    static Path folder;

    private static Path text;
    private static Path model;

    /// What a command left: exit code, standard output and standard error.
    record Result(int code, byte[] bytes, String err) {
        String out() {
            return new String(bytes, StandardCharsets.UTF_8);
        }

        JsonNode json() {
            return Json.MAPPER.readTree(bytes);
        }
    }

    @BeforeAll
    static void trains() throws IOException {
        text = Files.writeString(folder.resolve("text.txt"), "to be, or not to be\n".repeat(500));
        model = folder.resolve("tiny");
        Result result = pretrain(text, model, "--steps", "12", "--evaluate", "6");
        assertThat(result.code).as(result.err).isZero();
        assertThat(result.err)
                .contains("kernels: ")
                .contains("10,000 bytes in 1 document")
                .containsPattern("step +6 .* held-out \\d")
                .contains("(all of it)")
                .contains("done after 12 steps")
                .contains("report: " + model.resolve("report.md"))
                .doesNotContain("\u001b")
                .doesNotContain("\r");
        assertThat(result.bytes).isEmpty();
    }

    private static Result pretrain(Path from, Path to, String... more) throws IOException {
        List<String> arguments = new ArrayList<>(List.of("pretrain", from.toString(), "-o", to.toString()));
        arguments.addAll(List.of("--depth", "1", "--context", "32", "--batch", "2", "--threads", "1"));
        arguments.addAll(Arrays.asList(more));
        return run(arguments.toArray(String[]::new));
    }

    static Result run(String... arguments) throws IOException {
        return run(new byte[0], arguments);
    }

    /// Runs a command that has to succeed.
    static Result done(String... arguments) throws IOException {
        Result result = run(arguments);
        assertThat(result.code()).as(result.err()).isZero();
        return result;
    }

    static Result run(byte[] input, String... arguments) throws IOException {
        InputStream standardIn = System.in;
        PrintStream standardOut = System.out;
        PrintStream standardErr = System.err;
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        StringWriter errors = new StringWriter();
        try (PrintStream outStream = new PrintStream(out, true, StandardCharsets.UTF_8);
                PrintStream errStream = new PrintStream(err, true, StandardCharsets.UTF_8)) {
            System.setIn(new ByteArrayInputStream(input));
            System.setOut(outStream);
            System.setErr(errStream);
            CommandLine line = Main.commandLine(arguments)
                    .setOut(new PrintWriter(outStream, true))
                    .setErr(new PrintWriter(errors, true));
            int code = line.execute(arguments);
            return new Result(code, out.toByteArray(), err.toString(StandardCharsets.UTF_8) + errors);
        } finally {
            System.setIn(standardIn);
            System.setOut(standardOut);
            System.setErr(standardErr);
        }
    }

    private static void assertFails(Result result, String... parts) {
        assertThat(result.code).as(result.err).isEqualTo(1);
        assertThat(result.err)
                .contains("epitome: ")
                .contains(parts)
                .doesNotContain("\tat ")
                .doesNotContain("Exception");
        assertThat(result.bytes).isEmpty();
    }

    /// A model of llama2.c, as it is, and what its own program writes with it.
    @Test
    void aModelOfLlama2cWorksLikeAFolder() throws IOException {
        Path shared = Path.of(System.getProperty("epitome.shared", "../shared"), "data", "weights", "stories260K");
        assumeTrue(Files.isDirectory(shared), () -> shared + " is not there: the trained model is not checked");
        String stories = shared.resolve("stories260K.bin").toString();
        String prompt = "One day, Lily met a";
        String[] greedy = {"--temperature", "0", "--max-tokens", "57", "--precision", "f32", "--threads", "1"};
        List<String> arguments = new ArrayList<>(List.of("generate", stories, prompt));
        arguments.addAll(List.of(greedy));
        Result text = run(arguments.toArray(String[]::new));
        assertThat(prompt + text.out()).isEqualTo(Files.readString(shared.resolve("greedy_n64_lily.txt")));

        Result info = run("info", stories, "--json");
        assertThat(info.json().path("name").stringValue()).isEqualTo("stories260K");
        assertThat(info.json().path("tokenizer").stringValue()).startsWith("sentencepiece, 512 tokens");
        Path story = Files.writeString(folder.resolve("story.txt"), prompt + text.out());
        JsonNode score = run("score", stories, story.toString(), "--json", "--threads", "1")
                .json();
        assertThat(score.path("bits_per_byte").doubleValue()).isLessThan(1);
        assertThat(score.path("logprobs").path(0).isNumber()).isTrue(); // after the token before every text
    }

    @Test
    void infoTellsWhatAGgufFileHolds() throws IOException {
        Path file = Path.of(System.getProperty("epitome.shared", "../shared"), "data", "tokenizers")
                .resolve("llama.cpp/ggml-vocab-llama-spm.gguf");
        assumeTrue(Files.exists(file), () -> file + " is not there: its description is not checked");
        JsonNode info = run("info", file.toString(), "--json").json();
        assertThat(info.path("tokenizer").stringValue()).startsWith("sentencepiece, 32000 tokens");
        assertThat(info.path("metadata").path("general.architecture").stringValue())
                .isEqualTo("llama");
        assertThat(info.path("metadata").path("tokenizer.ggml.scores").stringValue())
                .isEqualTo("32000 values");
        assertThat(run("info", file.toString()).out()).contains("metadata\n").contains("general.architecture llama");
        assertFails(run("generate", file.toString(), "a"), file.toString(), "tensor `token_embd.weight` is missing");
    }

    @Test
    void theSameCommandAgainFindsTheRunFinished() throws IOException {
        Path report = model.resolve("report.md");
        byte[] before = Files.readAllBytes(report);
        Result again = pretrain(text, model, "--steps", "12");
        assertThat(again.code).isZero();
        assertThat(again.err).contains("come to its end (step 12)");
        assertThat(Files.readAllBytes(report)).isEqualTo(before);
    }

    @Test
    void moreStepsGoOnButAnotherShapeOrTextIsRefused() throws IOException {
        Path longer = folder.resolve("longer");
        assertThat(pretrain(text, longer, "--steps", "3").code).isZero();
        Result more = pretrain(text, longer, "--steps", "5");
        assertThat(more.err).contains("going on after step 3").contains("done after 5 steps");
        assertFails(pretrain(text, longer, "--steps", "9", "--width", "128"), "another shape", "width 64");
        Path other = Files.writeString(folder.resolve("other.txt"), "something else \n".repeat(500));
        assertFails(pretrain(other, longer, "--steps", "9"), "trained on other data", "another model folder");
        assertFails(pretrain(text, longer, "--steps", "9", "--seed", "5"), "seed");
    }

    @Test
    void rowsAreMadeAsWhenTheRunBegan() throws IOException {
        Path packed = folder.resolve("packed");
        assertThat(pretrain(text, packed, "--steps", "3", "--packed").code).isZero();
        assertThat(pretrain(text, packed, "--steps", "4").err).contains("going on after step 3");
        assertThat(pretrain(text, packed, "--steps", "5", "--packed").err).contains("going on after step 4");
        assertThat(packed.resolve("report.md")).content().contains("whole documents, packed");
        assertFails(pretrain(text, model, "--steps", "20", "--packed"), "began with contiguous windows", "--packed");
    }

    @Test
    void theTokenizerIsThatOfTheRun() throws IOException {
        assertThat(pretrain(text, model, "--steps", "12", "--tokenizer", "byte").code)
                .isZero();
        assertFails(pretrain(text, model, "--steps", "12", "--tokenizer", "bpe:300"), "257 tokens (byte)", "another");
        Path pairs = folder.resolve("pairs");
        String[] asBegun = {"--steps", "3", "--tokenizer", "bpe:9999"}; // the text has fewer
        assertThat(pretrain(text, pairs, asBegun).code).isZero();
        assertThat(pretrain(text, pairs, asBegun).err).contains("come to its end (step 3)");
        assertFails(pretrain(text, pairs, "--tokenizer", "bpe:257"), "(bpe)", "leave it out");
        assertFails(pretrain(text, pairs, "--tokenizer", "byte"), "(bpe)", "leave it out");
        assertFails(pretrain(text, pairs, "--tokenizer", model.toString()), "(bpe)", "leave it out");
        assertThat(pretrain(text, pairs, "--steps", "3", "--tokenizer", pairs.toString()).code)
                .isZero();
    }

    @Test
    void infoAsTextAndAsJson() throws IOException {
        assertThat(run("info", model.toString()).out())
                .containsPattern("layers +1\n")
                .contains("tokenizer ");
        JsonNode json = run("info", model.toString(), "--json").json();
        assertThat(json.path("name").asString()).isEqualTo("tiny");
        assertThat(json.path("width").asInt()).isEqualTo(64);
        assertThat(json.path("context").asInt()).isEqualTo(32);
    }

    @Test
    void scoreOfATextAndOfItsIdsAreTheSame() throws IOException {
        byte[] input = {'t', 'o', (byte) 0xff, 0, '\n'}; // no UTF-8: bytes are kept
        Result scored = run(input, "score", model.toString(), "--json", "--precision", "f32");
        assertThat(scored.out())
                .startsWith("{\"ids\":[116,111,255,0,10],\"logprobs\":[null,-")
                .endsWith("}\n");
        JsonNode json = scored.json();
        assertThat(json.propertyNames()).containsExactly("ids", "logprobs", "bits_per_byte");
        double nats = Math.log(257); // what the first token costs
        for (int i = 1; i < 5; i++) {
            nats -= json.path("logprobs").get(i).asDouble();
        }
        assertThat(json.path("bits_per_byte").asDouble())
                .isCloseTo(nats / Math.log(2) / 5, org.assertj.core.data.Offset.offset(1e-6));
        Result ids = run("score", model.toString(), "--ids", "116,111,255,0,10", "--json", "--precision", "f32");
        assertThat(ids.out()).isEqualTo(scored.out());
        Result table = run(input, "score", model.toString(), "-");
        assertThat(table.out()).contains("0xff").contains("5 tokens, 5 bytes").contains("bits per byte");
        assertThat(table.out().lines()).hasSize(6);
    }

    @Test
    void generateGivesTheSameTextForTheSameSeed() throws IOException {
        String[] arguments = {"generate", model.toString(), "to be", "--max-tokens", "20", "--seed", "7"};
        Result plain = run(arguments);
        assertThat(plain.code).as(plain.err).isZero();
        List<String> asJson = new ArrayList<>(List.of(arguments));
        asJson.add("--json");
        JsonNode json = run(asJson.toArray(String[]::new)).json();
        assertThat(plain.out()).isEqualTo(json.path("text").asString() + "\n");
        assertThat(json.path("finish_reason").asString()).isEqualTo("length");
        assertThat(json.path("prompt_tokens").asInt()).isEqualTo(5);
        assertThat(json.path("completion_tokens").asInt()).isEqualTo(20);
        assertThat(json.path("seed").asInt()).isEqualTo(7);
        Result fromInput = run(
                "to be".getBytes(StandardCharsets.UTF_8),
                "generate",
                model.toString(),
                "--max-tokens",
                "20",
                "--seed",
                "7");
        assertThat(fromInput.out()).isEqualTo(plain.out());
        byte[] noUtf8 = {'t', 'o', (byte) 0xff, 'b'};
        assertThat(run(noUtf8, "generate", model.toString(), "--max-tokens", "1", "--json")
                        .json()
                        .path("prompt_tokens")
                        .asInt())
                .isEqualTo(4);
    }

    @Test
    void generateReadsNothingAgainThatItsCacheKnows() throws IOException {
        Path cache = folder.resolve("conversation.cache");
        String[] arguments = {
            "generate", model.toString(), "to be or not to be", "--max-tokens", "9", "--seed", "7", "--json"
        };
        JsonNode without = run(arguments).json();
        assertThat(without.path("cached_tokens").asInt()).isZero();
        assertThat(cache).doesNotExist();
        JsonNode first = run(with(arguments, "--cache", cache.toString())).json();
        JsonNode second = run(with(arguments, "--cache", cache.toString())).json();
        assertThat(first).isEqualTo(without);
        assertThat(second.path("text")).isEqualTo(without.path("text"));
        assertThat(second.path("cached_tokens").asInt()).isEqualTo(16);
        Path none = folder.resolve("none.cache");
        Result few = run("generate", model.toString(), "to", "--max-tokens", "1", "--cache", none.toString());
        assertThat(few.code).isZero();
        assertThat(few.err).contains("none.cache is not written: ").contains("nothing to keep");
        assertThat(none).doesNotExist();
        Files.writeString(cache, "to be");
        assertFails(run(with(arguments, "--cache", cache.toString())), "conversation.cache", "offset");
    }

    @Test
    void generateWritesWhatItMust() throws IOException {
        Path grammar = Files.writeString(folder.resolve("pairs.gbnf"), "root ::= \"<\" [a-z]{2} \">\" root?");
        String[] generate = {"generate", model.toString(), "to be", "--max-tokens", "9", "--seed", "3"};
        assertThat(run(with(generate, "--regex", "[0-9]{3}-[é]")).out()).matches("[0-9]{3}-é\n");
        assertThat(run(with(generate, "--grammar", grammar.toString())).out()).matches("(<[a-z]{2}>){1,2}\n");
        assertThat(Json.MAPPER
                        .readTree(run(with(generate, "--json-object")).out())
                        .isObject())
                .isTrue();
        Path schema = Files.writeString(folder.resolve("schema.json"), "{\"enum\": [\"red\", 12]}");
        assertThat(run(with(generate, "--json-schema", schema.toString())).out())
                .matches("\"red\"\n|12\n");
        Files.writeString(schema, "{\"items\": {\"not\": {}}}");
        assertFails(run(with(generate, "--json-schema", schema.toString())), "at `/items/not`: this keyword is not");
        assertFails(run(with(generate, "--regex", "a(")), "`(` without `)`, at character 2");
        assertThat(run(with(generate, "--regex", "a", "--json-object")).err).contains("mutually exclusive");
    }

    private static String[] with(String[] arguments, String... more) {
        return Stream.concat(Stream.of(arguments), Stream.of(more)).toArray(String[]::new);
    }

    @Test
    void generateTakesEverySamplingOption() throws IOException {
        Result biased = run(
                "generate",
                model.toString(),
                "to be",
                "--max-tokens",
                "6",
                "--temperature",
                "0",
                "--logit-bias",
                "97=100",
                "--logit-bias",
                "98=-1");
        assertThat(biased.out()).as(biased.err).isEqualTo("aaaaaa\n");
        Result all = run(
                "generate",
                model.toString(),
                "to be",
                "--max-tokens",
                "3",
                "--top-k",
                "5",
                "--top-p",
                "0.9",
                "--min-p",
                "0.01",
                "--typical",
                "0.9",
                "--repetition-penalty",
                "1.1",
                "--presence-penalty",
                "0.1");
        assertThat(all.code).as(all.err).isZero();
        assertFails(run("generate", model.toString(), "a", "--typical", "2"), "typical must be above 0 and at most 1");
        assertFails(run("generate", model.toString(), "a", "--logit-bias", "9999=1"), "bias for token 9999");
    }

    @Test
    void tokenizerTrainEncodeDecodeInfo() throws IOException {
        Path tokenizer = folder.resolve("tokenizer.json");
        Result trained = run("tokenizer", "train", text.toString(), "--vocabulary", "262", "-o", tokenizer.toString());
        assertThat(trained.code).as(trained.err).isZero();
        byte[] bytes = {'t', 'o', ' ', 'b', 'e', (byte) 0xc3, 0, (byte) 0xff, '\r', '\n'};
        Result ids = run(bytes, "tokenizer", "encode", "--tokenizer", tokenizer.toString());
        assertThat(ids.out()).matches("\\[\\d+(, \\d+)*]\n");
        assertThat(run(ids.bytes, "tokenizer", "decode", "--tokenizer", tokenizer.toString()).bytes)
                .isEqualTo(bytes);
        JsonNode info = run("tokenizer", "info", tokenizer.toString(), "--json").json();
        assertThat(info.path("vocabulary").asInt()).isEqualTo(262);
        assertFails(
                run(
                        "[1, 99999]".getBytes(StandardCharsets.UTF_8),
                        "tokenizer",
                        "decode",
                        "--tokenizer",
                        model.toString()),
                "token id 99999",
                "0 to 256");
        assertFails(
                run("[1, x]".getBytes(StandardCharsets.UTF_8), "tokenizer", "decode", "--tokenizer", model.toString()),
                "expected a JSON array of token ids");
    }

    @Test
    void aTokenizerThatIsNotThere() throws IOException {
        Path nothing = Files.createDirectories(folder.resolve("nothing"));
        assertFails(run("tokenizer", "info", nothing.toString()), nothing + ": ", "no tokenizer.json", "vocab.bpe");
        Path nowhere = folder.resolve("nowhere");
        assertFails(run("tokenizer", "info", nowhere.toString()), nowhere + ": ", "no such tokenizer file or folder");
    }

    @Test
    void aModelWithoutTokenizerIsToldToGetOne() throws IOException {
        Path silent = copy("silent");
        Files.delete(silent.resolve("tokenizer.json"));
        assertFails(run("serve", silent.toString(), "--port", "0"), "silent has no tokenizer, so", "put the one");
        assertFails(run("generate", silent.toString(), "to be"), "silent has no tokenizer, so", "put the one");
    }

    @Test
    void badTexts() throws IOException {
        Path empty = Files.createFile(folder.resolve("empty.txt"));
        assertFails(pretrain(empty, folder.resolve("a")), empty.toString(), "is empty", "give a file");
        Path missing = folder.resolve("missing.txt");
        assertFails(pretrain(missing, folder.resolve("a")), "no such file or folder: " + missing);
        Path small = Files.writeString(folder.resolve("small.txt"), "to be");
        assertFails(
                pretrain(small, folder.resolve("a"), "--steps", "1"), "has 6 tokens", "needs 33", "a shorter context");
        Path json = Files.writeString(folder.resolve("bad.jsonl"), "{\"text\":\"good\"}\n{\"text\":\n");
        assertFails(pretrain(json, folder.resolve("a")), "bad.jsonl, line 2", "not valid JSON");
        Path gzip = Files.writeString(folder.resolve("bad.gz"), "not packed");
        assertFails(pretrain(gzip, folder.resolve("a")), "bad.gz", "gzip");
        assertThat(folder.resolve("a")).doesNotExist();
    }

    @Test
    void binaryTextIsTrainedOnAsItIs() throws IOException {
        byte[] bytes = new byte[4000];
        new java.util.Random(1).nextBytes(bytes);
        Path binary = Files.write(folder.resolve("binary.txt"), bytes);
        Result result = pretrain(binary, folder.resolve("binary"), "--steps", "2");
        assertThat(result.code).as(result.err).isZero();
        assertThat(result.err).contains("looks like binary data, and is taken as it is: " + binary);
    }

    @Test
    void brokenModels() throws IOException {
        assertFails(run("info", folder.resolve("nowhere").toString()), "nowhere", "no such file or folder");
        assertFails(run("score", folder.toString(), text.toString()), "is not a model folder", "config.json");
        Path cut = copy("cut");
        Path weights = cut.resolve("model.safetensors");
        byte[] content = Files.readAllBytes(weights);
        Files.write(weights, Arrays.copyOf(content, content.length / 2));
        assertFails(run("info", cut.toString()), weights.toString(), "cut short");
        content[3] = 99;
        Files.write(weights, content);
        assertFails(run("generate", cut.toString(), "x"), weights.toString());
        Files.writeString(cut.resolve("config.json"), "{");
        assertFails(run("info", cut.toString()), "config.json");
        assertFails(run("score", model.toString(), folder.toString()), "is a folder; expected a file of text");
        assertFails(run("score", model.toString(), "--ids", "1,300"), "token id 300", "0 to 256");
        assertFails(run("score", model.toString()), "the text is empty");
    }

    private static Path copy(String name) throws IOException {
        Path to = Files.createDirectories(folder.resolve(name));
        try (Stream<Path> files = Files.list(model)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Files.copy(file, to.resolve(file.getFileName()));
            }
        }
        return to;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "up --depth 0",
                "up --time 0s",
                "up --time soon",
                "up --steps -1",
                "up --port many",
                "pretrain",
                "pretrain x --threads 0",
                "pretrain x --rate -1",
                "pretrain x --clip NaN",
                "pretrain x --schedule zigzag",
                "pretrain x --checkpoint never",
                "pretrain x --tokenizer nothing",
                "generate",
                "generate m --max-tokens few",
                "generate m --logit-bias the=1",
                "score m --ids 1,b",
                "tokenizer",
                "tokenizer shrink",
                "tokenizer train x --vocabulary 0",
                "compress x --threads 0",
                "compress x --block 3q",
                "compress x --block 0",
                "decompress --mix x",
                "dance",
                "--wrong"
            })
    void commandLinesThatMakeNoSense(String line) throws IOException {
        Result result = run(line.split(" "));
        assertThat(result.code).as(result.err).isEqualTo(2);
        assertThat(result.err).startsWith("epitome: ").contains("--help").doesNotContain("\tat ");
        assertThat(result.err.lines().count()).isLessThanOrEqualTo(4);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--heads 64 --width 64 | head dimension",
                "--kv-heads 3 --width 128 | key-value heads",
                "--dropout 1.5 | dropout",
                "--average 1 | average",
                "--warmup -1 | warm-up",
                "--decay 2 | decay"
            })
    void valuesThatDoNotFitTogether(String options, String part) throws IOException {
        assertFails(pretrain(text, folder.resolve("b"), (options + " --steps 1").split(" ")), part);
        assertThat(folder.resolve("b")).doesNotExist();
    }

    @Test
    void tooLittleMemoryIsSaidBeforeTheRun() throws IOException {
        Result result = pretrain(text, folder.resolve("c"), "--width", "65536", "--heads", "1024");
        assertFails(result, "needs about", "of memory", "are available", "Choose");
        assertThat(folder.resolve("c")).doesNotExist();
    }

    static Stream<List<String>> commands() {
        return Stream.of(
                List.of(),
                List.of("up"),
                List.of("pretrain"),
                List.of("reward"),
                List.of("dpo"),
                List.of("align"),
                List.of("align", "pairs"),
                List.of("align", "report"),
                List.of("align", "loop"),
                List.of("align", "rollback"),
                List.of("generate"),
                List.of("score"),
                List.of("serve"),
                List.of("key"),
                List.of("key", "create"),
                List.of("key", "list"),
                List.of("key", "update"),
                List.of("key", "revoke"),
                List.of("price"),
                List.of("price", "set"),
                List.of("price", "list"),
                List.of("usage"),
                List.of("bill"),
                List.of("feedback"),
                List.of("feedback", "export"),
                List.of("moderation"),
                List.of("moderation", "train"),
                List.of("moderation", "evaluate"),
                List.of("info"),
                List.of("compress"),
                List.of("decompress"),
                List.of("tokenizer"),
                List.of("tokenizer", "train"),
                List.of("tokenizer", "encode"),
                List.of("tokenizer", "decode"),
                List.of("tokenizer", "info"));
    }

    @ParameterizedTest
    @MethodSource("commands")
    void helpHasAnExample(List<String> command) throws IOException {
        List<String> arguments = new ArrayList<>(command);
        arguments.add("--help");
        Result result = run(arguments.toArray(String[]::new));
        assertThat(result.code).isZero();
        assertThat(result.out())
                .startsWith("Usage: epitome")
                .contains("Example: ")
                .doesNotContain("\u001b");
    }

    @Test
    void aCommandIsLookedAtAlone() {
        for (String name : Main.commandLine().getSubcommands().keySet()) {
            assertThat(Main.commandLine(name, "--help").getSubcommands().keySet())
                    .hasSize(
                            name.equals("generate-completion")
                                    ? Main.commandLine().getSubcommands().size()
                                    : 1)
                    .contains(name);
        }
    }

    @Test
    void everyCommandIsHere() {
        assertThat(Main.commandLine().getSubcommands().keySet())
                .containsExactlyInAnyOrder(
                        "up",
                        "pretrain",
                        "sft",
                        "tasks",
                        "ppo",
                        "grpo",
                        "best-of-n",
                        "lora",
                        "reward",
                        "dpo",
                        "align",
                        "fine-tuning-job",
                        "export",
                        "quantize",
                        "generate",
                        "chat",
                        "score",
                        "serve",
                        "key",
                        "price",
                        "usage",
                        "bill",
                        "feedback",
                        "moderation",
                        "info",
                        "compress",
                        "decompress",
                        "tokenizer",
                        "split",
                        "measure",
                        "generate-completion");
    }

    @Test
    void completionIsAShellScript() throws IOException, InterruptedException {
        Result result = run("generate-completion");
        assertThat(result.out())
                .startsWith("#!")
                .contains("complete -F _complete_epitome")
                .contains("--depth");
        Path script = Files.write(folder.resolve("completion.sh"), result.bytes);
        assertThat(new ProcessBuilder("bash", "-n", script.toString()).start().waitFor())
                .isZero();
    }

    @Test
    void anUnknownCommandIsCalledThat() throws IOException {
        assertThat(run("dance", "x").err).startsWith("epitome: unknown command 'dance'\n");
        assertThat(run("tokenizer", "shrink").err)
                .startsWith("epitome: unknown command 'shrink'\n")
                .endsWith("See: epitome tokenizer --help\n");
    }

    @Test
    void noArgumentsShowTheUsage() throws IOException {
        Result result = run();
        assertThat(result.code).isEqualTo(2);
        assertThat(result.err).startsWith("Usage: epitome").contains("Commands:");
    }

    @Test
    void aPortInUseIsToldInOneLine() throws IOException {
        String database = folder.resolve("in-use.db").toString(); // not that of whoever runs the tests
        try (java.net.ServerSocket taken = new java.net.ServerSocket(0, 1, java.net.InetAddress.getLoopbackAddress())) {
            String port = String.valueOf(taken.getLocalPort());
            Result result = run("serve", model.toString(), "--port", port, "--database", database);
            assertFails(result, "127.0.0.1:" + port, "in use", "--port 0");
            assertFails(run("up", "--model", model.toString(), "--port", port, "--database", database), "in use");
        }
        assertFails(
                run("serve", model.toString(), model.toString(), "--port", "0", "--database", database),
                "two of the models are called tiny");
        assertFails(
                run("serve", model.toString(), "--port", "70000", "--database", database),
                "between 0",
                "65535",
                "70000");
    }
}
