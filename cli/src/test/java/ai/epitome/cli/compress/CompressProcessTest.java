package ai.epitome.cli.compress;

import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.cli.CommandProcess;
import ai.epitome.cli.terminal.Interruption;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/// The commands as processes: pipes, and what is left when one is killed.
@EnabledOnOs(OS.LINUX)
class CompressProcessTest {
    @TempDir
    Path folder;

    private static byte[] noise(int length) {
        byte[] bytes = new byte[length];
        new Random(length).nextBytes(bytes);
        return bytes;
    }

    private void assertRuns(List<String> arguments, Path in, Path out) throws IOException, InterruptedException {
        try (CommandProcess process = CommandProcess.start(folder, arguments, in, out)) {
            assertThat(process.exitCode()).as(process.output()).isZero();
            assertThat(process.output().lines().filter(line -> !line.startsWith("WARNING: ")))
                    .isEmpty();
        }
    }

    @Test
    void fromStandardInputToStandardOutput() throws IOException, InterruptedException {
        byte[] content = noise(300_000);
        Path plain = Files.write(folder.resolve("plain"), content);
        Path packed = folder.resolve("packed");
        Path back = folder.resolve("back");
        assertRuns(List.of("compress"), plain, packed);
        assertRuns(List.of("decompress", "-"), packed, back);
        assertThat(back).hasBinaryContent(content);
    }

    @Test
    void aFullDiskIsAnError() throws IOException, InterruptedException {
        Path plain = Files.write(folder.resolve("plain"), noise(100_000));
        try (CommandProcess process = CommandProcess.start(folder, List.of("compress"), plain, Path.of("/dev/full"))) {
            assertThat(process.exitCode()).isEqualTo(1);
            assertThat(process.output()).contains("epitome: (standard input): cannot write to standard output");
        }
    }

    /// The file that is read is a pipe, which keeps the process in the middle of its work.
    @Test
    void killedOrInterruptedNothingIsUnderTheFinalName() throws IOException, InterruptedException {
        Path pipe = folder.resolve("pipe");
        assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor())
                .isZero();
        Path unfinished = folder.resolve("pipe.epi.part");
        for (boolean kill : new boolean[] {true, false}) {
            try (CommandProcess process =
                            CommandProcess.start(folder, List.of("compress", "-f", "-k", pipe.toString()));
                    OutputStream out = Files.newOutputStream(pipe)) {
                out.write(noise(600_000));
                while (!Files.exists(unfinished) || Files.size(unfinished) < 200_000) {
                    assertThat(process.isAlive()).as(process.output()).isTrue();
                    Thread.sleep(5);
                }
                if (kill) {
                    process.kill();
                    assertThat(unfinished).exists();
                } else {
                    process.interrupt();
                    assertThat(process.exitCode()).isEqualTo(Interruption.EXIT_CODE);
                    assertThat(unfinished).doesNotExist();
                }
                assertThat(folder.resolve("pipe.epi")).doesNotExist();
                assertThat(pipe).exists();
            }
        }
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files.map(file -> file.getFileName().toString()).filter(name -> name.startsWith("pipe")))
                    .containsExactly("pipe");
        }
    }
}
