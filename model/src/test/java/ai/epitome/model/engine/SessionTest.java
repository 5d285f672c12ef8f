package ai.epitome.model.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.epitome.model.Models;
import ai.epitome.model.Reference;
import ai.epitome.model.transformer.Dropout;
import ai.epitome.model.transformer.Sequences;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.tensor.StepArena;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.autograd.Tape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class SessionTest {
    private static final int CONTEXT = 24;

    static List<Transformer> models() {
        Transformer windowed = Models.drawn(Models.modern(CONTEXT).config().with(c -> c.window = 5));
        return List.of(Models.modern(CONTEXT), Models.classic(CONTEXT), windowed);
    }

    /// The logits after the last of `ids`, without a cache.
    private static float[] full(Transformer model, int... ids) {
        try (StepArena arena = new StepArena()) {
            Tape tape = new Tape(Reference.BACKEND, arena, false);
            Tensor hidden = model.hidden(tape, new Sequences(ids, 1), Dropout.NONE);
            return model.logits(tape, hidden.slice(ids.length - 1, ids.length)).toFloats();
        }
    }

    private static void assertClose(float[] found, float[] expected) {
        assertThat(found).hasSameSizeAs(expected);
        for (int i = 0; i < found.length; i++) {
            assertThat(found[i]).isCloseTo(expected[i], within(2e-4f));
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void cachedPredictionsAreThoseOfTheFullForwardPass(Transformer model) {
        int[] ids = Models.tokens(CONTEXT, 1);
        try (Session session = new Session(model, Reference.BACKEND, CONTEXT)) {
            int read = 0;
            for (int step : new int[] {3, 1, 1, 7, 1, 11}) {
                float[] logits = session.advance(Arrays.copyOfRange(ids, read, read + step));
                read += step;
                assertThat(session.length()).isEqualTo(read);
                assertClose(logits, full(model, Arrays.copyOf(ids, read)));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void scanGivesThePredictionAfterEveryToken(Transformer model) {
        int[] ids = Models.tokens(9, 2);
        try (Session session = new Session(model, Reference.BACKEND, CONTEXT)) {
            session.advance(ids[0], ids[1]);
            List<Integer> indices = new ArrayList<>();
            session.scan(Arrays.copyOfRange(ids, 2, 9), (index, logits) -> {
                indices.add(index);
                assertClose(logits, full(model, Arrays.copyOf(ids, 3 + index)));
            });
            assertThat(indices).containsExactly(0, 1, 2, 3, 4, 5, 6);
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void aFullContextForgetsItsOlderHalf(Transformer model) {
        int[] ids = Models.tokens(CONTEXT + 3, 3);
        try (Session session = new Session(model, Reference.BACKEND, CONTEXT)) {
            session.advance(Arrays.copyOf(ids, CONTEXT));
            float[] logits = session.advance(ids[CONTEXT]);
            assertThat(session.length()).isEqualTo(CONTEXT / 2);
            assertClose(logits, full(model, Arrays.copyOfRange(ids, CONTEXT / 2 + 1, CONTEXT + 1)));
            assertClose(
                    session.advance(ids[CONTEXT + 1]),
                    full(model, Arrays.copyOfRange(ids, CONTEXT / 2 + 1, CONTEXT + 2)));
        }
    }

    @Test
    void aPromptThatIsTooLongKeepsItsEnd() {
        int[] ids = Models.tokens(3 * CONTEXT, 4);
        try (Transformer model = Models.modern(CONTEXT);
                Session session = new Session(model, Reference.BACKEND, CONTEXT)) {
            assertClose(session.advance(ids), full(model, Arrays.copyOfRange(ids, 2 * CONTEXT, 3 * CONTEXT)));
            assertThat(session.length()).isEqualTo(CONTEXT);
        }
    }

    @Test
    void rewindingForgets() {
        int[] ids = Models.tokens(12, 5);
        try (Transformer model = Models.modern(CONTEXT);
                Session session = new Session(model, Reference.BACKEND, CONTEXT)) {
            session.advance(ids);
            session.rewind(5);
            assertClose(session.advance(99), full(model, ids[0], ids[1], ids[2], ids[3], ids[4], 99));
            assertThatThrownBy(() -> session.rewind(7)).hasMessage("cannot go back to 7 of 6 tokens");
        }
    }

    @Test
    void wrongTokensAreRefusedAndChangeNothing() {
        try (Transformer model = Models.modern(CONTEXT);
                Session session = new Session(model, Reference.BACKEND, CONTEXT)) {
            session.advance(1, 2);
            assertThatThrownBy(() -> session.advance(3, 257)).hasMessage("token 257: the model has ids 0 to 256");
            assertThatThrownBy(session::advance).hasMessage("no token to read");
            assertThatThrownBy(() -> session.scan(new int[CONTEXT - 1], (_, _) -> {}))
                    .hasMessage("23 tokens after 2 do not fit in 24");
            assertThat(session.length()).isEqualTo(2);
        }
        try (Transformer model = Models.modern(CONTEXT)) {
            assertThatThrownBy(() -> new Session(model, Reference.BACKEND, CONTEXT + 1))
                    .hasMessageContaining("context is 24");
        }
    }

    @Test
    void sessionsOfSeveralThreadsTakeTurns() throws ExecutionException, InterruptedException {
        try (Transformer model = Models.modern(CONTEXT);
                var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<float[]>> results = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                int[] ids = Models.tokens(CONTEXT, i);
                results.add(threads.submit(() -> {
                    try (Session session = new Session(model, Reference.BACKEND, CONTEXT)) {
                        float[] logits = null;
                        for (int id : ids) {
                            logits = session.advance(id);
                        }
                        return logits;
                    }
                }));
            }
            List<float[]> found = new ArrayList<>();
            for (Future<float[]> result : results) {
                found.add(result.get());
            }
            for (int i = 0; i < 4; i++) { // after the last session: this takes no turn
                assertClose(found.get(i), full(model, Models.tokens(CONTEXT, i)));
            }
        }
    }
}
