package ai.epitome.train.reward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.epitome.train.preference.PairLoss;
import org.junit.jupiter.api.Test;

class CalibrationTest {
    /// Two sure by 90 % and right, one sure by 90 % and wrong, one sure by 55 % and right.
    @Test
    void errorAndAccuracy() {
        Calibration calibration = Calibration.of(new double[] {0.92, 0.92, 0.08, 0.55});
        assertThat(calibration.accuracy()).isEqualTo(0.75);
        // (3 * |0.92 - 2/3| + 1 * |0.55 - 1|) / 4
        assertThat(calibration.error()).isEqualTo((3 * (0.92 - 2 / 3.0) + 0.45) / 4, within(1e-9));
        assertThat(calibration.lines())
                .containsEntry("held out, 50 to 60 % sure", "1 times, 55.0 % sure in the mean, right in 100.0 %")
                .containsEntry("held out, 60 to 70 % sure", "never");
    }

    @Test
    void aTieIsHalfRight() {
        assertThat(Calibration.of(new double[] {0.5, 0.5}).accuracy()).isEqualTo(0.5);
    }

    /// The losses of torch.nn.functional.binary_cross_entropy_with_logits at 0.7 and -1.2.
    @Test
    void aLabelIsAComparisonWithZero() {
        Judged positive = Judged.labelled(new int[] {1, 2}, true);
        Judged negative = Judged.labelled(new int[] {1, 2}, false);
        PairLoss loss = positive.loss(new double[] {0.7});
        assertThat(loss.loss()).isEqualTo(0.403186, within(1e-6));
        assertThat(positive.slope(loss, 0)).isEqualTo(0.668188 - 1, within(1e-6));
        PairLoss other = negative.loss(new double[] {-1.2});
        assertThat(other.loss()).isEqualTo(0.263282, within(1e-6));
        assertThat(negative.slope(other, 0)).isEqualTo(0.231475, within(1e-6));
        assertThat(negative.probability(new double[] {-1.2})).isEqualTo(0.768525, within(1e-6));
    }
}
