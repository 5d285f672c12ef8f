package ai.epitome.cli.train;

import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.train.TrainingConfig;
import ai.epitome.train.TrainingEvent;
import ai.epitome.train.TrainingEvent.Evaluated;
import ai.epitome.train.TrainingEvent.Finished;
import ai.epitome.train.TrainingEvent.Sampled;
import ai.epitome.train.TrainingEvent.Started;
import ai.epitome.train.TrainingEvent.Stepped;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class TerminalProgressTest {
    private static final List<TrainingEvent> RUN = List.of(
            new Started(0, 0, TrainingConfig.ofSteps(4, 1, 8), 1234, 9872),
            new Stepped(1, 4, 0.25, 8, 60, 5, 7, 1, 0.1, 1, 2000),
            new Evaluated(1, 60, 7.5, 100, true, 1),
            new Sampled(1, "a\u001b[2Jb\u0007\nsecond line"),
            new Finished(1, false, 8, 60, 61));

    private static String shown(boolean terminal) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        TerminalProgress progress =
                new TerminalProgress(new PrintStream(bytes, true, StandardCharsets.UTF_8), terminal);
        RUN.forEach(progress::on);
        progress.close();
        return bytes.toString(StandardCharsets.UTF_8);
    }

    @Test
    void withoutATerminalThereAreLinesWithoutControlCharacters() {
        assertThat(shown(false).lines())
                .containsExactly(
                        "model: 1,234 parameters, 9,872 bytes of optimizer state",
                        "step      1    1:00  held-out 7.5000 bits per byte (all of it)",
                        "  | a [2Jb ",
                        "  | second line",
                        "stopped after 1 steps: 8 tokens in 1:00 of training, 0 tokens/s");
    }

    @Test
    void onATerminalTheBarIsWrittenAgainBelowEachLineAndTakenAwayAtTheEnd() {
        String bar = " 25% [#####---------------] ETA 3:00  2,000 tok/s  loss 5.000  step 1";
        String drawn = "\r\u001b[K\u001b[?7l" + bar + "\u001b[?7h";
        assertThat(shown(true))
                .startsWith(
                        "model: 1,234 parameters, 9,872 bytes of optimizer state\n" + drawn + "\r\u001b[Kstep      1")
                .contains("(all of it)\n" + drawn)
                .contains("\u001b[?7l  | a [2Jb \u001b[?7h\n" + drawn)
                .doesNotContain("[2Jb\u0007")
                .endsWith(
                        "\r\u001b[K\u001b[?7l\u001b[?7hstopped after 1 steps: 8 tokens in 1:00 of training, 0 tokens/s\n");
    }
}
