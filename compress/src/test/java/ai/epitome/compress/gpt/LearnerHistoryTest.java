package ai.epitome.compress.gpt;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class LearnerHistoryTest {
    private static final int BITS = 20;

    private static LearnerHistory told(String text) {
        LearnerHistory history = new LearnerHistory(BITS);
        for (byte value : text.getBytes(StandardCharsets.ISO_8859_1)) {
            history.append(value & 0xff);
        }
        return history;
    }

    private static int[] contexts(String text) {
        LearnerHistory history = told(text);
        int[] rows = new int[LearnerHistory.CONTEXTS];
        history.contexts(history.length() - 1, rows, 0);
        return rows;
    }

    /// Which contexts of two texts are the same.
    private static String same(String first, String second) {
        int[] one = contexts(first);
        int[] other = contexts(second);
        StringBuilder same = new StringBuilder();
        for (int i = 0; i < one.length; i++) {
            assertThat(one[i]).isBetween(0, (1 << BITS) - 1);
            same.append(one[i] == other[i] ? '=' : '.');
        }
        return same.toString();
    }

    /// Of the last bytes, then the word so far, then the word before too.
    @Test
    void contextsSeeWhatTheySay() {
        String bytes = "=".repeat(LearnerHistory.CONTEXTS - 2);
        String others = ".".repeat(LearnerHistory.CONTEXTS - 2);
        assertThat(same("a good day", "a good day")).isEqualTo(bytes + "==");
        assertThat(same("my red houses", "my old houses")).isEqualTo(bytes + "=.");
        assertThat(same("one two thr", "one two the")).isEqualTo(others + "..");
        assertThat(same("my red   house", "my red, house")).endsWith("==");
        assertThat(same("my red house", "my old house")).endsWith("=.");
        assertThat(same("my Red House", "my red house")).endsWith("==");
    }

    @Test
    void whatLiesFarBackIsForgotten() {
        LearnerHistory history = told("x".repeat(LearnerHistory.KEPT) + "yz");
        assertThat(history.length()).isEqualTo(LearnerHistory.KEPT + 2L);
        assertThat(history.at(history.length() - 1)).isEqualTo('z');
        assertThat(history.at(2)).isEqualTo('x');
        assertThat(history.at(-1)).isZero();
    }
}
