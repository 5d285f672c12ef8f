package ai.epitome.train.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.BitSet;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class PermutationTest {
    @Property(tries = 300)
    void isABijection(@ForAll @IntRange(min = 1, max = 5000) int size, @ForAll long seed, @ForAll long epoch) {
        Permutation permutation = new Permutation(size, seed, epoch);
        BitSet met = new BitSet(size);
        for (int i = 0; i < size; i++) {
            long to = permutation.apply(i);
            assertThat(to).isBetween(0L, size - 1L);
            met.set((int) to);
        }
        assertThat(met.cardinality()).isEqualTo(size);
    }

    @Test
    void differsBetweenEpochsAndSeedsAndLooksRandom() {
        int size = 10_000;
        Permutation first = new Permutation(size, 7, 0);
        Permutation nextEpoch = new Permutation(size, 7, 1);
        Permutation nextSeed = new Permutation(size, 8, 0);
        int fixed = 0;
        int sameInEpoch = 0;
        int sameInSeed = 0;
        int rising = 0;
        for (int i = 0; i < size; i++) {
            fixed += first.apply(i) == i ? 1 : 0;
            sameInEpoch += first.apply(i) == nextEpoch.apply(i) ? 1 : 0;
            sameInSeed += first.apply(i) == nextSeed.apply(i) ? 1 : 0;
            rising += i > 0 && first.apply(i) > first.apply(i - 1) ? 1 : 0;
        }
        // Each count of coincidences is Poisson with mean 1 for random permutations.
        assertThat(fixed).isLessThan(12);
        assertThat(sameInEpoch).isLessThan(12);
        assertThat(sameInSeed).isLessThan(12);
        // Half of the neighbours rise, with a standard deviation of sqrt(n / 12) = 29.
        assertThat(rising).isBetween(4850, 5150);
    }

    @Test
    void coversVeryLargeSizes() {
        Permutation permutation = new Permutation(1L << 62, 1, 1);
        assertThat(permutation.apply((1L << 62) - 1)).isBetween(0L, (1L << 62) - 1);
        assertThatThrownBy(() -> permutation.apply(-1)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> new Permutation(0, 1, 1)).isInstanceOf(IllegalArgumentException.class);
    }
}
