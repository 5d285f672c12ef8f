package ai.epitome.cli.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import ai.epitome.train.TrainingConfig;
import ai.epitome.train.sft.FineTuningRecipe;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class RunLengthTest {
    private static final TrainingConfig NEW = FineTuningRecipe.of(64, false);

    private static TrainingConfig of(TrainingConfig config, boolean begun, String... words) {
        return CommandLine.populateCommand(new RunLength(), words).of(config, begun, 3, 2.5);
    }

    private static String length(TrainingConfig config) {
        return "%d steps, %.0f s".formatted(config.steps(), config.seconds());
    }

    @Test
    void whatComesFirstEndsTheRun() {
        assertThat(length(of(NEW, false))).isEqualTo("8 steps, 0 s");
        assertThat(length(of(NEW, false, "--epochs", "2"))).isEqualTo("5 steps, 0 s");
        assertThat(length(of(NEW, false, "--steps", "7"))).isEqualTo("7 steps, 0 s");
        assertThat(length(of(NEW, false, "--time", "9s"))).isEqualTo("0 steps, 9 s");
        assertThat(length(of(NEW, false, "--time", "9s", "--steps", "7"))).isEqualTo("7 steps, 9 s");
        assertThat(length(of(NEW, false, "--time", "9s", "--epochs", "2"))).isEqualTo("5 steps, 9 s");
    }

    @Test
    void aRunThatHasBegunKeepsItsLengthUntilAnotherIsGiven() {
        TrainingConfig begun = of(NEW, false, "--time", "9s", "--steps", "7");
        assertThat(of(begun, true)).isEqualTo(begun);
        assertThat(length(of(begun, true, "--steps", "20"))).isEqualTo("20 steps, 0 s");
        assertThat(length(of(begun, true, "--time", "1m"))).isEqualTo("0 steps, 60 s");
    }

    @Test
    void epochsAndStepsAreOneTooMany() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> of(NEW, false, "--epochs", "2", "--steps", "7"))
                .withMessageContaining("leave one of them out");
    }
}
