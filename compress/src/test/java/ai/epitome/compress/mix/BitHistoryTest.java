package ai.epitome.compress.mix;

import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.compress.BitPredictor;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class BitHistoryTest {
    private static int after(List<Integer> bits) {
        int state = 0;
        for (int bit : bits) {
            state = BitHistory.next(state, bit);
        }
        return state;
    }

    private static List<Integer> inverted(List<Integer> bits) {
        return bits.stream().map(bit -> 1 - bit).toList();
    }

    @Test
    void statesFitAByteAndUseMostOfIt() {
        assertThat(BitHistory.states()).isBetween(200, 256);
    }

    @Property
    void countsOfShortHistoriesAreExact(@ForAll @Size(max = 4) List<@IntRange(min = 0, max = 1) Integer> bits) {
        int state = after(bits);
        assertThat(BitHistory.ones(state))
                .isEqualTo((int) bits.stream().filter(bit -> bit == 1).count());
        assertThat(BitHistory.ones(state) + BitHistory.zeros(state)).isEqualTo(bits.size());
    }

    @Property
    void shortHistoriesAreToldApart(
            @ForAll @Size(max = 4) List<@IntRange(min = 0, max = 1) Integer> one,
            @ForAll @Size(max = 4) List<@IntRange(min = 0, max = 1) Integer> other) {
        assertThat(after(one) == after(other)).isEqualTo(one.equals(other));
    }

    @Property
    void zerosAndOnesAreAlike(@ForAll @Size(max = 300) List<@IntRange(min = 0, max = 1) Integer> bits) {
        int state = after(bits);
        int mirrored = after(inverted(bits));
        assertThat(BitHistory.zeros(state)).isEqualTo(BitHistory.ones(mirrored));
        assertThat(BitHistory.ones(state)).isEqualTo(BitHistory.zeros(mirrored));
        assertThat(BitHistory.prior(state) + BitHistory.prior(mirrored))
                .isBetween(BitPredictor.ONE - 1, BitPredictor.ONE);
    }

    @Property
    void theBitThatCameIsNeverHeldLessLikely(@ForAll @IntRange(min = 0, max = 255) int number) {
        int state = number % BitHistory.states();
        assertThat(BitHistory.prior(BitHistory.next(state, 1))).isGreaterThanOrEqualTo(BitHistory.prior(state));
        assertThat(BitHistory.prior(BitHistory.next(state, 0))).isLessThanOrEqualTo(BitHistory.prior(state));
    }

    @Property
    void aSurpriseMakesLongEvidenceStale(@ForAll @IntRange(min = 16, max = 1000) int run) {
        int state = 0;
        for (int i = 0; i < run; i++) {
            state = BitHistory.next(state, 0);
        }
        int surprised = BitHistory.next(state, 1);
        assertThat(BitHistory.zeros(state)).isGreaterThanOrEqualTo(16);
        assertThat(BitHistory.zeros(surprised)).isLessThan(BitHistory.zeros(state) / 2);
        assertThat(BitHistory.ones(surprised)).isEqualTo(1);
    }

    @Test
    void theEmptyStateIsNeverReachedAgain() {
        for (int state = 0; state < BitHistory.states(); state++) {
            assertThat(BitHistory.next(state, 0)).isNotZero();
            assertThat(BitHistory.next(state, 1)).isNotZero();
        }
    }

    @Property
    void averagesFollowTheirBits(@ForAll @IntRange(min = 1, max = 255) int level) {
        assertThat(DecayingAverage.next(level, 1)).isGreaterThan(level == 255 ? 254 : level);
        assertThat(DecayingAverage.next(level, 0)).isBetween(1, Math.max(1, level - 1));
        assertThat(DecayingAverage.next(0, 1)).isGreaterThan(128);
        assertThat(DecayingAverage.next(0, 0)).isBetween(1, 127);
    }
}
