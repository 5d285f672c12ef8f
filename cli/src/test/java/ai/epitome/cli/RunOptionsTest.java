package ai.epitome.cli;

import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.train.TrainingConfig.Kind;
import ai.epitome.train.TrainingConfig.OptimizerConfig;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class RunOptionsTest {
    private static OptimizerConfig optimizer(String... words) {
        return CommandLine.populateCommand(new RunOptions(), words)
                .recipe(257)
                .training()
                .optimizer();
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
}
