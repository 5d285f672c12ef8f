package ai.epitome.cli.weights;

import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.cli.CommandResult;
import ai.epitome.model.LoadedModel;
import ai.epitome.model.generation.GenerationDefaults;
import ai.epitome.model.huggingface.ModelFolder;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.text.ByteTokenizer;
import ai.epitome.text.file.Tokenizers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

class ExportCommandTest {
    @TempDir
    Path folder;

    private Path model;
    private Path target;

    @BeforeEach
    void saveModel() throws IOException {
        model = folder.resolve("model");
        target = folder.resolve("out.gguf");
        try (Transformer transformer = new Transformer(TransformerConfig.ofDepth(1, 257, 64))) {
            ModelFolder.save(model, transformer, GenerationDefaults.of(OptionalInt.of(256)));
        }
        Tokenizers.save(new ByteTokenizer(), model);
    }

    private static CommandResult run(Object... arguments) throws IOException {
        return CommandResult.run(
                new byte[0], Stream.of(arguments).map(Object::toString).toArray(String[]::new));
    }

    private void fails(int code, String reason, Object... arguments) throws IOException {
        CommandResult result = run(arguments);
        assertThat(result.code()).as(result.err()).isEqualTo(code);
        assertThat(result.err()).contains(reason).doesNotContain("mistake in Epitome");
    }

    private List<String> files() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void theFileIsAModel() throws IOException {
        CommandResult result = run("export", model, "-o", target);
        assertThat(result.code()).as(result.err()).isZero();
        assertThat(result.out()).startsWith(target + ": ").contains("tensors: 13 F32");
        try (LoadedModel opened = LoadedModel.open(target)) {
            assertThat(opened.tokenizer().orElseThrow().vocabularySize()).isEqualTo(257);
        }
        assertThat(files()).containsExactly("model", "out.gguf");
    }

    @Test
    void theFolderIsAModel() throws IOException {
        Path out = folder.resolve("out");
        assertThat(run("export", model, "-o", out, "--dtype", "bf16").out()).contains("tensors: 13 BF16");
        try (LoadedModel opened = LoadedModel.open(out)) {
            assertThat(opened.tokenizer().orElseThrow().vocabularySize()).isEqualTo(257);
        }
        fails(1, "is a folder that is there already", "export", model, "-o", out, "-f");
    }

    @Test
    void quantizeSaysWhatEachTensorGot() throws IOException {
        JsonNode json =
                run("quantize", model, "-o", target, "--type", "q4_0", "--json").json();
        assertThat(json.path("tensors").toString()).isEqualTo("{\"F32\":5,\"Q4_0\":7,\"Q8_0\":1}");
        assertThat(json.path("bytes").longValue()).isEqualTo(Files.size(target));
        assertThat(run("quantize", model, "-o", target, "--type", "Q4_0", "--pure", "-f")
                        .out())
                .contains("5 F32, 8 Q4_0");
    }

    @Test
    void whatMakesNoSenseIsRefusedInALine() throws IOException {
        fails(1, "nowhere: no such file or folder", "export", folder.resolve("nowhere"), "-o", target);
        fails(1, "no such file or folder: " + folder.resolve("x"), "export", model, "-o", folder.resolve("x/y.gguf"));
        fails(1, "is not a folder", "export", model, "-o", model.resolve("config.json/y.gguf"));
        fails(1, "is a folder that is there already", "export", model, "-o", model, "--format", "gguf");
        fails(1, "llama2.c computes models", "export", model, "-o", folder.resolve("out.bin"));
        fails(1, "reads f32 only", "export", model, "-o", folder.resolve("out.bin"), "--dtype", "f16");
        fails(2, "--format", "export", model, "-o", target, "--format", "onnx");
        fails(2, "--type", "quantize", model, "-o", target, "--type", "Q3_K");
        fails(2, "--type", "quantize", model, "-o", target);
        fails(2, "--output", "export", model);
        assertThat(files()).containsExactly("model");
    }

    @Test
    void whatIsThereIsReplacedOnRequestOnly() throws IOException {
        Files.writeString(target, "mine");
        fails(1, "is there already; -f replaces it", "export", model, "-o", target);
        assertThat(target).hasContent("mine");
        assertThat(run("export", model, "-o", target, "-f").code()).isZero();
        fails(1, "is the model that is read", "export", target, "-o", target, "-f");
        assertThat(Files.size(target)).isGreaterThan(1000);
    }
}
