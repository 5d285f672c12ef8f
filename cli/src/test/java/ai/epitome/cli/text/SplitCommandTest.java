package ai.epitome.cli.text;

import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.cli.CommandResult;
import ai.epitome.cli.terminal.Json;
import ai.epitome.compress.ModelHashes;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

class SplitCommandTest {
    @TempDir
    Path folder;

    private Path heldOut;
    private Path training;

    @BeforeEach
    void names() {
        heldOut = folder.resolve("held-out.txt");
        training = folder.resolve("training.txt");
    }

    private CommandResult split(Path text, String... more) throws IOException {
        String[] arguments = {"split", text.toString(), "--held-out", heldOut.toString()};
        String[] all = Arrays.copyOf(arguments, arguments.length + more.length);
        System.arraycopy(more, 0, all, arguments.length, more.length);
        return CommandResult.run(new byte[0], all);
    }

    private static String sha256(byte[] bytes) {
        return HexFormat.of().formatHex(ModelHashes.sha256().digest(bytes));
    }

    @Test
    void fewDocumentsAreCutByPosition() throws IOException {
        byte[] content = "to be, or not to be\n".repeat(500).getBytes(StandardCharsets.UTF_8);
        Path text = Files.write(folder.resolve("text.txt"), content);
        CommandResult result = split(text, "--training", training.toString());
        assertThat(result.code()).as(result.err()).isZero();
        assertThat(heldOut).hasBinaryContent(Arrays.copyOfRange(content, 9_000, 10_000));
        assertThat(training).hasBinaryContent(Arrays.copyOf(content, 9_000));
        assertThat(result.out())
                .startsWith("held out: the last 10 % of the bytes (everything from byte 9,000 on)")
                .containsPattern("training +1 +9,000 +[0-9a-f]{64}  " + training)
                .containsPattern(
                        "held out +1 +1,000  " + sha256(Arrays.copyOfRange(content, 9_000, 10_000)) + "  " + heldOut);
    }

    @Test
    void manyDocumentsAreSplitByTheirHash() throws IOException {
        String lines = IntStream.range(0, 1_500)
                .mapToObj(i -> "{\"text\": \"the text of number %d\"}\n".formatted(i))
                .collect(Collectors.joining());
        Path text = Files.writeString(folder.resolve("text.jsonl"), lines);
        ByteArrayOutputStream expected = new ByteArrayOutputStream();
        int documents = 0;
        for (int i = 0; i < 1_500; i++) {
            byte[] document = "the text of number %d".formatted(i).getBytes(StandardCharsets.UTF_8);
            BigInteger first = new BigInteger(sha256(document).substring(0, 16), 16);
            // below 1 % of 2^64
            if (first.multiply(BigInteger.valueOf(100)).bitLength() <= 64) {
                expected.write(document);
                documents++;
            }
        }
        JsonNode json = split(text, "--json").json();
        assertThat(documents).isBetween(5, 30);
        assertThat(heldOut).hasBinaryContent(expected.toByteArray());
        assertThat(json.at("/split/rule").asString()).isEqualTo("document_hash");
        assertThat(json.at("/split/fraction").asDouble()).isEqualTo(0.01);
        assertThat(json.at("/held_out/documents").asInt()).isEqualTo(documents);
        assertThat(json.at("/held_out/bytes").asInt()).isEqualTo(expected.size());
        assertThat(json.at("/held_out/sha256").asString()).isEqualTo(sha256(expected.toByteArray()));
        assertThat(json.at("/train/documents").asInt()).isEqualTo(1_500 - documents);
        assertThat(json.at("/train/file").isMissingNode()).isTrue();
    }

    /// What pretrain writes down of its split is what split says.
    @Test
    void isTheSplitOfPretrain() throws IOException {
        String lines = IntStream.range(0, 300)
                .mapToObj(i -> "{\"text\": \"%d is a number\"}\n".formatted(i * i))
                .collect(Collectors.joining());
        Path text = Files.writeString(folder.resolve("text.jsonl"), lines);
        Path model = folder.resolve("model");
        CommandResult trained = CommandResult.run(
                new byte[0],
                ("pretrain %s -o %s --depth 1 --context 16 --batch 2 --steps 1 --threads 1".formatted(text, model))
                        .split(" "));
        assertThat(trained.code()).as(trained.err()).isZero();
        JsonNode data = Json.MAPPER.readTree(model.resolve("data.json").toFile());
        JsonNode json = split(text, "--json").json();
        assertThat(json.path("split")).isEqualTo(data.path("split"));
        for (String side : new String[] {"train", "held_out"}) {
            for (String count : new String[] {"documents", "bytes"}) {
                assertThat(json.path(side).path(count))
                        .isEqualTo(data.path(side).path(count));
            }
        }
    }

    @Test
    void filesAreReplacedWholeAndTextsNever() throws IOException {
        Path text = Files.writeString(folder.resolve("text.txt"), "to be, or not to be\n");
        Files.writeString(heldOut, "old");
        heldOut = text;
        CommandResult same = split(text);
        assertThat(same.code()).isEqualTo(1);
        assertThat(same.err()).startsWith("epitome: " + text + " is one of the texts that are split");
        assertThat(text).hasContent("to be, or not to be\n");
        heldOut = training;
        CommandResult twice = split(text, "--training", training.toString());
        assertThat(twice.code()).isEqualTo(1);
        assertThat(twice.err()).contains("--held-out and --training both name");
        assertThat(training).doesNotExist();
        heldOut = folder.resolve("held-out.txt");
        assertThat(split(text).code()).isZero();
        assertThat(heldOut).hasContent("e\n");
        assertThat(folder).isDirectoryNotContaining("glob:**.part");
    }

    @Test
    void filesOfAFolderAreNotReplacedEither() throws IOException {
        Path texts = Files.createDirectory(folder.resolve("texts"));
        Path inner = Files.createDirectory(texts.resolve("more"));
        Path text = Files.writeString(inner.resolve("text.txt"), "to be, or not to be\n");
        heldOut = text;
        CommandResult result = split(texts);
        assertThat(result.code()).isEqualTo(1);
        assertThat(result.err()).startsWith("epitome: " + text + " is one of the texts that are split");
        assertThat(text).hasContent("to be, or not to be\n");
    }

    @Test
    void nothingIsWrittenAmongTheTextsOfAFolder() throws IOException {
        Path texts = Files.createDirectory(folder.resolve("texts"));
        Files.writeString(texts.resolve("text.txt"), "to be, or not to be\n");
        heldOut = texts.resolve("held-out.txt");
        CommandResult result = split(texts);
        assertThat(result.code()).isEqualTo(1);
        assertThat(result.err()).startsWith("epitome: " + heldOut + " lies in " + texts);
        assertThat(heldOut).doesNotExist();
    }

    @Test
    void twoSpellingsOfOneNameAreOneFile() throws IOException {
        Path text = Files.writeString(folder.resolve("text.txt"), "to be, or not to be\n");
        Path inner = Files.createDirectory(folder.resolve("inner"));
        CommandResult result = split(
                text, "--training", inner.resolve("..").resolve("held-out.txt").toString());
        assertThat(result.code()).isEqualTo(1);
        assertThat(result.err()).contains("--held-out and --training both name");
        assertThat(heldOut).doesNotExist();
    }

    @Test
    void whatIsMissingIsNamed() throws IOException {
        CommandResult result = split(folder.resolve("none.txt"));
        assertThat(result.code()).isEqualTo(1);
        assertThat(result.err()).startsWith("epitome: no such file or folder: ").contains("none.txt");
        assertThat(heldOut).doesNotExist();
        assertThat(CommandResult.run(new byte[0], "split").code()).isEqualTo(2);
    }
}
