package ai.epitome.model.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class PromptLookupTest {
    @Test
    void guessesWhatFollowedTheLastTimes() {
        PromptLookup lookup = new PromptLookup();
        int[] tokens = {1, 2, 3, 4, 5, 9, 1, 2, 3, 7, 7, 1, 2, 3, 0, 0};
        assertThat(lookup.guess(tokens, 8, 8)).isEmpty();
        assertThat(lookup.guess(tokens, 9, 8)).containsExactly(4, 5);
        assertThat(lookup.guess(tokens, 9, 8)).isEmpty(); // its own place is no earlier one
        assertThat(lookup.guess(tokens, 14, 1)).containsExactly(7);
        assertThat(lookup.guess(tokens, 2, 8)).isEmpty();
    }

    @Test
    void successMakesItBoldAndFailureCautious() {
        PromptLookup lookup = new PromptLookup();
        int[] tokens = new int[400];
        Arrays.setAll(tokens, i -> i % 10);
        int length = 20;
        assertThat(lookup.guess(tokens, length++, 9)).hasSize(2);
        lookup.learn(2, 2);
        assertThat(lookup.guess(tokens, length++, 9)).hasSize(4);
        lookup.learn(4, 4);
        lookup.learn(6, 6);
        assertThat(lookup.guess(tokens, length++, 20)).hasSize(8);
        lookup.learn(8, 1);
        assertThat(lookup.guess(tokens, length++, 20)).hasSize(4);
        lookup.learn(4, 0);
        for (int i = 0; i < 4; i++) {
            assertThat(lookup.guess(tokens, length++, 20)).isEmpty();
        }
        assertThat(lookup.guess(tokens, length++, 20)).hasSize(2);
    }

    @Test
    void growsWithTheTextAndForgetsWithIt() {
        PromptLookup lookup = new PromptLookup();
        int[] tokens = new int[3000];
        Arrays.setAll(tokens, i -> i);
        System.arraycopy(tokens, 100, tokens, 2900, 20);
        assertThat(lookup.guess(tokens, 2910, 9)).containsExactly(110, 111);
        int[] shorter = Arrays.copyOfRange(tokens, 1500, 2000);
        assertThat(lookup.guess(shorter, 400, 9)).isEmpty();
        System.arraycopy(shorter, 10, shorter, 400, 5);
        assertThat(lookup.guess(shorter, 405, 9)).containsExactly(1515, 1516);
    }
}
