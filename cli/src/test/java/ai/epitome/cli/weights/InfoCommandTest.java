package ai.epitome.cli.weights;

import static ai.epitome.cli.CommandResult.run;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.epitome.cli.TinyModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// `epitome info`: what it tells of models, whole and broken ones.
class InfoCommandTest {
    @TempDir
    static Path folder;

    private static TinyModel tiny;

    @BeforeAll
    static void trains() throws IOException {
        tiny = TinyModel.in(folder);
    }

    @Test
    void infoAsTextAndAsJson() throws IOException {
        assertThat(run("info", tiny.model().toString()).out())
                .containsPattern("layers +1\n")
                .contains("tokenizer ");
        JsonNode json = run("info", tiny.model().toString(), "--json").json();
        assertThat(json.path("name").asString()).isEqualTo("tiny");
        assertThat(json.path("width").asInt()).isEqualTo(64);
        assertThat(json.path("context").asInt()).isEqualTo(32);
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
        run("generate", file.toString(), "a").assertFails(file.toString(), "tensor `token_embd.weight` is missing");
    }

    @Test
    void brokenModels() throws IOException {
        run("info", folder.resolve("nowhere").toString()).assertFails("nowhere", "no such file or folder");
        run("score", folder.toString(), tiny.text().toString()).assertFails("is not a model folder", "config.json");
        Path cut = tiny.copy("cut");
        Path weights = cut.resolve("model.safetensors");
        byte[] content = Files.readAllBytes(weights);
        Files.write(weights, Arrays.copyOf(content, content.length / 2));
        run("info", cut.toString()).assertFails(weights.toString(), "cut short");
        content[3] = 99;
        Files.write(weights, content);
        run("generate", cut.toString(), "x").assertFails(weights.toString());
        Files.writeString(cut.resolve("config.json"), "{");
        run("info", cut.toString()).assertFails("config.json");
        run("score", tiny.model().toString(), folder.toString()).assertFails("is a folder; expected a file of text");
        run("score", tiny.model().toString(), "--ids", "1,300").assertFails("token id 300", "0 to 256");
        run("score", tiny.model().toString()).assertFails("the text is empty");
    }
}
