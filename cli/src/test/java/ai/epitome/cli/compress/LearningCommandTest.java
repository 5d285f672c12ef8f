package ai.epitome.cli.compress;

import static ai.epitome.cli.CommandResult.done;
import static ai.epitome.cli.CommandResult.run;
import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.cli.CommandResult;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Files compressed by a network that learns from them, alone and mixed with contexts.
class LearningCommandTest {
    private static final int PROBE = 27;

    @TempDir
    Path folder;

    private byte[] content;
    private Path file;
    private Path archive;

    @BeforeEach
    void writes() throws IOException {
        content = "the text of the theory, th\u00e9orie\n".repeat(200).getBytes(StandardCharsets.UTF_8);
        byte[] noise = new byte[300];
        new Random(1).nextBytes(noise);
        System.arraycopy(noise, 0, content, 4000, noise.length);
        file = Files.write(folder.resolve("a.txt"), content);
        archive = folder.resolve("a.txt.epi");
    }

    private void compress(String options, String... files) throws IOException {
        String[] words = ("compress " + options).split(" ");
        String[] all = Arrays.copyOf(words, words.length + files.length);
        System.arraycopy(files, 0, all, words.length, files.length);
        done(all);
    }

    @ParameterizedTest
    @ValueSource(strings = {"--learn", "--learn --mix", "--learn -T 1", "--learn --mix --block 1k"})
    void thereAndBack(String options) throws IOException {
        Path empty = Files.createFile(folder.resolve("empty"));
        Path one = Files.writeString(folder.resolve("one"), "x");
        compress(options, file.toString(), empty.toString(), one.toString());
        assertThat(file).doesNotExist();
        assertThat(archive.toFile().length()).isLessThan(content.length * 3L / 4);
        String method = options.contains("--mix") ? " learning + mixed " : " learning ";
        assertThat(done("decompress", "-l", archive.toString()).out()).contains(method);
        assertThat(done("decompress", "-l", "--json", archive.toString())
                        .json()
                        .path("numerics")
                        .asString())
                .isEqualTo("exact");
        done("decompress", archive.toString(), empty + ".epi", one + ".epi");
        assertThat(file).hasBinaryContent(content);
        assertThat(empty).isEmptyFile();
        assertThat(one).hasContent("x");
    }

    @Test
    void streamsOfUnknownLength() throws IOException {
        CommandResult there = CommandResult.run(content, "compress", "--learn", "--mix");
        assertThat(there.code()).as(there.err()).isZero();
        CommandResult back = CommandResult.run(there.bytes(), "decompress");
        assertThat(back.bytes()).isEqualTo(content);
    }

    @Test
    void aChangedBitIsFound() throws IOException {
        compress("--learn --mix", file.toString());
        byte[] bytes = Files.readAllBytes(archive);
        Random random = new Random(2);
        for (int i = 0; i < 5; i++) {
            byte[] changed = bytes.clone();
            changed[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
            Files.write(archive, changed);
            CommandResult result = run("decompress", archive.toString());
            assertThat(result.code()).isEqualTo(1);
            assertThat(result.err()).startsWith("epitome: " + archive + ": ");
            assertThat(file).doesNotExist();
        }
    }

    /// Headers whose checksum holds.
    @Test
    void otherNumericsAndNetworksAreTold() throws IOException {
        compress("--learn", file.toString());
        byte[] bytes = Files.readAllBytes(archive);
        Files.write(archive, ChangedHeader.with(bytes, PROBE, bytes[PROBE] ^ 1));
        fails("NUMERICS_MISMATCH");
        Files.write(archive, ChangedHeader.with(bytes, PROBE + bytes[PROBE - 1] + 1, 99));
        fails("UNSUPPORTED_VERSION");
        Files.write(archive, ChangedHeader.with(bytes, 11, 3)); // mixed too, with no settings for that
        fails("UNSUPPORTED_VERSION");
    }

    private void fails(String reason) throws IOException {
        CommandResult result = run("decompress", archive.toString());
        assertThat(result.code()).isEqualTo(1);
        assertThat(result.err()).startsWith("epitome: %s: %s: ".formatted(archive, reason));
        assertThat(file).doesNotExist();
    }

    @Test
    void oneNetworkAtATime() throws IOException {
        CommandResult result = run("compress", "--learn", "-m", folder.toString(), file.toString());
        assertThat(result.code()).isNotZero();
        assertThat(result.err()).contains("choose one");
        assertThat(file).exists();
    }
}
