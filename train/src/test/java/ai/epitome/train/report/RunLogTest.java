package ai.epitome.train.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RunLogTest {
    @TempDir
    Path folder;

    private Path logOf(int steps) throws IOException {
        Path file = folder.resolve("log.jsonl");
        try (RunLog log = RunLog.open(file, 0)) {
            for (int step = 1; step <= steps; step++) {
                log.append(step, Map.of(RunLog.LOSS, 1.0 / step));
            }
        }
        return file;
    }

    private static List<Long> steps(Path file) throws IOException {
        return entries(file).stream().map(RunLog.Entry::step).toList();
    }

    private static List<RunLog.Entry> entries(Path file) throws IOException {
        List<RunLog.Entry> entries = new ArrayList<>();
        RunLog.read(file, entries::add);
        return entries;
    }

    @Test
    void comesBackExactly() throws IOException {
        Path file = logOf(3);
        assertThat(Files.readString(file)).startsWith("{\"step\":1,\"loss\":1.0}\n");
        List<RunLog.Entry> entries = entries(file);
        assertThat(entries.get(2).number(RunLog.LOSS)).hasValue(1.0 / 3);
        assertThat(entries.get(2).number("nothing")).isEmpty();
    }

    @Test
    void goesOnAfterTheStepOfTheCheckpoint() throws IOException {
        Path file = logOf(10);
        try (RunLog log = RunLog.open(file, 6)) {
            log.append(7, Map.of("again", true));
        }
        assertThat(steps(file)).containsExactly(1L, 2L, 3L, 4L, 5L, 6L, 7L);
        assertThat(entries(file).getLast().values().path("again").asBoolean()).isTrue();
        try (RunLog log = RunLog.open(file, 7)) {
            assertThatThrownBy(() -> log.append(7, Map.of()))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("step 7 cannot follow step 7");
        }
        RunLog.open(file, 0).close();
        assertThat(file).isEmptyFile();
    }

    @Test
    void theLastLineCanBeAmendedAlsoAfterAStart() throws IOException {
        Path file = logOf(2);
        try (RunLog log = RunLog.open(file, 2)) {
            assertThat(log.lastStep()).isEqualTo(2);
            log.amend(Map.of(RunLog.HELD_OUT_BITS_PER_BYTE, 3.5));
            log.append(3, Map.of(RunLog.LOSS, 2));
            log.amend(Map.of("more", 1));
        }
        assertThat(Files.readAllLines(file))
                .containsExactly(
                        "{\"step\":1,\"loss\":1.0}",
                        "{\"step\":2,\"loss\":0.5,\"held_out_bits_per_byte\":3.5}",
                        "{\"step\":3,\"loss\":2,\"more\":1}");
    }

    @ParameterizedTest
    @ValueSource(strings = {"{\"step\":4,\"lo", "{\"step\":4,\"loss\":1}", "{", "\u0000\u0000\u0000", "{\"st\n"})
    void halfALineAtTheEndIsPassedOverAndThenCutOff(String torn) throws IOException {
        Path file = logOf(3);
        Files.writeString(file, torn, StandardOpenOption.APPEND);
        assertThat(steps(file)).containsExactly(1L, 2L, 3L);
        try (RunLog log = RunLog.open(file, 100)) {
            log.append(4, Map.of());
        }
        assertThat(steps(file)).containsExactly(1L, 2L, 3L, 4L);
        assertThat(Files.readString(file)).endsWith("}\n{\"step\":4}\n");
    }

    @Test
    void aBrokenLineInTheMiddleIsReported() throws IOException {
        Path file = logOf(2);
        long offset = Files.size(file);
        Files.writeString(file, "rubbish\n{\"step\":3}\n", StandardOpenOption.APPEND);
        assertThatThrownBy(() -> entries(file))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("byte " + offset)
                .hasMessageContaining("rubbish");
    }

    @Test
    void numbersThatAreNotFiniteDoNotBreakTheFile() throws IOException {
        Path file = folder.resolve("log.jsonl");
        try (RunLog log = RunLog.open(file, 0)) {
            log.append(1, Map.of(RunLog.LOSS, Double.NaN));
        }
        assertThat(entries(file).getFirst().number(RunLog.LOSS)).isEmpty();
        assertThat(Files.readString(file)).contains("\"NaN\"");
    }
}
