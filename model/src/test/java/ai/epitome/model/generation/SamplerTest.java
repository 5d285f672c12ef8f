package ai.epitome.model.generation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.epitome.model.transformer.SplitMix64;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
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

    /// Worked out by the papers' formulas in another language, step by step; each step changes something.
    @Test
    void stepsComeInTheirOrder() {
        Penalties penalties = new Penalties(1.5, 0.4, 0.3);
        Map<Integer, Double> bias = Map.of(5, 3.5);
        Sampling sampling = new Sampling(0.7, 5, 0.92, 0.25, 0.5, penalties, bias, 1);
        assertDistribution(
                new Sampling(1, 0, 1, 0, 1, new Penalties(1.5, 0, 0), Map.of(), 1),
                0.413232,
                0.296094,
                0.152020,
                0.108927,
                0.024305,
                0.005423);
        assertDistribution(
                new Sampling(1, 0, 1, 0, 1, penalties, Map.of(), 1),
                0.212341,
                0.457081,
                0.116535,
                0.168151,
                0.037520,
                0.008372);
        assertDistribution(
                new Sampling(1, 0, 1, 0, 1, penalties, bias, 1),
                0.167348,
                0.360229,
                0.091842,
                0.132521,
                0.029569,
                0.218490);
        assertDistribution(
                new Sampling(0.7, 0, 1, 0, 1, penalties, bias, 1),
                0.149733,
                0.447687,
                0.063543,
                0.107289,
                0.012587,
                0.219161);
        assertDistribution(
                new Sampling(0.7, 5, 1, 0, 1, penalties, bias, 1), 0.151642, 0.453394, 0.064353, 0.108656, 0, 0.221955);
        assertDistribution(
                new Sampling(0.7, 5, 0.92, 0, 1, penalties, bias, 1), 0.162072, 0.484578, 0, 0.116130, 0, 0.237221);
        assertDistribution(
                new Sampling(0.7, 5, 0.92, 0.25, 1, penalties, bias, 1), 0.183366, 0.548245, 0, 0, 0, 0.268389);
        assertDistribution(sampling, 0, 0.671347, 0, 0, 0, 0.328653);
    }

    @Test
    void typicalKeepsWhatIsNearTheEntropy() {
        assertDistribution(typical(0.2), 0, 1, 0, 0, 0, 0); // not the likeliest
        assertDistribution(typical(0.5), 0.731059, 0.268941, 0, 0, 0, 0);
        assertDistribution(typical(0.9), 0.579259, 0.213097, 0.129250, 0.078394, 0, 0);
    }

    private static Sampling typical(double mass) {
        return new Sampling(1, 0, 1, 0, mass, Penalties.NONE, Map.of(), 1);
    }

    /// Frequencies of first tokens after a prompt of 3 and 4 behind which 0, 0 and 2 were generated.
    private static void assertDistribution(Sampling sampling, double... expected) {
        float[] logits = {2, 1, 0.5f, 0, -1, -3};
        int draws = 40_000;
        double[] found = new double[6];
        for (int i = 0; i < draws; i++) {
            Sampler sampler = new Sampler(sampling.withSeed(i), new int[] {3, 4, 3});
            for (int token : new int[] {0, 0, 2}) {
                float[] forced = new float[6];
                Arrays.fill(forced, -1e6f);
                forced[token] = 1e6f;
                assertThat(sampler.sample(forced)).isEqualTo(token);
            }
            found[sampler.sample(logits)] += 1.0 / draws;
        }
        for (int id = 0; id < 6; id++) {
            assertThat(found[id]).as("token %d of %s", id, sampling).isCloseTo(expected[id], within(0.011));
            assertThat(found[id] > 0).as("token %d of %s", id, sampling).isEqualTo(expected[id] > 0);
        }
    }

    @Test
    void greedyChoiceComesAfterPenaltiesAndBias() {
        Sampler sampler = new Sampler(new Sampling(0, 0, 1, 0, 1, new Penalties(1, 0, 2), Map.of(3, 1.0), 0));
        float[] logits = {2, 1.5f, 1, 1.2f};
        assertThat(IntStream.range(0, 6).map(_ -> sampler.sample(logits)).toArray())
                .containsExactly(3, 0, 1, 2, 3, 3);
        assertThat(logits).containsExactly(2, 1.5f, 1, 1.2f);
    }

    @Test
    void whatIsOutOfBoundsIsRefused() {
        assertThatThrownBy(() -> new Penalties(0, 0, 0)).hasMessageContaining("repetition penalty must be above 0");
        assertThatThrownBy(() -> new Penalties(1, 2.1, 0)).hasMessageContaining("frequency penalty must be between");
        assertThatThrownBy(() -> new Penalties(1, 0, Double.NaN)).hasMessageContaining("presence penalty");
        assertThatThrownBy(() -> typical(0)).hasMessage("typical must be above 0 and at most 1, not 0.0");
        assertThatThrownBy(() -> biased(7, 101)).hasMessageContaining("bias of token 7 must be between -100 and 100");
        assertThatThrownBy(() -> biased(-1, 1)).hasMessageContaining("which is never -1");
        assertThatThrownBy(() -> new Sampler(biased(4, 1)).sample(LOGITS))
                .hasMessage("a logit bias for token 4: the model has ids 0 to 3");
    }

    private static Sampling biased(int token, double bias) {
        return new Sampling(1, 0, 1, 0, 1, Penalties.NONE, Map.of(token, bias), 1);
    }

    @Test
    void aVocabularyOfManyBlocksIsDrawnFromEverywhere() {
        float[] logits = new float[5000];
        Arrays.fill(logits, Float.NEGATIVE_INFINITY);
        int[] ids = {0, 1023, 1024, 4999};
        for (int id : ids) {
            logits[id] = 1;
        }
        for (double temperature : new double[] {1e-300, 1, 1e300}) {
            Sampler sampler = new Sampler(Sampling.ofTemperature(temperature, 5));
            assertThat(IntStream.range(0, 200).map(_ -> sampler.sample(logits)).boxed())
                    .contains(0, 1023, 1024, 4999)
                    .allMatch(id -> Arrays.binarySearch(ids, id) >= 0);
        }
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
    void theFirstOfTheLargestLogitsIsTaken() {
        Random random = new Random(3);
        for (int round = 0; round < 50; round++) {
            float[] logits = new float[1 + random.nextInt(5000)];
            for (int id = 0; id < logits.length; id++) {
                logits[id] = random.nextInt(8) == 0 ? Float.NEGATIVE_INFINITY : random.nextInt(200) / 8f;
            }
            logits[0] = 0;
            int expected = 0;
            for (int id = 1; id < logits.length; id++) {
                expected = logits[id] > logits[expected] ? id : expected;
            }
            assertThat(Sampler.argmax(logits)).isEqualTo(expected);
            int broken = random.nextInt(logits.length);
            logits[broken] = round % 2 == 0 ? Float.NaN : Float.POSITIVE_INFINITY;
            assertThatThrownBy(() -> Sampler.argmax(logits)).hasMessageContaining("the logit of token " + broken);
        }
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

    /// Weights that are near each other, so that many share a bucket, and each is drawn if it is left.
    @Property(tries = 200)
    void candidatesAreThoseThatSortingLeaves(
            @ForAll @IntRange(min = 1, max = 100) int size, @ForAll @IntRange(max = 120) int topK, @ForAll int seed) {
        SplitMix64 random = new SplitMix64(seed);
        float[] weights = new float[size];
        for (int i = 0; i < size; i++) {
            weights[i] = (float) (0.5 + Math.round(random.nextDouble() * 50) / 100.0);
        }
        weights[(int) (random.nextDouble() * size)] = 1;
        double topP = 0.3 + 0.7 * random.nextDouble();
        List<Integer> ranked = IntStream.range(0, size)
                .boxed()
                .sorted(Comparator.comparingDouble((Integer id) -> -weights[id]).thenComparing(id -> id))
                .limit(topK == 0 ? size : topK)
                .toList();
        double left = topP * ranked.stream().mapToDouble(id -> weights[id]).sum();
        Set<Integer> expected = new TreeSet<>();
        for (int id : ranked) {
            if (left > 0) {
                expected.add(id);
                left -= weights[id];
            }
        }
        Candidates candidates = new Candidates(weights).restrict(new Sampling(1, topK, topP, 0, 0));
        assertThat(IntStream.range(0, 1000)
                        .map(i -> candidates.draw(i / 1000.0))
                        .boxed()
                        .collect(Collectors.toSet()))
                .isEqualTo(expected);
    }

    @Test
    void logProbabilitiesSumToOne() {
        float[] values = LogProbabilities.of(LOGITS);
        assertThat(IntStream.range(0, 4).mapToDouble(i -> Math.exp(values[i])).sum())
                .isCloseTo(1, within(1e-6));
        assertThat(Math.exp(values[2])).isCloseTo(0.5, within(1e-6));
    }
}
