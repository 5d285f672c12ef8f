package ai.epitome.cli.terminal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WholeFileTest {
    private static final byte[] NEW = "new".repeat(100_000).getBytes(StandardCharsets.UTF_8);

    @TempDir
    Path folder;

    private Path file;

    @BeforeEach
    void write() throws IOException {
        file = Files.writeString(folder.resolve("answers.jsonl"), "old");
    }

    @Test
    void aReaderFindsTheOldContentUntilTheNewIsWhole() throws IOException {
        WholeFile.write(file, out -> {
            out.write(NEW);
            assertThat(file).hasContent("old");
        });
        assertThat(file).hasBinaryContent(NEW);
        assertThat(folder).isDirectoryNotContaining("glob:**.part");
    }

    @Test
    void whatFailsOnTheWayChangesNothing() {
        assertThatThrownBy(() -> WholeFile.write(file, out -> {
                    out.write(NEW);
                    throw new IOException("the disk is full");
                }))
                .hasMessage("the disk is full");
        assertThat(file).hasContent("old");
        assertThat(folder).isDirectoryNotContaining("glob:**.part");
    }

    @Test
    void aLinkStaysALink() throws IOException {
        Path link = Files.createSymbolicLink(folder.resolve("link"), file);
        WholeFile.write(link, out -> out.write(NEW));
        assertThat(link).isSymbolicLink();
        assertThat(file).hasBinaryContent(NEW);
    }

    @Test
    void aDeviceGetsWhatIsWritten() throws IOException {
        Path nowhere = Path.of("/dev/null");
        if (Files.exists(nowhere)) {
            WholeFile.write(nowhere, out -> out.write(NEW));
            assertThat(Files.isRegularFile(nowhere)).isFalse();
        }
    }
}
