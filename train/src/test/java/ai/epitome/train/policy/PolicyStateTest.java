package ai.epitome.train.policy;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.epitome.train.TrainingException;
import java.lang.foreign.Arena;
import java.util.Random;
import java.util.function.IntToDoubleFunction;
import org.junit.jupiter.api.Test;

/// Rewards of 0 and 1, some hundred a run.
class PolicyStateTest {
    private static final int PROMPTS = 16;

    /// @param chance of a right answer in each iteration
    private static void observe(IntToDoubleFunction chance, int iterations, long seed) {
        try (Arena arena = Arena.ofConfined()) {
            PolicyState state = new PolicyState(arena, 0.1, PROMPTS);
            Random random = new Random(seed);
            for (int i = 0; i < iterations; i++) {
                double right = 0;
                for (int prompt = 0; prompt < PROMPTS; prompt++) {
                    right += random.nextDouble() < chance.applyAsDouble(i) ? 1 : 0;
                }
                double mean = right / PROMPTS;
                state.observe(mean, Math.sqrt(mean * (1 - mean)));
            }
        }
    }

    @Test
    void noiseIsNoCollapse() {
        for (int seed = 0; seed < 20; seed++) {
            long own = seed;
            assertThatCode(() -> observe(_ -> 0.35, 60, own)).doesNotThrowAnyException();
        }
    }

    @Test
    void aFallFarBelowTheStartIs() {
        assertThatThrownBy(() -> observe(i -> Math.max(0.05, 0.4 - 0.01 * i), 100, 1))
                .isInstanceOf(TrainingException.class)
                .hasMessageContaining("the reward has collapsed: it began at 0.3");
        assertThatThrownBy(() -> observe(i -> i < 10 ? 0.95 : 0.6, 100, 1))
                .hasMessageContaining("more prompts (--ask)");
    }

    @Test
    void whatRisesMayFallAgain() {
        assertThatCode(() -> observe(i -> i < 50 ? 0.4 + 0.01 * i : 0.5, 100, 1))
                .doesNotThrowAnyException();
    }
}
