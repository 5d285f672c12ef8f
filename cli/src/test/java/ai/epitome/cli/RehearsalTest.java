package ai.epitome.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RehearsalTest {
    @TempDir
    private Path folder;

    @Test
    void itsCommandsSucceed() throws IOException {
        PrintStream before = System.out;
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        System.setOut(new PrintStream(out, true));
        try {
            assertThat(Rehearsal.play(folder)).isZero();
        } finally {
            System.setOut(before);
        }
        assertThat(out.size()).isPositive();
        assertThat(folder.resolve("model.gguf")).isNotEmptyFile();
    }
}
