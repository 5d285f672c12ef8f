package ai.epitome.cli.compress;

import static ai.epitome.cli.CommandResult.done;
import static ai.epitome.cli.CommandResult.run;
import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.cli.CommandResult;
import ai.epitome.model.generation.GenerationDefaults;
import ai.epitome.model.huggingface.ModelFolder;
import ai.epitome.model.transformer.Initialization;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.tensor.autograd.Parameter;
import ai.epitome.text.BytePairTrainer;
import ai.epitome.text.ByteTokenizer;
import ai.epitome.text.Tokenizer;
import ai.epitome.text.file.Tokenizers;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// Files compressed with a model, small and of drawn weights: there and back, and what is said when it is another one.
class PretrainedCommandTest {
    @TempDir
    static Path models;

    @TempDir
    Path folder;

    private byte[] content;
    private Path file;
    private Path archive;

    @BeforeAll
    static void draws() throws IOException {
        byte[] text = "the theory of texts, a text the other texts".repeat(5).getBytes(StandardCharsets.UTF_8);
        Tokenizer pairs = BytePairTrainer.train(List.of(text).iterator(), 290, 1);
        save("bytes", new ByteTokenizer(), 1);
        save("pairs", pairs, 1);
        save("others", pairs, 2);
    }

    private static void save(String name, Tokenizer tokenizer, long seed) throws IOException {
        TransformerConfig config = TransformerConfig.ofDepth(1, tokenizer.vocabularySize(), 32)
                .with(c -> {
                    c.width = 32;
                    c.headDimension = 16;
                    c.heads = 2;
                    c.keyValueHeads = 1;
                    c.hidden = 40;
                    c.tiedHead = false;
                });
        Initialization initialization = new Initialization(
                seed, Initialization.Matrices.FAN_IN_UNIFORM, Initialization.Outputs.PLAIN, 0.5f, 0.5f);
        try (Transformer model = new Transformer(config, initialization)) {
            lean(model, tokenizer);
            ModelFolder.save(models.resolve(name), model, GenerationDefaults.of(OptionalInt.empty()));
        }
        Files.write(models.resolve(name).resolve("tokenizer.json"), Tokenizers.toJson(tokenizer));
    }

    /// Makes a model expect the letters of the text: one channel is the same in all embeddings, and the head looks at
    /// it.
    private static void lean(Transformer model, Tokenizer tokenizer) {
        Set<Integer> expected = new HashSet<>();
        for (int id : tokenizer.encode("the text of the theory, th\u00e9orie\n")) {
            expected.add(id);
        }
        for (Parameter parameter : model.parameters()) {
            boolean head = parameter.name().equals("head");
            if (head || parameter.name().equals("embedding")) {
                for (int id = 0; id < tokenizer.vocabularySize(); id++) {
                    parameter
                            .value()
                            .set((long) id * model.config().width(), !head ? 3 : expected.contains(id) ? 2 : -2);
                }
                parameter.changed();
            }
        }
    }

    @BeforeEach
    void writes() throws IOException {
        content = "the text of the theory, th\u00e9orie\n".repeat(400).getBytes(StandardCharsets.UTF_8);
        byte[] noise = new byte[3000];
        new Random(1).nextBytes(noise);
        System.arraycopy(noise, 0, content, 5000, noise.length);
        file = Files.write(folder.resolve("a.txt"), content);
        archive = folder.resolve("a.txt.epi");
    }

    private static String model(String name) {
        return models.resolve(name).toString();
    }

    @ParameterizedTest
    @ValueSource(strings = {"bytes", "pairs"})
    void thereAndBack(String name) throws IOException {
        Path empty = Files.createFile(folder.resolve("empty"));
        Path one = Files.writeString(folder.resolve("one"), "x");
        Path mixed = Files.write(folder.resolve("mixed"), content);
        done("compress", "-k", mixed.toString());
        done("compress", "-m", model(name), "--block", "2k", file.toString(), empty.toString(), one.toString());
        String[] archives = {archive.toString(), empty + ".epi", one + ".epi", mixed + ".epi"};
        assertThat(file).doesNotExist();
        assertThat(done("decompress", "-l", archive.toString()).out()).contains(" pretrained ");
        JsonNode listed = done("decompress", "-l", "--json", archive.toString()).json();
        assertThat(listed.path("numerics").asString()).isEqualTo("exact");
        assertThat(listed.path("stored_blocks").asInt())
                .isBetween(1, listed.path("blocks").asInt() - 4);
        Files.delete(mixed);
        String[] test = {"compress", "-t", "-T", "1", "--model", model(name)};
        done(joined(test, archives)); // the mixed one needs no model, and one that is there does no harm
        done(joined(new String[] {"decompress", "-m", model(name)}, archives));
        assertThat(file).hasBinaryContent(content);
        assertThat(mixed).hasBinaryContent(content);
        assertThat(empty).isEmptyFile();
        assertThat(one).hasContent("x");
    }

    @ParameterizedTest
    @ValueSource(strings = {"bytes", "pairs"})
    void mixedThereAndBack(String name) throws IOException {
        Path empty = Files.createFile(folder.resolve("empty"));
        done("compress", "-k", "-m", model(name), file.toString());
        long alone = Files.size(archive);
        done("compress", "-f", "-m", model(name), "--mix", file.toString(), empty.toString());
        assertThat(Files.size(archive)).isLessThan(alone); // contexts know the repeats better than drawn weights do
        assertThat(done("decompress", "-l", archive.toString()).out()).contains(" pretrained + mixed ");
        fails("MODEL_MISMATCH", "decompress", archive.toString());
        done("decompress", "-m", model(name), archive.toString(), empty + ".epi");
        assertThat(file).hasBinaryContent(content);
        assertThat(empty).isEmptyFile();
    }

    private static String[] joined(String[] first, String[] second) {
        String[] all = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, all, first.length, second.length);
        return all;
    }

    private CommandResult fails(String reason, String... arguments) throws IOException {
        CommandResult result = run(arguments);
        assertThat(result.code()).isEqualTo(1);
        assertThat(result.err()).startsWith("epitome: %s: %s: ".formatted(archive, reason));
        assertThat(result.err().lines()).hasSize(1);
        assertThat(file).doesNotExist();
        assertThat(archive).exists();
        return result;
    }

    @Test
    void anotherModelIsTold() throws IOException {
        done("compress", "-m", model("pairs"), file.toString());
        String name = archive.toString();
        assertThat(fails("MODEL_MISMATCH", "decompress", name).err()).contains("give its folder with -m");
        fails("MODEL_MISMATCH", "decompress", "-t", name);
        fails("MODEL_MISMATCH", "decompress", "--recover", name);
        fails("MODEL_MISMATCH", "decompress", "-m", model("bytes"), name);
        assertThat(fails("MODEL_MISMATCH", "decompress", "-m", model("others"), name)
                        .err())
                .contains("the model has SHA-256 ");
        Path other = folder.resolve("other");
        Files.createDirectory(other);
        for (String part : new String[] {"config.json", "model.safetensors", "tokenizer.json"}) {
            Files.copy(models.resolve("pairs").resolve(part), other.resolve(part));
        }
        Files.write(other.resolve("tokenizer.json"), new byte[] {' '}, StandardOpenOption.APPEND);
        assertThat(fails("MODEL_MISMATCH", "decompress", "-m", other.toString(), name)
                        .err())
                .contains("the tokenizer beside the model has SHA-256 ");
        done("decompress", "-m", model("pairs"), name);
        assertThat(file).hasBinaryContent(content);
    }

    /// Headers whose checksum holds, with another probe hash and with settings of a later version.
    @Test
    void otherNumericsAreTold() throws IOException {
        done("compress", "-m", model("bytes"), file.toString());
        byte[] bytes = Files.readAllBytes(archive);
        int probe = 27;
        int settings = probe + bytes[probe - 1] + 1;
        Files.write(archive, ChangedHeader.with(bytes, probe, bytes[probe] ^ 1));
        assertThat(fails("NUMERICS_MISMATCH", "decompress", "-m", model("bytes"), archive.toString())
                        .err())
                .contains("the probe hash is ");
        Files.write(archive, ChangedHeader.with(bytes, settings, 99));
        assertThat(fails("UNSUPPORTED_VERSION", "decompress", "-m", model("bytes"), archive.toString())
                        .err())
                .contains("settings 63");
        Files.write(archive, ChangedHeader.with(bytes, settings + 4, 99)); // a context of a billion
        fails("UNSUPPORTED_VERSION", "decompress", "-m", model("bytes"), archive.toString());
    }

    @Test
    void modelsThatCannotBeUsedAreToldOnce() throws IOException {
        String two = Files.copy(file, folder.resolve("b.txt")).toString();
        Path none = folder.resolve("none");
        assertFails(none, "%s: no such model folder or file".formatted(none), two);
        Path bare = Files.createDirectory(none);
        assertFails(bare, "is not a model folder: it has no config.json", two);
        for (String part : new String[] {"config.json", "model.safetensors"}) {
            Files.copy(models.resolve("bytes").resolve(part), bare.resolve(part));
        }
        assertFails(bare, "%s: there is no tokenizer".formatted(bare), two);
        String letters = """
                {"model": {"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": []},
                 "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true},
                 "decoder": {"type": "ByteLevel"}, "added_tokens": []}
                """;
        Files.writeString(bare.resolve("tokenizer.json"), letters);
        assertFails(bare, "byte 0x", two);
        CommandResult both = run("compress", "--learn", "-m", model("bytes"), two);
        assertThat(both.err()).contains("choose one");
    }

    private void assertFails(Path model, String message, String second) throws IOException {
        CommandResult result = run("compress", "-m", model.toString(), file.toString(), second);
        assertThat(result.code()).isEqualTo(1);
        assertThat(result.err().lines()).hasSize(1);
        assertThat(result.err()).startsWith("epitome: ").contains(message);
        assertThat(archive).doesNotExist();
    }

    @Test
    void recoverSavesOtherBlocks() throws IOException {
        done("compress", "-m", model("pairs"), "--block", "1k", file.toString());
        byte[] bytes = Files.readAllBytes(archive);
        bytes[400] ^= 1;
        Files.write(archive, bytes);
        fails("CORRUPT", "decompress", "-m", model("pairs"), archive.toString());
        CommandResult result = run("decompress", "--recover", "-m", model("pairs"), archive.toString());
        assertThat(result.code()).isEqualTo(2);
        assertThat(result.err()).contains("saved what was whole. Lost: block 0, from byte 0 to before byte 1,024");
        assertThat(file).hasBinaryContent(Arrays.copyOfRange(content, 1024, content.length));
    }
}
