package ai.epitome.cli.text;

import static ai.epitome.cli.CommandResult.run;
import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.cli.CommandResult;
import ai.epitome.cli.TinyModel;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// `epitome tokenizer`.
class TokenizerCommandTest {
    @TempDir
    static Path folder;

    private static TinyModel tiny;

    @BeforeAll
    static void trains() throws IOException {
        tiny = TinyModel.in(folder);
    }

    @Test
    void tokenizerTrainEncodeDecodeInfo() throws IOException {
        Path tokenizer = folder.resolve("tokenizer.json");
        CommandResult trained =
                run("tokenizer", "train", tiny.text().toString(), "--vocabulary", "262", "-o", tokenizer.toString());
        assertThat(trained.code()).as(trained.err()).isZero();
        byte[] bytes = {'t', 'o', ' ', 'b', 'e', (byte) 0xc3, 0, (byte) 0xff, '\r', '\n'};
        CommandResult ids = run(bytes, "tokenizer", "encode", "--tokenizer", tokenizer.toString());
        assertThat(ids.out()).matches("\\[\\d+(, \\d+)*]\n");
        assertThat(run(ids.bytes(), "tokenizer", "decode", "--tokenizer", tokenizer.toString())
                        .bytes())
                .isEqualTo(bytes);
        JsonNode info = run("tokenizer", "info", tokenizer.toString(), "--json").json();
        assertThat(info.path("vocabulary").asInt()).isEqualTo(262);
        run(
                        "[1, 99999]".getBytes(StandardCharsets.UTF_8),
                        "tokenizer",
                        "decode",
                        "--tokenizer",
                        tiny.model().toString())
                .assertFails("token id 99999", "0 to 256");
        run(
                        "[1, x]".getBytes(StandardCharsets.UTF_8),
                        "tokenizer",
                        "decode",
                        "--tokenizer",
                        tiny.model().toString())
                .assertFails("expected a JSON array of token ids");
    }

    @Test
    void aTokenizerThatIsNotThere() throws IOException {
        Path nothing = Files.createDirectories(folder.resolve("nothing"));
        run("tokenizer", "info", nothing.toString()).assertFails(nothing + ": ", "no tokenizer.json", "vocab.bpe");
        Path nowhere = folder.resolve("nowhere");
        run("tokenizer", "info", nowhere.toString()).assertFails(nowhere + ": ", "no such tokenizer file or folder");
    }
}
