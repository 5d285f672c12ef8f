package ai.epitome.model.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.autograd.Parameter;
import org.junit.jupiter.api.Test;

class InitializationTest {
    private static final TransformerConfig CONFIG =
            TransformerConfig.ofDepth(2, 1000, 32).with(c -> c.tiedHead = false);

    private static double deviation(Tensor tensor) {
        double sum = 0;
        for (float value : tensor.toFloats()) {
            sum += (double) value * value;
        }
        return Math.sqrt(sum / tensor.size());
    }

    @Test
    void sameSeedSameBitsAnotherSeedOthers() {
        try (Transformer one = new Transformer(CONFIG, Initialization.modern(1));
                Transformer same = new Transformer(CONFIG, Initialization.modern(1));
                Transformer other = new Transformer(CONFIG, Initialization.modern(2))) {
            for (int i = 0; i < one.parameters().size(); i++) {
                float[] values = one.parameters().get(i).value().toFloats();
                assertThat(same.parameters().get(i).value().toFloats()).containsExactly(values);
                if (one.role(one.parameters().get(i)) == Role.MATRIX) {
                    assertThat(other.parameters().get(i).value().toFloats()).isNotEqualTo(values);
                }
            }
        }
    }

    @Test
    void deviationsAreThoseAskedFor() {
        try (Transformer modern = new Transformer(CONFIG, Initialization.modern(1));
                Transformer gpt2 = new Transformer(CONFIG, Initialization.gpt2(1))) {
            for (int i = 0; i < modern.parameters().size(); i++) {
                Parameter parameter = modern.parameters().get(i);
                Role role = modern.role(parameter);
                double expected = switch (role) {
                    case MATRIX -> 1 / Math.sqrt(parameter.value().columns());
                    case EMBEDDING, HEAD -> 0.02;
                    case GAIN -> 1;
                    case BIAS, OUTPUT_MATRIX -> 0;
                };
                assertThat(deviation(parameter.value()))
                        .as(parameter.name())
                        .isCloseTo(expected, within(expected * 0.02));
                double classic = switch (role) {
                    case MATRIX, EMBEDDING, HEAD -> 0.02;
                    case OUTPUT_MATRIX -> 0.02 / Math.sqrt(4); // two layers
                    case GAIN -> 1;
                    case BIAS -> 0;
                };
                assertThat(deviation(gpt2.parameters().get(i).value()))
                        .as(parameter.name())
                        .isCloseTo(classic, within(classic * 0.02));
            }
        }
    }

    /// Seed 0 of the published generator (Vigna's splitmix64.c).
    @Test
    void generatorGivesThePublishedNumbers() {
        SplitMix64 random = new SplitMix64(0);
        assertThat(random.nextLong()).isEqualTo(0xE220A8397B1DCDAFL);
        assertThat(random.nextLong()).isEqualTo(0x6E789E6AA1B965F4L);
    }
}
