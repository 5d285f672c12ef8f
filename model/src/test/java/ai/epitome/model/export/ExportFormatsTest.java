package ai.epitome.model.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.epitome.model.LoadedModel;
import ai.epitome.model.Models;
import ai.epitome.model.StoredModels;
import ai.epitome.model.generation.GenerationDefaults;
import ai.epitome.model.huggingface.GenerationConfigFile;
import ai.epitome.model.huggingface.ModelFolder;
import ai.epitome.model.huggingface.Safetensors;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.model.transformer.TransformerConfig.Position;
import ai.epitome.tensor.DType;
import ai.epitome.tensor.format.BlockFormat;
import ai.epitome.text.ByteTokenizer;
import ai.epitome.text.file.Tokenizers;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Folders for transformers and files for llama2.c.
class ExportFormatsTest {
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    @TempDir
    private Path folder;

    private Path saved(TransformerConfig config) throws IOException {
        try (Transformer model = Models.drawn(config)) {
            return StoredModels.folder(folder.resolve("model"), model, new ByteTokenizer());
        }
    }

    private static Path stories() {
        Path file =
                Path.of(System.getProperty("epitome.shared", "../shared"), "data/weights/stories260K/stories260K.bin");
        assumeTrue(Files.exists(file), () -> file + " is not there: it is not exported");
        return file;
    }

    private Path exportFolder(Path source, DType dtype, String name) throws IOException {
        try (StoredModel model = StoredModel.open(source)) {
            SafetensorsExport.write(model, dtype, folder.resolve(name), part -> {});
        }
        return folder.resolve(name);
    }

    private static void assertSame(Path first, Path second) throws IOException {
        try (LoadedModel before = LoadedModel.open(first);
                LoadedModel after = LoadedModel.open(second)) {
            assertThat(after.transformer().config())
                    .isEqualTo(before.transformer().config());
            assertThat(StoredModels.weights(after.transformer())).isEqualTo(StoredModels.weights(before.transformer()));
            assertThat(after.defaults()).isEqualTo(before.defaults());
            String text = "One day, Lily";
            assertThat(after.tokenizer().orElseThrow().encode(text))
                    .isEqualTo(before.tokenizer().orElseThrow().encode(text));
        }
    }

    @Test
    void foldersComeBack() throws IOException {
        Path modern = saved(Models.modern(64).config());
        assertSame(modern, exportFolder(modern, DType.F32, "modern"));
        Path classic = saved(Models.classic(64).config());
        assertSame(classic, exportFolder(classic, DType.F32, "classic"));
        Path llama2c = stories();
        Path story = exportFolder(llama2c, DType.F32, "story");
        assertSame(llama2c, story);
        assertThat(story.resolve("tokenizer.model")).exists();
    }

    /// GPT-2's matrices are transposed in folders and are not in GGUF.
    @Test
    void matricesOfAGgufFileAreTransposedForGpt2() throws IOException {
        Path classic = saved(Models.classic(64).config().with(c -> c.normEpsilon = 1e-5f));
        Path gguf = folder.resolve("model.gguf");
        try (StoredModel model = StoredModel.open(classic)) {
            GgufExport.write(model, Quantization.pure(BlockFormat.F32), gguf, part -> {});
        }
        Path back = exportFolder(gguf, DType.F32, "back");
        try (LoadedModel before = LoadedModel.open(classic);
                LoadedModel after = LoadedModel.open(back)) {
            assertThat(StoredModels.weights(after.transformer())).isEqualTo(StoredModels.weights(before.transformer()));
        }
    }

    @Test
    void configAndTensorsHaveTheTypeThatWasAskedFor() throws IOException {
        Path source = saved(Models.modern(64).config());
        Path half = exportFolder(source, DType.BF16, "half");
        assertThat(half.resolve("config.json")).content().contains("\"bfloat16\"");
        try (Safetensors weights = Safetensors.open(half.resolve("model.safetensors"));
                StoredModel model = StoredModel.open(half)) {
            assertThat(weights.entries().values())
                    .allSatisfy(entry -> assertThat(entry.element()).isEqualTo(Safetensors.Element.BF16));
            assertThat(model.plainFormat()).isEqualTo(BlockFormat.BF16);
        }
    }

    @Test
    void endsOfTextAndTheChatTemplateAreKept() throws IOException {
        Path source = saved(Models.modern(64).config());
        Files.writeString(
                source.resolve("tokenizer_config.json"),
                "{\"chat_template\": [{\"name\": \"tools\","
                        + " \"template\": \"no\"}, {\"name\": \"default\", \"template\": \"yes\"}]}");
        Files.writeString(
                source.resolve(GenerationConfigFile.NAME), "{\"bos_token_id\": 1, \"eos_token_id\": [256, 2]}");
        Path out = exportFolder(source, DType.F32, "out");
        assertThat(out.resolve("tokenizer_config.json")).content().contains("\"eos_token\" : \"<|endoftext|>\"");
        try (StoredModel model = StoredModel.open(out)) {
            assertThat(model.chatTemplates()).isEqualTo(Map.of("default", "yes", "tools", "no"));
            assertThat(model.defaults().endOfText()).isEqualTo(Set.of(256, 2));
            assertThat(model.defaults().beginOfText()).isEqualTo(OptionalInt.of(1));
        }
    }

    @Test
    void nothingIsLeftOfAFolderThatIsStopped() throws IOException {
        Path source = saved(Models.modern(64).config());
        try (StoredModel model = StoredModel.open(source)) {
            assertThatThrownBy(() -> SafetensorsExport.write(model, DType.F32, folder.resolve("out"), part -> {
                        throw new CancellationException();
                    }))
                    .isInstanceOf(CancellationException.class);
            Files.createDirectory(folder.resolve("out.part")); // of a process that was killed
            Files.writeString(folder.resolve("out.part/x"), "x");
            SafetensorsExport.write(model, DType.F32, folder.resolve("out"), part -> {});
        }
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).containsExactlyInAnyOrder(source, folder.resolve("out"));
        }
        assertThat(folder.resolve("out/x")).doesNotExist();
    }

    private Path exportLlama2c(Path source) throws IOException {
        Path file = folder.resolve("out.bin");
        try (StoredModel model = StoredModel.open(source)) {
            Llama2cExport.write(model, file, part -> {});
        }
        return file;
    }

    @Test
    void llama2cGetsItsFilesBack() throws IOException {
        Path source = stories();
        Path file = exportLlama2c(source);
        assertThat(file.resolveSibling("tokenizer.bin")).hasSameBinaryContentAs(source.resolveSibling("tok512.bin"));
        MemorySegment before = MemorySegment.ofArray(Files.readAllBytes(source));
        MemorySegment after = MemorySegment.ofArray(Files.readAllBytes(file));
        long rotations = 4L * 512 * 8; // which end the file, and are computed in another way
        assertThat(after.byteSize()).isEqualTo(before.byteSize());
        assertThat(after.asSlice(0, after.byteSize() - rotations)
                        .mismatch(before.asSlice(0, before.byteSize() - rotations)))
                .isEqualTo(-1);
        for (long at = after.byteSize() - rotations; at < after.byteSize(); at += 4) {
            float difference = after.get(FLOAT, at) - before.get(FLOAT, at);
            assertThat(Math.abs(difference)).isLessThan(1e-4f);
        }
        assertSame(source, file);
    }

    @Test
    void llama2cGetsAnUntiedHead() throws IOException {
        TransformerConfig config = llama();
        try (Transformer model = Models.drawn(config)) {
            ModelFolder.save(folder.resolve("model"), model, GenerationDefaults.of(OptionalInt.empty()));
        }
        try (LoadedModel before = LoadedModel.open(folder.resolve("model"));
                LoadedModel after = LoadedModel.open(exportLlama2c(folder.resolve("model")))) {
            assertThat(StoredModels.weights(after.transformer())).isEqualTo(StoredModels.weights(before.transformer()));
        }
    }

    private static TransformerConfig llama() {
        return Models.modern(64).config().with(c -> {
            c.queryKeyNorm = false;
            c.normEpsilon = 1e-5f;
        });
    }

    @Test
    void whatLlama2cDoesNotComputeIsRefused() throws IOException {
        Map<String, TransformerConfig> refused = Map.of(
                "not of qwen3's", Models.modern(64).config(),
                "not of gpt2's", Models.classic(64).config(),
                "rotary base", llama().with(c -> c.position = new Position.Rotary(500_000)),
                "in norms", llama().with(c -> c.normEpsilon = 1e-6f),
                "make its width", llama().with(c -> c.headDimension = 16),
                "SentencePiece", llama());
        for (Map.Entry<String, TransformerConfig> one : refused.entrySet()) {
            Path source = saved(one.getValue());
            assertThatThrownBy(() -> exportLlama2c(source))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(one.getKey());
        }
        assertThat(folder.resolve("out.bin")).doesNotExist();
    }

    @Test
    void anotherVocabularyIsNotReplaced() throws IOException {
        Files.write(folder.resolve("tokenizer.bin"), Tokenizers.toJson(new ByteTokenizer()));
        assertThatThrownBy(() -> exportLlama2c(stories())).hasMessageContaining("another vocabulary already");
        assertThat(folder.resolve("out.bin")).doesNotExist();
    }
}
