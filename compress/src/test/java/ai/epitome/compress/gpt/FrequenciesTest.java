package ai.epitome.compress.gpt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.epitome.compress.ByteDistribution;
import ai.epitome.compress.RangeEncoder;
import ai.epitome.tensor.exact.ExactKernels;
import java.util.Arrays;
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
        assertThat(scalar.quantised()).isEqualTo(frequencies.quantised());
        long sum = 0;
        for (int i = 0; i < symbols; i++) {
            assertThat(frequencies.frequency(i)).isPositive();
            assertThat(frequencies.cumulative(i)).isEqualTo(sum);
            assertThat(frequencies.find(sum)).isEqualTo(i);
            sum += frequencies.frequency(i);
            assertThat(frequencies.find(sum - 1)).isEqualTo(i);
        }
        assertThat(sum).isEqualTo(frequencies.total()).isLessThan(RangeEncoder.MAX_TOTAL);
        assertScaled(frequencies, symbols);
    }

    private static void assertScaled(Frequencies frequencies, int symbols) {
        int[] scaled = new int[symbols];
        frequencies.scaled(scaled);
        assertThat(Arrays.stream(scaled).asLongStream().sum()).isEqualTo(ByteDistribution.TOTAL);
        for (int i = 0; i < symbols; i++) {
            double exact = frequencies.frequency(i) / (double) frequencies.total() * ByteDistribution.TOTAL;
            assertThat((double) scaled[i]).isPositive().isCloseTo(exact, within(symbols + 2.0));
        }
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
            cost -= p * Math.log(frequencies.frequency(i) / (double) frequencies.total());
        }
        assertThat(cost).isBetween(entropy * (1 - 1e-9), entropy * 1.0001 + 0x1p-30 * symbols);
    }

    @Test
    void uniformAndBroken() {
        Frequencies frequencies = new Frequencies(257);
        assertThat(frequencies.total()).isEqualTo(257L * frequencies.frequency(256));
        assertScaled(frequencies, 257);
        assertThatThrownBy(() -> frequencies.set(KERNELS, logits(257, Float.NaN, 1), 0))
                .hasMessageContaining("cannot predict");
    }
}
