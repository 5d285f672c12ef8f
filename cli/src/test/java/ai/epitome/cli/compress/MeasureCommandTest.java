package ai.epitome.cli.compress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.epitome.cli.CommandResult;
import ai.epitome.cli.terminal.Json;
import ai.epitome.compress.ModelHashes;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// A byte model of a text whose letters are drawn from two, which has a bit a byte: the model comes near to it, and
/// compressors that count in longer pieces do not.
class MeasureCommandTest {
    private static final int STEPS = 60;

    @TempDir
    static Path folder;

    private static Path training;
    private static Path model;
    private static Path file;

    @BeforeAll
    static void trains() throws IOException {
        training = Files.write(folder.resolve("training.txt"), letters(30_000, 1));
        file = Files.write(folder.resolve("file.txt"), letters(20_000, 2));
        model = folder.resolve("model");
        done((Object[]) "pretrain %s -o %s --depth 1 --context 32 --batch 4 --threads 1 --steps %d"
                .formatted(training, model, STEPS)
                .split(" "));
    }

    private static byte[] letters(int length, long seed) {
        Random random = new Random(seed);
        byte[] text = new byte[length];
        for (int i = 0; i < length; i++) {
            text[i] = (byte) (random.nextBoolean() ? 'a' : 'b');
        }
        return text;
    }

    private static CommandResult run(Object... arguments) throws IOException {
        return CommandResult.run(
                new byte[0], Arrays.stream(arguments).map(Object::toString).toArray(String[]::new));
    }

    private static CommandResult done(Object... arguments) throws IOException {
        CommandResult result = run(arguments);
        assertThat(result.code()).as(result.err()).isZero();
        return result;
    }

    private static JsonNode measured(Path... files) throws IOException {
        List<Object> arguments = new ArrayList<>(List.of("measure", "-m", model, "--json"));
        arguments.addAll(List.of(files));
        return done(arguments.toArray()).json();
    }

    private static JsonNode other(JsonNode measured, String name) {
        return measured.path("others")
                .valueStream()
                .filter(line -> line.path("name").asString().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private static void assertFails(CommandResult result, String part) {
        assertThat(result.code()).as(result.err()).isEqualTo(1);
        assertThat(result.err()).startsWith("epitome: ").contains(part).doesNotContain("Exception");
        assertThat(result.bytes()).isEmpty();
    }

    @Test
    void sizesAreThoseOfRealArchives() throws IOException {
        JsonNode one = measured(file).at("/files/0");
        assertThat(one.path("name").asString()).isEqualTo(file.toString());
        assertThat(one.path("bytes").asInt()).isEqualTo(20_000);
        assertThat(one.path("sha256").asString())
                .isEqualTo(HexFormat.of().formatHex(ModelHashes.sha256().digest(letters(20_000, 2))));
        byte[] archive = done("compress", "-c", "-m", model, file).bytes();
        assertThat(one.at("/model/payload").asInt()).isEqualTo(archive.length);
        assertThat(one.at("/model/bits_per_byte").asDouble())
                .isCloseTo(archive.length * 8 / 20_000.0, within(1e-12))
                .isBetween(1.0, 1.2); // a bit is what there is
        byte[] mixed = done("compress", "-c", file).bytes();
        assertThat(other(one, "epitome --mix").path("payload").asInt()).isEqualTo(mixed.length);
        byte[] smaller =
                done("compress", "-c", "-m", model, "--block", "1k", file).bytes();
        assertThat(done("measure", file, "-m", model, "--block", "1k", "--json")
                        .json()
                        .at("/files/0/model/payload")
                        .asInt())
                .isEqualTo(smaller.length)
                .isGreaterThan(archive.length);
    }

    @Test
    void breakEvenIsModelByDifferenceOfRates() throws IOException {
        JsonNode json = measured(file);
        long files = Files.size(model.resolve("model.safetensors"))
                + Files.size(model.resolve("config.json"))
                + Files.size(model.resolve("tokenizer.json"));
        assertThat(json.at("/model/bytes").asLong()).isEqualTo(files);
        long weights = 4 * json.at("/model/parameters").asLong();
        assertThat(json.at("/model/weights").asLong()).isBetween(weights, weights + 5_000);
        assertThat(json.at("/model/bf16_bytes").asLong()).isBetween(files - weights / 2 - 5_000, files - weights / 2);
        JsonNode one = json.at("/files/0");
        long payload = one.at("/model/payload").asLong();
        assertThat(one.at("/model/with_model").asLong()).isEqualTo(payload + files);
        double rate = 8.0 * payload / 20_000;
        int pays = 0;
        long best = Long.MAX_VALUE;
        for (JsonNode line : one.path("others")) {
            double difference = line.path("bits_per_byte").asDouble() - rate;
            best = Math.min(best, line.path("payload").asLong());
            assertThat(line.path("break_even").isNull()).isEqualTo(difference <= 0);
            if (difference > 0) {
                pays++;
                assertThat(line.path("break_even").asDouble()).isCloseTo(8 * files / difference, within(2.0));
            }
        }
        assertThat(pays).isPositive();
        assertThat(one.path("others").size()).isEqualTo(5);
        String name = one.at("/best_other/name").asString();
        assertThat(other(one, name).path("payload").asLong()).isEqualTo(best);
        assertThat(one.at("/best_other/break_even")).isEqualTo(other(one, name).path("break_even"));
    }

    @Test
    void aModelThatIsNoBetterNeverPays() throws IOException {
        Path easy = Files.writeString(folder.resolve("easy.txt"), "c".repeat(5_000));
        JsonNode json = measured(easy, file);
        JsonNode one = json.at("/files/0");
        assertThat(one.path("others"))
                .allSatisfy(line -> assertThat(line.path("break_even").isNull()).isTrue());
        assertThat(one.at("/best_other/break_even").isNull()).isTrue();
        assertThat(done("measure", easy, "-m", model).out())
                .containsPattern("xz -9e +[0-9]+ +0\\.[0-9]{4} +[0-9.]+  never\\R")
                .contains("the best of the others, the model never pays");
    }

    @Test
    void severalFilesAddUpWithOneModel() throws IOException {
        Path second = Files.write(folder.resolve("second.txt"), letters(7_000, 3));
        JsonNode json = measured(file, second);
        assertThat(json.path("files").size()).isEqualTo(3);
        JsonNode sum = json.at("/files/2");
        assertThat(sum.path("name").asString()).isEqualTo("2 files");
        assertThat(sum.path("bytes").asInt()).isEqualTo(27_000);
        for (String field : new String[] {"/model/payload", "/others/3/payload"}) {
            assertThat(sum.at(field).asInt())
                    .isEqualTo(json.at("/files/0" + field).asInt()
                            + json.at("/files/1" + field).asInt());
        }
        assertThat(sum.at("/model/with_model").asLong())
                .isEqualTo(sum.at("/model/payload").asLong()
                        + json.at("/model/bytes").asLong());
    }

    @Test
    void theTrainingRunIsACodeToo() throws IOException {
        double bits = 0;
        long tokens = 0;
        for (String line : Files.readAllLines(model.resolve("log.jsonl"))) {
            JsonNode step = Json.MAPPER.readTree(line);
            bits += step.path("loss").asDouble() * (step.path("tokens").asLong() - tokens) / Math.log(2);
            tokens = step.path("tokens").asLong();
        }
        JsonNode code = measured(file).path("prequential");
        assertThat(code.path("steps").asInt()).isEqualTo(STEPS);
        long bytes = code.path("text_bytes").asLong();
        assertThat(bytes).isBetween(tokens - 1, tokens); // the token that ends the text is no byte
        assertThat(code.path("batches_bits").asDouble()).isCloseTo(bits, within(1e-6 * bits));
        assertThat(code.path("bits_per_byte").asDouble())
                .isCloseTo((bits + code.path("besides_bits").asDouble()) / bytes, within(1e-6));
        assertThat(done("measure", file, "-m", model).out())
                .contains("its training run as a code: %,d bytes of text".formatted(bytes));
    }

    @Test
    void compressorsMayReadTheTrainingTextBefore() throws IOException {
        Path copy = Files.write(folder.resolve("copy.txt"), letters(30_000, 1));
        JsonNode one = done("measure", copy, "-m", model, "--json", "--training", training)
                .json()
                .at("/files/0");
        JsonNode xz = other(one, "xz -9e");
        assertThat(xz.path("given_training").asLong())
                .isLessThan(xz.path("payload").asLong() / 10);
        assertThat(other(one, "epitome --mix").has("given_training")).isFalse();
        assertThat(done("measure", copy, "-m", model, "--training", training).out())
                .contains("given training");
    }

    @Test
    void whatCannotBeMeasuredIsNamed() throws IOException {
        Path empty = Files.createFile(folder.resolve("empty"));
        assertFails(run("measure", empty, "-m", model), empty + " is empty");
        assertFails(run("measure", folder, "-m", model), folder + " is a folder");
        assertFails(run("measure", folder.resolve("none"), "-m", model), "no such file");
        assertFails(run("measure", file, "-m", folder.resolve("none")), "no such model folder");
        assertFails(run("measure", file, "-m", folder), "is not a model folder");
        assertFails(run("measure", file, "-m", model, "--training", folder.resolve("none")), "no such file");
        CommandResult without = run("measure", file);
        assertThat(without.code()).isEqualTo(2);
        assertThat(without.err()).contains("--model");
    }

    @Test
    void aModelFromElsewhereHasNoTrainingRun() throws IOException {
        Path bare = Files.createDirectory(folder.resolve("bare"));
        for (String name : new String[] {"model.safetensors", "config.json", "tokenizer.json"}) {
            Files.copy(model.resolve(name), bare.resolve(name));
        }
        assertThat(done("measure", file, "-m", bare).out())
                .contains("no prequential code of a training run: the folder has no log.jsonl");
        assertThat(new String(done("measure", file, "-m", bare, "--json").bytes(), StandardCharsets.UTF_8))
                .contains("\"prequential\":{\"unknown\":");
    }

    @Test
    void aModelMayBeAFile() throws IOException {
        Path stories = Path.of(System.getProperty("epitome.shared", "../shared"), "data", "weights", "stories260K");
        assumeTrue(Files.isDirectory(stories), () -> stories + " is not there: no file is measured with");
        Path weights = stories.resolve("stories260K.bin");
        JsonNode json = done("measure", file, "-m", weights, "--json").json();
        assertThat(json.at("/model/weights").asLong()).isEqualTo(Files.size(weights));
        assertThat(json.at("/model/tokenizer").asLong()).isEqualTo(Files.size(stories.resolve("tok512.bin")));
        assertThat(json.at("/model/config").asLong()).isZero();
        assertThat(json.at("/prequential/unknown").asString()).contains("it is a file");
    }
}
