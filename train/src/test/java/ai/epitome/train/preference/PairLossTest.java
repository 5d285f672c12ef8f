package ai.epitome.train.preference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.epitome.train.preference.PairLoss.LogProbabilities;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Losses and derivatives beside those of PyTorch's logsigmoid and autograd in f64.
class PairLossTest {
    @ParameterizedTest
    @CsvSource({
        "-12.5, -14.0, -13.0, -13.2, 0.1, 0.0, 0.6302581946816906, -0.04675456936126812",
        "-40.0, -30.0, -31.0, -33.0, 0.5, 0.1, 5.4024756851377305, -0.4487636884216826",
        "-5.0, -800.0, -700.0, -2.0, 1.0, 0.0, 0.0, 0.0"
    })
    void dpo(
            double chosen,
            double rejected,
            double referenceChosen,
            double referenceRejected,
            double beta,
            double smoothing,
            double loss,
            double derivative) {
        PairLoss found = PairLoss.dpo(
                new LogProbabilities(chosen, rejected),
                new LogProbabilities(referenceChosen, referenceRejected),
                beta,
                smoothing);
        assertThat(found.loss()).isEqualTo(loss, within(1e-12));
        assertThat(found.chosen()).isEqualTo(derivative, within(1e-12));
        assertThat(found.rejected()).isEqualTo(-derivative, within(1e-12));
    }

    @ParameterizedTest
    @CsvSource({
        "1.5, 0.25, 0.2519290813453729, -0.22270013882530884",
        "-2.0, 1.0, 3.048587351573742, -0.9525741268224333",
        "-1e4, 0, 1e4, -1"
    })
    void rewards(double chosen, double rejected, double loss, double derivative) {
        PairLoss found = PairLoss.ofRewards(chosen, rejected);
        assertThat(found.loss()).isEqualTo(loss, within(1e-12));
        assertThat(found.chosen()).isEqualTo(derivative, within(1e-12));
        assertThat(found.rejected()).isEqualTo(-derivative, within(1e-12));
    }

    /// A policy that is the reference knows nothing of the labels, and smoothing does not change what that costs.
    @Test
    void theReferenceItselfPaysABit() {
        LogProbabilities same = new LogProbabilities(-7, -3);
        assertThat(PairLoss.dpo(same, same, 0.3, 0).loss()).isEqualTo(Math.log(2), within(1e-15));
        assertThat(PairLoss.dpo(same, same, 0.3, 0.2).loss()).isEqualTo(Math.log(2), within(1e-15));
        assertThat(PairLoss.dpo(same, same, 0.3, 0.2).chosen()).isEqualTo(-0.3 * 0.3, within(1e-15));
    }

    /// With smoothing there is a margin that is large enough: where the sigmoid is the share of right labels.
    @Test
    void smoothingEndsTheUrgeToDivide() {
        LogProbabilities reference = new LogProbabilities(0, 0);
        double margin = Math.log(0.9 / 0.1);
        assertThat(PairLoss.dpo(new LogProbabilities(margin, 0), reference, 1, 0.1)
                        .chosen())
                .isEqualTo(0, within(1e-15));
        assertThat(PairLoss.dpo(new LogProbabilities(margin + 1, 0), reference, 1, 0.1)
                        .chosen())
                .isPositive();
    }

    @Test
    void settingsWithoutSenseAreRefused() {
        LogProbabilities any = new LogProbabilities(0, 0);
        assertThatThrownBy(() -> PairLoss.dpo(any, any, 0, 0)).hasMessageContaining("a beta above 0");
        assertThatThrownBy(() -> PairLoss.dpo(any, any, 1, 0.5)).hasMessageContaining("below 0.5");
    }
}
