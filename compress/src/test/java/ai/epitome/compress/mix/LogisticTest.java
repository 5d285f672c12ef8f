package ai.epitome.compress.mix;

import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.compress.BitPredictor;
import org.junit.jupiter.api.Test;

class LogisticTest {
    @Test
    void squashUndoesStretch() {
        for (int p = 1; p < BitPredictor.ONE; p++) {
            int back = Logistic.squash(Logistic.stretch(p) << Logistic.FINE_BITS);
            // Half a unit of 1/256 moves p by p (1 - p) / 512.
            long tolerance = 2 + (long) p * (BitPredictor.ONE - p) / BitPredictor.ONE / 500;
            assertThat((long) Math.abs(back - p)).isLessThanOrEqualTo(tolerance);
        }
    }

    @Test
    void squashRisesAndStaysInside() {
        int before = 0;
        for (int fine = -60_000; fine <= 60_000; fine++) {
            int probability = Logistic.squash(fine);
            assertThat(probability).isBetween(Math.max(1, before), BitPredictor.ONE - 1);
            before = probability;
        }
        assertThat(Logistic.squash(Integer.MIN_VALUE)).isEqualTo(1);
        assertThat(Logistic.squash(Integer.MAX_VALUE)).isEqualTo(BitPredictor.ONE - 1);
        assertThat(Logistic.squash(0)).isEqualTo(BitPredictor.ONE / 2);
    }

    @Test
    void tablesAreTheSameEverywhere() {
        int hash = 0;
        for (int p = 1; p < BitPredictor.ONE; p++) {
            hash = 31 * hash + Logistic.stretch(p);
        }
        for (int fine = -46_000; fine <= 46_000; fine++) {
            hash = 31 * hash + Logistic.squash(fine);
        }
        assertThat(hash).isEqualTo(2141547487);
    }
}
