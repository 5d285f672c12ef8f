package ai.epitome.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Comparator;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class SamplerTest {
    /// Probabilities 0.5, 0.25, 0.15, 0.1 in the order 2, 0, 3, 1.
    private static final float[] LOGITS = {log(0.25), log(0.1), log(0.5), log(0.15)};

    private static float log(double probability) {
        return (float) (Math.log(probability) + 3);
    }

    private static double[] frequencies(Sampling sampling) {
        Sampler sampler = new Sampler(sampling);
        double[] counts = new double[4];
        for (int i = 0; i < 40_000; i++) {
            counts[sampler.sample(LOGITS)] += 1 / 40_000.0;
        }
        return counts;
    }

    private static void assertFrequencies(Sampling sampling, double... expected) {
        double[] found = frequencies(sampling);
        for (int id = 0; id < 4; id++) {
            if (expected[id] == 0) {
                assertThat(found[id]).as("token %d", id).isZero();
            } else {
                assertThat(found[id]).as("token %d", id).isCloseTo(expected[id], within(0.012));
            }
        }
    }

    @Test
    void drawsFromTheDistribution() {
        assertFrequencies(Sampling.ofTemperature(1, 3), 0.25, 0.1, 0.5, 0.15);
    }

    @Test
    void temperatureSharpens() {
        double total = 0.0625 + 0.01 + 0.25 + 0.0225; // squares
        assertFrequencies(Sampling.ofTemperature(0.5, 3), 0.0625 / total, 0.01 / total, 0.25 / total, 0.0225 / total);
    }

    @Test
    void restrictionsKeepTheLikeliest() {
        assertFrequencies(new Sampling(1, 2, 1, 0, 1), 1 / 3.0, 0, 2 / 3.0, 0);
        assertFrequencies(new Sampling(1, 0, 0.7, 0, 1), 1 / 3.0, 0, 2 / 3.0, 0);
        assertFrequencies(new Sampling(1, 0, 0.8, 0, 1), 0.25 / 0.9, 0, 0.5 / 0.9, 0.15 / 0.9);
        assertFrequencies(new Sampling(1, 0, 1, 0.29, 1), 0.25 / 0.9, 0, 0.5 / 0.9, 0.15 / 0.9);
        assertFrequencies(new Sampling(1, 1, 1, 0, 1), 0, 0, 1, 0);
        // top-p counts within what top-k left: of 0.5 and 0.25, the first is 2/3
        assertFrequencies(new Sampling(1, 2, 0.6, 0, 1), 0, 0, 1, 0);
    }

    @Test
    void greedyTakesTheLowestIdAmongEquals() {
        assertThat(new Sampler(Sampling.GREEDY).sample(new float[] {1, 5, 5, -2}))
                .isEqualTo(1);
    }

    @Test
    void sameSeedSameTokens() {
        assertThat(frequencies(Sampling.ofTemperature(1, 9)))
                .containsExactly(frequencies(Sampling.ofTemperature(1, 9)));
        assertThat(frequencies(Sampling.ofTemperature(1, 9))).isNotEqualTo(frequencies(Sampling.ofTemperature(1, 10)));
    }

    @Test
    void brokenLogitsAreAnError() {
        Sampler sampler = new Sampler(Sampling.GREEDY);
        assertThatThrownBy(() -> sampler.sample(new float[] {1, Float.NaN}))
                .hasMessageContaining("the logit of token 1 is NaN");
        assertThatThrownBy(() -> sampler.sample(new float[] {Float.NEGATIVE_INFINITY}))
                .hasMessageContaining("no token can be taken");
    }

    @Property(tries = 300)
    void rankingEqualsSorting(@ForAll @IntRange(min = 1, max = 2000) int size, @ForAll int seed) {
        SplitMix64 random = new SplitMix64(seed);
        float[] logits = new float[size];
        for (int i = 0; i < size; i++) {
            logits[i] = (int) (random.nextDouble() * 40) / 4f - 5f; // many equal ones, zero among them
        }
        int[] expected = IntStream.range(0, size)
                .boxed()
                .sorted(Comparator.comparingDouble((Integer id) -> -logits[id]).thenComparing(id -> id))
                .mapToInt(id -> id)
                .toArray();
        Ranking ranking = new Ranking(logits);
        int[] found = IntStream.range(0, size).map(ranking::id).toArray();
        assertThat(found).containsExactly(expected);
        assertThat(new Ranking(logits).id(size / 2)).isEqualTo(expected[size / 2]);
    }

    @Test
    void logProbabilitiesSumToOne() {
        float[] values = LogProbabilities.of(LOGITS);
        assertThat(IntStream.range(0, 4).mapToDouble(i -> Math.exp(values[i])).sum())
                .isCloseTo(1, within(1e-6));
        assertThat(Math.exp(values[2])).isCloseTo(0.5, within(1e-6));
    }
}
