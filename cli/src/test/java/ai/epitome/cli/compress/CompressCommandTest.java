package ai.epitome.cli.compress;

import static ai.epitome.cli.CommandResult.done;
import static ai.epitome.cli.CommandResult.run;
import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.cli.CommandResult;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/// The habits of xz: which files are read, written and removed, what is said, and the exit code.
class CompressCommandTest {
    @TempDir
    Path folder;

    private byte[] content;
    private Path file;
    private Path archive;

    @BeforeEach
    void writes() throws IOException {
        content = "to be, or not to be\n".repeat(5000).getBytes(StandardCharsets.US_ASCII);
        byte[] noise = new byte[20_000];
        new Random(1).nextBytes(noise);
        System.arraycopy(noise, 0, content, 40_000, noise.length);
        file = Files.write(folder.resolve("a.txt"), content);
        archive = folder.resolve("a.txt.epi");
    }

    private static void assertSays(CommandResult result, int code, String... lines) {
        assertThat(result.err().lines()).containsExactly(lines);
        assertThat(result.code()).isEqualTo(code);
    }

    private byte[] makeArchive(String... more) throws IOException {
        String[] arguments = Arrays.copyOf(new String[] {"compress", "-k", file.toString()}, 3 + more.length);
        System.arraycopy(more, 0, arguments, 3, more.length);
        done(arguments);
        return Files.readAllBytes(archive);
    }

    @Test
    void thereAndBack() throws IOException {
        CommandResult there = done("compress", file.toString());
        assertThat(there.err()).isEmpty();
        assertThat(there.bytes()).isEmpty();
        assertThat(file).doesNotExist();
        assertThat(archive).exists();
        done("decompress", archive.toString());
        assertThat(archive).doesNotExist();
        assertThat(file).hasBinaryContent(content);
        done("compress", file.toString());
        done("compress", "-d", archive.toString());
        assertThat(file).hasBinaryContent(content);
    }

    @Test
    void severalFilesKept() throws IOException {
        Path empty = Files.createFile(folder.resolve("empty"));
        done("compress", "--keep", file.toString(), empty.toString());
        Files.delete(file);
        done(
                "decompress",
                "-kf",
                archive.toString(),
                folder.resolve("empty.epi").toString());
        assertThat(file).hasBinaryContent(content);
        assertThat(empty).isEmptyFile();
        assertThat(archive).exists();
    }

    /// Files in /proc have content, and a length of 0.
    @Test
    @EnabledOnOs(OS.LINUX)
    void aFileWhoseLengthTheSystemDoesNotKnow() throws IOException {
        Path source = Path.of("/proc/version");
        byte[] packed = done("compress", "-c", source.toString()).bytes();
        assertThat(CommandResult.run(packed, "decompress", "-").bytes()).isEqualTo(Files.readAllBytes(source));
    }

    @Test
    void oneThatFailsDoesNotKeepTheOthersFromIt() throws IOException {
        Path missing = folder.resolve("missing");
        CommandResult result = run("compress", folder.toString(), missing.toString(), file.toString());
        assertSays(
                result,
                1,
                "epitome: %s: it is a folder: skipped".formatted(folder),
                "epitome: %s: no such file or folder: %s".formatted(missing, missing));
        assertThat(archive).exists();
    }

    @Test
    void warningsHaveTheirExitCode() throws IOException {
        makeArchive();
        assertSays(
                run("compress", archive.toString()),
                2,
                "epitome: %s: it is called .epi already: skipped".formatted(archive));
        assertSays(
                run("decompress", file.toString()),
                2,
                "epitome: %s: the name does not end in .epi: skipped".formatted(file));
        assertSays(run("compress", "-q", folder.toString()), 2);
        assertThat(file).exists();
        assertThat(archive).exists();
    }

    @Test
    void whatIsThereIsReplacedOnlyByForce() throws IOException {
        Files.writeString(archive, "precious");
        assertSays(
                run("compress", file.toString()),
                1,
                "epitome: %s: %s is there already; -f replaces it".formatted(file, archive));
        assertSays(run("compress", "-qq", file.toString()), 1);
        assertThat(archive).hasContent("precious");
        assertThat(file).exists();
        done("compress", "-f", file.toString());
        done("compress", "-dc", archive.toString());
    }

    @Test
    void standardStreams() throws IOException {
        CommandResult packed = CommandResult.run(content, "compress");
        assertThat(packed.err()).isEmpty();
        assertThat(CommandResult.run(packed.bytes(), "decompress", "-").bytes()).isEqualTo(content);
        assertThat(done("compress", "-c", file.toString()).bytes()).hasSameSizeAs(packed.bytes());
        makeArchive();
        assertThat(done("decompress", "-c", archive.toString(), archive.toString())
                        .bytes())
                .hasSize(2 * content.length)
                .startsWith(content)
                .endsWith(content);
        assertThat(archive).exists();
        CommandResult two = run("compress", "-c", file.toString(), file.toString());
        assertThat(two.code()).isEqualTo(1);
        assertThat(two.err()).contains("an archive holds one file", "tar");
    }

    @Test
    void noArchiveOnATerminal() throws IOException {
        System.setProperty("epitome.terminal.output", "true");
        System.setProperty("epitome.terminal.input", "true");
        try {
            CommandResult compressed = CommandResult.run(content, "compress");
            assertThat(compressed.code()).isEqualTo(1);
            assertThat(compressed.err())
                    .startsWith("epitome: (standard input): an archive is not written to a terminal");
            assertThat(compressed.bytes()).isEmpty();
            assertThat(run("decompress").err()).contains("not read from a terminal");
            assertThat(run("compress", "-t").err()).contains("not read from a terminal");
            byte[] forced = CommandResult.run(content, "compress", "-f").bytes();
            assertThat(forced.length).isGreaterThan(20_000);
        } finally {
            System.clearProperty("epitome.terminal.output");
            System.clearProperty("epitome.terminal.input");
        }
    }

    @Test
    void testAndList() throws IOException {
        byte[] bytes = makeArchive("--block", "16k");
        assertThat(done("compress", "-t", archive.toString()).bytes()).isEmpty();
        CommandResult list = done("decompress", "-l", archive.toString(), archive.toString());
        assertThat(list.out().lines()).hasSize(4);
        assertThat(list.out())
                .containsPattern("blocks +archive +plain")
                .containsPattern(" 7 +%,d +100,000 .* %s\n".formatted(bytes.length, archive))
                .containsPattern(" 14 +%,d +200,000 .*  2 archives\n".formatted(2 * bytes.length));
        assertThat(done("decompress", "-lv", archive.toString()).out())
                .containsPattern("sha256 +[0-9a-f]{64}\n")
                .containsPattern("block_bytes +16384\n");
        assertThat(done("decompress", "-l", "--json", archive.toString())
                        .json()
                        .path("plain_bytes")
                        .asInt())
                .isEqualTo(content.length);
        assertThat(run("decompress", "-l").err()).contains("--list wants files");
        assertThat(run("decompress", "-l", "-t", archive.toString()).err()).contains("choose one");
        assertThat(archive).exists();
        assertThat(CommandResult.run(bytes, "decompress", "-t").code()).isZero();
    }

    @Test
    void verboseTellsTheSizes() throws IOException {
        CommandResult result = done("compress", "-v", file.toString());
        assertThat(result.err())
                .startsWith(file + ": 100,000 bytes, as an archive %,d (".formatted(Files.size(archive)))
                .contains("bits per byte")
                .doesNotContain("\u001b");
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void permissionsAndTimeGoAlong() throws IOException {
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
        FileTime time = FileTime.from(Instant.parse("2001-02-03T04:05:06Z"));
        Files.setLastModifiedTime(file, time);
        for (String command : new String[] {"compress", "decompress"}) {
            done(command, (command.equals("compress") ? file : archive).toString());
            Path made = command.equals("compress") ? archive : file;
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(made)))
                    .isEqualTo("rw-r-----");
            assertThat(Files.getLastModifiedTime(made)).isEqualTo(time);
        }
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void symbolicLinksAreFollowedWhenAsked() throws IOException {
        Path link = Files.createSymbolicLink(folder.resolve("link"), file);
        assertThat(run("compress", link.toString()).code()).isEqualTo(2);
        done("compress", "-k", link.toString());
        assertThat(folder.resolve("link.epi")).exists();
        assertThat(link).exists();
    }

    @Test
    void damagedArchivesNameTheirReason() throws IOException {
        byte[] bytes = makeArchive("--block", "16k");
        Files.delete(file);
        byte[] flipped = bytes.clone();
        flipped[bytes.length - 145] ^= 1;
        Files.write(archive, flipped);
        for (String option : new String[] {"-t", "-k"}) {
            CommandResult result = run("decompress", option, archive.toString());
            assertThat(result.code()).isEqualTo(1);
            assertThat(result.err()).startsWith("epitome: %s: CORRUPT: block 6 ".formatted(archive));
        }
        assertThat(file).doesNotExist();
        assertThat(folder.resolve("a.txt.part")).doesNotExist();
        assertThat(archive).exists();
        assertThat(run("decompress", "-c", archive.toString()).bytes()).isEqualTo(Arrays.copyOf(content, 6 << 14));
        Files.write(archive, Arrays.copyOf(bytes, bytes.length / 2));
        assertThat(run("decompress", archive.toString()).err())
                .startsWith("epitome: %s: TRUNCATED: the archive ends after".formatted(archive));
        assertThat(run("decompress", "-l", archive.toString()).err()).contains(": TRUNCATED: ");
        Files.write(archive, content);
        assertThat(run("decompress", archive.toString()).err()).contains(": NOT_AN_ARCHIVE: ");
    }

    @Test
    void recoverSavesWhatIsWhole() throws IOException {
        byte[] bytes = makeArchive("--block", "16k");
        Files.delete(file);
        bytes[bytes.length - 145] ^= 1;
        Files.write(archive, bytes);
        assertSays(
                run("decompress", "--recover", archive.toString()),
                2,
                "epitome: %s: saved what was whole. Lost: block 6, from byte 98,304 to before byte 114,688"
                        .formatted(archive));
        assertThat(file).hasBinaryContent(Arrays.copyOf(content, 6 << 14));
        assertThat(archive).exists();
        bytes[bytes.length - 145] ^= 1;
        Files.write(archive, bytes);
        assertThat(done("decompress", "--recover", "-c", archive.toString()).bytes())
                .isEqualTo(content);
        assertThat(archive).exists();
    }
}
