package ai.epitome.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.epitome.model.export.GgufExport;
import ai.epitome.model.export.Quantization;
import ai.epitome.model.export.SafetensorsExport;
import ai.epitome.model.export.StoredModel;
import ai.epitome.model.file.MalformedModelException;
import ai.epitome.model.generation.GenerationDefaults;
import ai.epitome.model.huggingface.ModelFolder;
import ai.epitome.model.huggingface.Safetensors;
import ai.epitome.model.huggingface.SafetensorsWriter;
import ai.epitome.model.huggingface.SafetensorsWriter.Item;
import ai.epitome.model.transformer.Dropout;
import ai.epitome.model.transformer.Sequences;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.tensor.DType;
import ai.epitome.tensor.StepArena;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.autograd.Tape;
import ai.epitome.tensor.format.BlockFormat;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Logits beside those of transformers, of its models here and of ours there. Wants `-Depitome.python=PYTHON`, one that
/// has transformers (5.18), torch and safetensors.
class TransformersTest {
    private static final double TOLERANCE = 1e-4;
    private static final Path SCRIPT = Path.of("src/test/resources/transformers/models.py");

    @TempDir
    private static Path theirs;

    @TempDir
    private Path folder;

    @BeforeAll
    static void makeModels() throws IOException, InterruptedException {
        assumeTrue(
                System.getProperty("epitome.python") != null,
                "logits are not compared with transformers: that wants -Depitome.python=PYTHON");
        python("make", theirs.toString());
    }

    private static void python(String... arguments) throws IOException, InterruptedException {
        Path script = Files.exists(SCRIPT) ? SCRIPT : Path.of("model").resolve(SCRIPT);
        List<String> command = new ArrayList<>(List.of(System.getProperty("epitome.python")));
        command.add(script.toString());
        command.addAll(List.of(arguments));
        Path output = Files.createTempFile("transformers", ".txt");
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(Redirect.to(output.toFile()))
                .start();
        assertThat(process.waitFor()).as(Files.readString(output)).isZero();
        Files.delete(output);
    }

    private static float[] floats(Safetensors file, String name) {
        return file.entries().get(name).tensor().toFloats();
    }

    private static int[] tokens(Safetensors file) {
        return file.entries().get("tokens").tensor().toInts();
    }

    private static float[] logits(Transformer model, int[] tokens) {
        try (StepArena arena = new StepArena()) {
            Tape tape = new Tape(Reference.BACKEND, arena, false);
            Tensor hidden = model.hidden(tape, new Sequences(tokens, 1), Dropout.NONE);
            return model.logits(tape, hidden).toFloats();
        }
    }

    private static void requireClose(float[] found, float[] expected) {
        assertThat(found).hasSize(expected.length);
        for (int i = 0; i < found.length; i++) {
            assertThat((double) found[i]).as("logit %d", i).isCloseTo(expected[i], within(TOLERANCE));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "gpt2",
                "llama",
                "llama-tied-sharded",
                "llama-biases",
                "llama-attention-bias-head-dim",
                "llama-linear",
                "llama-llama3",
                "llama-yarn",
                "llama-yarn-other",
                "qwen3-yarn",
                "mistral-window",
                "mistral",
                "qwen2-sharded",
                "qwen2-window",
                "qwen2-window-unused",
                "qwen3"
            })
    void theirModelsGiveTheirLogits(String name) throws IOException {
        Path source = theirs.resolve(name);
        assertThat(Files.exists(source.resolve("model.safetensors.index.json"))).isEqualTo(name.endsWith("sharded"));
        try (Transformer model = ModelFolder.loadTransformer(source);
                Safetensors expected = Safetensors.open(source.resolve("expected.safetensors.out"))) {
            requireClose(logits(model, tokens(expected)), floats(expected, "logits"));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "refused-yarn, `truncate` false",
        "refused-dynamic, rope scaling \"dynamic\" is not supported",
        "refused-window-of-some-layers, mixing layers with and without a sliding window",
        "refused-layer-types, mixing layers with and without a sliding window",
        "refused-partial-rotary, `partial_rotary_factor` other than 1"
    })
    void whatIsNotComputedIsRefused(String name, String reason) {
        assertThatThrownBy(() -> ModelFolder.config(theirs.resolve(name)))
                .isInstanceOf(MalformedModelException.class)
                .hasMessageContaining(reason);
    }

    private Map<String, Path> ourModels() throws IOException {
        Path stories =
                Path.of(System.getProperty("epitome.shared", "../shared"), "data/weights/stories260K/stories260K.bin");
        Path modern = folder.resolve("modern");
        try (Transformer model = Models.modern(64)) {
            ModelFolder.save(modern, model, GenerationDefaults.of(OptionalInt.empty()));
        }
        return Map.of("stories", stories, "modern", modern, "mistral", theirs.resolve("mistral-window"));
    }

    /// GGUF has no windows.
    private Path gguf(Path source) throws IOException {
        Path file = folder.resolve(source.getFileName() + ".gguf");
        try (StoredModel model = StoredModel.open(source)) {
            GgufExport.write(model, Quantization.pure(BlockFormat.F32), file, _ -> {});
        }
        return file;
    }

    @Test
    void ourModelsGiveOurLogitsThere() throws IOException, InterruptedException {
        for (Map.Entry<String, Path> source : ourModels().entrySet()) {
            Path exported = folder.resolve(source.getKey() + "-exported");
            Path from = source.getKey().equals("mistral") ? source.getValue() : gguf(source.getValue());
            try (StoredModel model = StoredModel.open(from)) {
                SafetensorsExport.write(model, DType.F32, exported, _ -> {});
            }
            try (LoadedModel model = LoadedModel.open(source.getValue())) {
                int[] tokens = new Random(1)
                        .ints(40, 3, model.transformer().config().vocabulary())
                        .toArray();
                Path asked = folder.resolve(source.getKey() + ".safetensors");
                write(asked, tokens);
                python("judge", exported.toString(), asked.toString());
                try (Safetensors answer = Safetensors.open(Path.of(asked + ".out"))) {
                    requireClose(logits(model.transformer(), tokens), floats(answer, "logits"));
                }
            }
        }
    }

    private static void write(Path file, int[] tokens) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            SafetensorsWriter.write(
                    file, Map.of(), List.of(Item.of("tokens", Tensor.ofInts(arena, tokens, 1, tokens.length))));
        }
    }
}
