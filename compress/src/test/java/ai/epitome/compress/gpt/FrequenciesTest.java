package ai.epitome.compress.gpt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.epitome.tensor.exact.ExactKernels;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class FrequenciesTest {
    private static final ExactKernels KERNELS = ExactKernels.best();

    private static float[] logits(int symbols, float spread, long seed) {
        Random random = new Random(seed);
        float[] logits = new float[symbols];
        for (int i = 0; i < symbols; i++) {
            logits[i] = (float) random.nextGaussian() * spread;
        }
        return logits;
    }

    @Property(tries = 200)
    void sumUpToTheTotalAndEachIsFound(
            @ForAll @IntRange(min = 1, max = 700) int symbols,
            @ForAll @IntRange(min = 0, max = 90) int spread,
            @ForAll long seed) {
        Frequencies frequencies = new Frequencies(symbols);
        float[] logits = logits(symbols, spread, seed);
        frequencies.set(KERNELS, logits, 0);
        Frequencies scalar = new Frequencies(symbols);
        scalar.set(ExactKernels.scalar(), logits, 0);
        assertThat(scalar.values()).isEqualTo(frequencies.values());
        long sum = 0;
        for (int i = 0; i < symbols; i++) {
            assertThat(frequencies.frequency(i)).isPositive();
            assertThat((long) frequencies.cumulative(i)).isEqualTo(sum);
            assertThat(frequencies.find((int) sum)).isEqualTo(i);
            sum += frequencies.frequency(i);
            assertThat(frequencies.find((int) (sum - 1))).isEqualTo(i);
        }
        assertThat(sum).isEqualTo(1L << Frequencies.TOTAL_BITS);
    }

    /// Expected code length under the softmax against its entropy, in nats: besides, each symbol's least frequency
    /// costs something, which shows where hardly anything is uncertain.
    @Property(tries = 60)
    void costAHundredthOfAPercentAtMost(
            @ForAll @IntRange(min = 200, max = 50_000) int symbols,
            @ForAll @IntRange(min = 0, max = 4) int spread,
            @ForAll long seed) {
        float[] logits = logits(symbols, spread, seed);
        Frequencies frequencies = new Frequencies(symbols);
        frequencies.set(KERNELS, logits, 0);
        double sum = 0;
        for (float logit : logits) {
            sum += Math.exp(logit);
        }
        double entropy = 0;
        double cost = 0;
        for (int i = 0; i < symbols; i++) {
            double p = Math.exp(logits[i]) / sum;
            entropy -= p * Math.log(p);
            cost -= p * Math.log(frequencies.frequency(i) / (double) (1L << Frequencies.TOTAL_BITS));
        }
        assertThat(cost).isBetween(entropy * (1 - 1e-9), entropy * 1.0001 + 0x1p-30 * symbols);
    }

    @Test
    void uniformAndBroken() {
        Frequencies frequencies = new Frequencies(257);
        frequencies.setUniform();
        assertThat(java.util.Arrays.stream(frequencies.values()).sum()).isEqualTo(1 << 30);
        assertThatThrownBy(() -> frequencies.set(KERNELS, logits(257, Float.NaN, 1), 0))
                .hasMessageContaining("cannot predict");
    }
}
