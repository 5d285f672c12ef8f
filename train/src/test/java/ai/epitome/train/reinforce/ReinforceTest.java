package ai.epitome.train.reinforce;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The arithmetic of PPO and GRPO beside numbers from PyTorch in f64, from the papers' formulas: advantages
/// as the double sum of the definition, derivatives by autograd.
class ReinforceTest {
    private static final double[] REWARDS = {0.5, -0.2, 0, 1};
    private static final double[] VALUES = {0.3, 0.1, -0.4, 0.6};

    private static void requireClose(double[] found, double... expected) {
        assertThat(found).usingComparatorWithPrecision(1e-9).containsExactly(expected);
    }

    @Test
    void generalisedAdvantages() {
        requireClose(Advantages.generalised(REWARDS, VALUES, 0, 0.95, 0.9), 0.6727048, 0.44176, 1.312, 0.4);
        requireClose(
                Advantages.generalised(REWARDS, VALUES, 0.7, 0.95, 0.9), 1.088347339375, 0.927891625, 1.880575, 1.065);
    }

    /// Lambda 0 is the error of one step, lambda 1 what came minus what was expected.
    @Test
    void theEndsOfLambda() {
        requireClose(Advantages.generalised(REWARDS, VALUES, 0, 1, 0), 0.3, -0.7, 1.0, 0.4);
        requireClose(Advantages.generalised(REWARDS, VALUES, 0, 1, 1), 1.0, 0.7, 1.4, 0.4);
        assertThatThrownBy(() -> Advantages.generalised(REWARDS, VALUES, 0, 1.1, 1))
                .hasMessage("gamma must be from 0 to 1, not 1.1");
        assertThatThrownBy(() -> Advantages.generalised(REWARDS, new double[3], 0, 1, 1))
                .hasMessage("4 rewards and 3 values");
    }

    @Test
    void whitening() {
        double[] values = {1, 77, 2, 4, 9};
        boolean[] counted = {true, false, true, true, true};
        requireClose(
                Advantages.whitened(values, counted, false), -0.973328526272, 0, -0.648885684182, 0, 1.622214210454);
        requireClose(Advantages.whitened(values, counted, true), 3.026671473728, 0, 3.351114315818, 4, 5.622214210454);
    }

    @Test
    void whiteningOfEqualNumbersAndOfNone() {
        requireClose(Advantages.whitened(new double[] {3, 3}, new boolean[] {true, true}, false), 0, 0);
        requireClose(Advantages.whitened(new double[] {3, 3}, new boolean[2], true), 0, 0);
    }

    @Test
    void advantagesOfAGroup() {
        double[] rewards = {0, 1, 1, 0, 1};
        requireClose(
                Advantages.ofGroup(rewards, true),
                -1.09544509501,
                0.730296730007,
                0.730296730007,
                -1.09544509501,
                0.730296730007);
        requireClose(Advantages.ofGroup(rewards, false), -0.6, 0.4, 0.4, -0.6, 0.4);
        requireClose(Advantages.ofGroup(new double[] {1, 1, 1}, true), 0, 0, 0);
        assertThatThrownBy(() -> Advantages.ofGroup(new double[] {1}, true))
                .hasMessageContaining("two answers or more");
    }

    /// Within the range; beyond it in the direction that pays, where it is clipped; and in the one that does not.
    @ParameterizedTest
    @CsvSource({
        "-1.0, -1.05, 2, -2.1025421927520482, -2.1025421927520482, false",
        "-1.0, -1.5, 2, -2.4, 0, true",
        "-1.0, -1.5, -2, 3.2974425414002564, 3.2974425414002564, false",
        "-1.5, -1.0, -2, 1.6, 0, true",
        "-1.5, -1.0, 2, -1.2130613194252668, -1.2130613194252668, false"
    })
    void policy(double now, double old, double advantage, double loss, double derivative, boolean clipped) {
        ClippedLoss found = ClippedLoss.ofPolicy(now, old, advantage, 0.2);
        assertThat(found.loss()).isEqualTo(loss, within(1e-12));
        assertThat(found.derivative()).isEqualTo(derivative, within(1e-12));
        assertThat(found.clipped()).isEqualTo(clipped);
    }

    @ParameterizedTest
    @CsvSource({
        "1.0, 2, 0.5, -1, false",
        "1.5, 2, 0.405, 0, true",
        "1.5, 1, 0.125, 0.5, false",
        "0.2, 1, 0.32, -0.8, false",
        "0.2, -1, 1.445, 0, true"
    })
    void value(double now, double target, double loss, double derivative, boolean clipped) {
        ClippedLoss found = ClippedLoss.ofValue(now, 0.9, target, 0.2);
        assertThat(found.loss()).isEqualTo(loss, within(1e-12));
        assertThat(found.derivative()).isEqualTo(derivative, within(1e-12));
        assertThat(found.clipped()).isEqualTo(clipped);
    }

    /// Expectations over all tokens of a small vocabulary: k1 and k3 are without bias, k2 is not.
    @Test
    void expectedDivergences() {
        double[] policy = {0.5, 0.3, 0.2};
        double[] reference = {0.2, 0.5, 0.3};
        double[] sums = new double[3];
        for (int token = 0; token < 3; token++) {
            for (Divergence estimate : Divergence.values()) {
                double one = estimate.of(Math.log(policy[token]), Math.log(reference[token]));
                sums[estimate.ordinal()] += policy[token] * one;
                assertThat(estimate == Divergence.K1 || one >= 0).isTrue();
            }
        }
        requireClose(sums, 0.223804657186, 0.265478794403, 0.223804657186);
    }

    @Test
    void theCoefficientFollowsTheDivergence() {
        AdaptiveCoefficient start = new AdaptiveCoefficient(0.2, 6, 10_000);
        // lm-human-preferences: value *= 1 + clip(current / target - 1, -0.2, 0.2) * steps / horizon
        assertThat(start.after(6.6, 512).beta()).isEqualTo(0.2 * (1 + 0.1 * 0.0512), within(1e-15));
        assertThat(start.after(60, 512).beta()).isEqualTo(0.2 * (1 + 0.2 * 0.0512), within(1e-15));
        assertThat(start.after(0, 512).beta()).isEqualTo(0.2 * (1 - 0.2 * 0.0512), within(1e-15));
        assertThat(start.after(6, 512)).isEqualTo(start);
        assertThatThrownBy(() -> start.after(Double.NaN, 512)).hasMessageContaining("a divergence of NaN");
    }
}
