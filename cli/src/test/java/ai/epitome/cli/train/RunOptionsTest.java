package ai.epitome.cli.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.epitome.train.Interval;
import ai.epitome.train.TrainingConfig;
import ai.epitome.train.TrainingConfig.Kind;
import ai.epitome.train.TrainingConfig.OptimizerConfig;
import ai.epitome.train.pretrain.Recipe;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class RunOptionsTest {
    private static OptimizerConfig optimizer(String... words) {
        return options(words).recipe(257, 1_000_000).training().optimizer();
    }

    private static RunOptions options(String... words) {
        return CommandLine.populateCommand(new RunOptions(), words);
    }

    /// Muon's rate is for updates of length 1; as AdamW's it would be far too high.
    @Test
    void adamWDoesNotInheritMuonsRate() {
        OptimizerConfig muon = optimizer();
        OptimizerConfig adamW = optimizer("--optimizer", "ADAMW");
        assertThat(muon.kind()).isEqualTo(Kind.MUON);
        assertThat(adamW.kind()).isEqualTo(Kind.ADAMW);
        assertThat(adamW.matrixRate()).isEqualTo(muon.embeddingRate()).isLessThan(muon.matrixRate());
        assertThat(optimizer("--optimizer", "ADAMW", "--rate", "0.01").matrixRate())
                .isEqualTo(0.01);
    }

    /// A run of no given length ends with its time or when its text has been read often enough; one of a given length
    /// there.
    @Test
    void howLongARunIs() {
        assertThat(length(1_000_000)).isEqualTo("1099 steps, 180 s");
        assertThat(length(1_000_000, "--batch", "32")).isEqualTo("549 steps, 180 s");
        assertThat(length(3000)).isEqualTo("40 steps, 180 s");
        assertThat(length(1_000_000, "--time", "1h")).isEqualTo("0 steps, 3600 s");
        assertThat(length(1_000_000, "--steps", "7")).isEqualTo("7 steps, 0 s");
        assertThat(length(1_000_000, "--steps", "7", "--time", "9s")).isEqualTo("7 steps, 9 s");
        assertThat(length(options("--time", "9s")
                        .changed(options().recipe(257, 1_000_000), Path.of("run"))
                        .training()))
                .isEqualTo("0 steps, 9 s");
    }

    /// Scores come often enough where the machine is fast, and as often as asked where somebody asks.
    @Test
    void howOftenARunIsScored() {
        assertThat(options().recipe(257, 1_000_000).training().evaluate()).isEqualTo(new Interval(92, 15));
        assertThat(options("--evaluate", "9s").recipe(257, 1_000_000).training().evaluate())
                .isEqualTo(Interval.ofSeconds(9));
        assertThat(options("--time", "1h").recipe(257, 1_000_000).training().evaluate())
                .isEqualTo(Interval.ofSeconds(120));
    }

    private static String length(long tokens, String... words) {
        return length(options(words).recipe(257, tokens).training());
    }

    private static String length(TrainingConfig training) {
        return "%d steps, %.0f s".formatted(training.steps(), training.seconds());
    }

    private static final String[] BEGUN = {"--depth", "6", "--width", "256", "--heads", "8", "--context", "128"};

    private static Recipe begun() {
        return options(BEGUN).recipe(257, 1_000_000);
    }

    /// On a run that has begun, the rest of the shape is the run's own, not what follows from the default depth.
    @ParameterizedTest
    @ValueSource(
            strings = {
                "--context 128",
                "--width 256",
                "--depth 6",
                "--heads 8",
                "--kv-heads 8",
                "--hidden 704",
                "--depth 6 --width 256 --heads 8 --context 128",
                "--steps 9"
            })
    void whatARunBeganWithMayBeGivenAgain(String words) {
        assertThat(options(words.split(" ")).changed(begun(), Path.of("run")).model())
                .isEqualTo(begun().model());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--context 256",
                "--width 384",
                "--depth 4",
                "--heads 4",
                "--kv-heads 4",
                "--hidden 1024",
                "--untied-head",
                "--depth 6 --context 256"
            })
    void anotherShapeIsRefused(String words) {
        assertThatThrownBy(() -> options(words.split(" ")).changed(begun(), Path.of("run")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("the model in run has 6 layers, width 256, 8 heads")
                .hasMessageContaining("another shape");
    }
}
