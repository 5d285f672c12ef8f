package ai.epitome.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.epitome.model.export.GgufExport;
import ai.epitome.model.export.Quantization;
import ai.epitome.model.export.StoredModel;
import ai.epitome.model.file.MappedFile;
import ai.epitome.model.generation.GenerationRequest;
import ai.epitome.model.generation.GenerationResult;
import ai.epitome.model.generation.Sampling;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.tensor.format.BlockFormat;
import ai.epitome.text.ByteTokenizer;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// What happens to files while they are mapped.
class MappedFileTest {
    @TempDir
    private Path folder;

    private Path model() throws IOException {
        TransformerConfig config = Models.modern(64).config().with(c -> {
            c.width = 256;
            c.hidden = 1024;
        });
        try (Transformer model = Models.drawn(config)) {
            return StoredModels.folder(folder.resolve("model"), model, new ByteTokenizer());
        }
    }

    private Path quantised() throws IOException {
        Path file = folder.resolve("model.gguf");
        quantise(BlockFormat.Q8_0, file);
        return file;
    }

    private void quantise(BlockFormat format, Path file) throws IOException {
        try (StoredModel model = StoredModel.open(model())) {
            GgufExport.write(model, Quantization.pure(format), file, _ -> {});
        }
    }

    private static void cut(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.truncate(channel.size() / 2);
        }
    }

    private static GenerationResult generate(LoadedModel model) {
        GenerationRequest request =
                new GenerationRequest(new int[] {1, 2, 3}, 4, Sampling.ofTemperature(0, 0), List.of(), 0);
        return model.generator(Reference.BACKEND).generate(request, _ -> {}, () -> false);
    }

    @Test
    void whatIsCutIsNoticed() throws IOException {
        Path file = folder.resolve("file");
        Files.write(file, new byte[10_000]);
        try (MappedFile mapped = MappedFile.open(file)) {
            assertThat(mapped.bytes().byteSize()).isEqualTo(10_000);
            mapped.requireWhole();
            cut(file);
            assertThatThrownBy(mapped::requireWhole).hasMessageContaining("file: was cut from 10,000 to 5,000 bytes");
            assertThatThrownBy(() -> mapped.bytes().get(ValueLayout.JAVA_BYTE, 9_000))
                    .isInstanceOf(InternalError.class);
        }
    }

    /// As programs replace files: what is mapped stays.
    @Test
    void aFileThatIsReplacedOrRemovedStaysAsItWas() throws IOException {
        Path file = folder.resolve("file");
        Files.write(file, new byte[10_000]);
        try (MappedFile mapped = MappedFile.open(file)) {
            Path other = Files.write(folder.resolve("other"), new byte[] {1});
            Files.move(other, file, StandardCopyOption.REPLACE_EXISTING);
            mapped.requireWhole();
            assertThat(mapped.bytes().get(ValueLayout.JAVA_BYTE, 9_999)).isZero();
            Files.delete(file);
            mapped.requireWhole();
        }
    }

    @Test
    void closingTwiceDoesNothing() throws IOException {
        MappedFile mapped = MappedFile.open(Files.write(folder.resolve("file"), new byte[1]));
        mapped.close();
        assertThatCode(mapped::close).doesNotThrowAnyException();
    }

    @Test
    void aModelWhoseFileIsCutSaysSo() throws IOException {
        Path file = quantised();
        try (LoadedModel model = LoadedModel.open(file)) {
            generate(model);
            cut(file);
            assertThatThrownBy(() -> generate(model)).hasStackTraceContaining("model.gguf: was cut from");
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Backend.Kernels.class,
            names = {"AUTO", "JAVA"})
    void aFileThatIsCutWhileAPassReadsItEndsThePassOnly(Backend.Kernels kernels)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules",
                "jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                CutModelProbe.class.getName(),
                kernels.name()));
        List<Path> files = new ArrayList<>();
        for (BlockFormat format : List.of(BlockFormat.Q8_0, BlockFormat.Q4_0, BlockFormat.Q4_K)) {
            // After the first pass, machine code has all weights of Q4_K in memory.
            for (String pass : format == BlockFormat.Q4_K ? List.of("first") : List.of("first", "second")) {
                Path file = folder.resolve(format + "-" + pass + ".gguf");
                quantise(format, file);
                files.add(file);
            }
        }
        files.forEach(file -> command.add(file.toString()));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        assertThat(output.lines().filter(line -> line.contains(": was cut from")))
                .as(output)
                .hasSize(files.size());
    }

    @Test
    void anExportWhoseSourceIsCutLeavesNothing() throws IOException {
        Path source = model();
        Path target = folder.resolve("out.gguf");
        try (StoredModel model = StoredModel.open(source)) {
            cut(source.resolve("model.safetensors"));
            assertThatThrownBy(() -> GgufExport.write(model, Quantization.pure(BlockFormat.F16), target, _ -> {}))
                    .hasMessageContaining("can no longer be read");
        }
        assertThat(folder.toFile().list()).containsExactlyInAnyOrder("model");
    }
}
