package ai.epitome.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.epitome.model.engine.Session;
import ai.epitome.model.generation.LogProbabilities;
import ai.epitome.model.transformer.Transformer;
import java.util.Arrays;
import java.util.OptionalInt;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class ScorerTest {
    private static final int CONTEXT = 8;
    private static final Transformer MODEL = Models.modern(CONTEXT);

    /// The protocol in words: token i is predicted in the first window whose inputs reach it.
    private static float[] naive(int[] ids, OptionalInt start, int context, int stride) {
        float[] result = new float[ids.length];
        for (int i = 0; i < ids.length; i++) {
            int inputsBefore = start.isPresent() ? i + 1 : i; // inputs that may be seen
            if (inputsBefore == 0) {
                result[i] = (float) -Math.log(Models.VOCABULARY);
                continue;
            }
            int window = 0;
            while (window * stride + context < inputsBefore) {
                window++;
            }
            try (Session session = new Session(MODEL, Reference.BACKEND, CONTEXT)) {
                float[] logits = null;
                for (int at = window * stride; at < inputsBefore; at++) {
                    int offset = start.isPresent() ? at - 1 : at;
                    logits = session.advance(offset < 0 ? start.getAsInt() : ids[offset]);
                }
                result[i] = LogProbabilities.of(logits)[ids[i]];
            }
        }
        return result;
    }

    @Property(tries = 25)
    void everyTokenIsScoredOnceAsTheProtocolSays(
            @ForAll @IntRange(min = 1, max = 40) int length,
            @ForAll @IntRange(min = 1, max = CONTEXT) int context,
            @ForAll @IntRange(min = 1, max = CONTEXT) int stride,
            @ForAll boolean started) {
        int[] ids = Models.tokens(length, length);
        int step = Math.min(stride, context);
        OptionalInt start = started ? OptionalInt.of(256) : OptionalInt.empty();
        try (Scorer scorer = new Scorer(MODEL, Reference.BACKEND, start, context, step)) {
            Scorer.Score score = scorer.score(ids, 2L * length);
            float[] expected = naive(ids, start, context, step);
            double nats = 0;
            for (int i = 0; i < length; i++) {
                assertThat(score.logProbabilities()[i]).isCloseTo(expected[i], within(2e-4f));
                nats -= score.logProbabilities()[i];
            }
            assertThat(score.firstIsPredicted()).isEqualTo(started);
            assertThat(score.bits()).isCloseTo(nats / Math.log(2), within(1e-9));
            assertThat(score.bitsPerByte()).isEqualTo(score.bits() / (2 * length));
        }
    }

    @Test
    void textsOfManyBatchesOfWindowsAreWhole() {
        int[] ids = Models.tokens(20_000, 7);
        try (Scorer scorer = new Scorer(MODEL, Reference.BACKEND, OptionalInt.empty())) {
            float[] all = scorer.score(ids, ids.length).logProbabilities();
            assertThat(all).doesNotContain(0f);
            // the end alone, begun at a window's beginning, costs the same
            int from = 19_000;
            int[] end = Arrays.copyOfRange(ids, from, ids.length);
            float[] alone = scorer.score(end, end.length).logProbabilities();
            for (int i = CONTEXT + 1; i < end.length; i++) {
                assertThat(alone[i]).isCloseTo(all[from + i], within(2e-4f));
            }
        }
    }

    @Test
    void anEmptyTextCostsNothing() {
        try (Scorer scorer = new Scorer(MODEL, Reference.BACKEND, OptionalInt.empty())) {
            assertThat(scorer.score(new int[0], 0).bits()).isZero();
        }
    }

    @Test
    void windowsThatCannotBeAreRefused() {
        assertThatThrownBy(() -> new Scorer(MODEL, Reference.BACKEND, OptionalInt.empty(), CONTEXT + 1, 1))
                .hasMessageContaining("context is 8");
        assertThatThrownBy(() -> new Scorer(MODEL, Reference.BACKEND, OptionalInt.empty(), 4, 5))
                .hasMessageContaining("moved by 5");
    }
}
