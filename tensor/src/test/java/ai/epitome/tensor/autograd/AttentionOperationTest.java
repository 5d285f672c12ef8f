package ai.epitome.tensor.autograd;

import static ai.epitome.tensor.autograd.GradientCheck.check;
import static ai.epitome.tensor.autograd.GradientCheck.parameter;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.epitome.tensor.StepArena;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.backend.Backend;
import java.util.Random;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class AttentionOperationTest {
    /// The definition, in double precision, with a whole row of scores.
    private static double[] naive(float[] qkv, AttentionShape s, int[] starts) {
        int d = s.headDimension();
        int columns = s.fusedColumns();
        double[] result = new double[s.batch() * s.queries() * s.heads() * d];
        for (int b = 0; b < s.batch(); b++) {
            for (int t = 0; t < s.queries(); t++) {
                for (int h = 0; h < s.heads(); h++) {
                    int row = b * s.queries() + t;
                    int key = s.heads() * d + h / (s.heads() / s.keyValueHeads()) * d;
                    int value = key + s.keyValueHeads() * d;
                    int first = Math.max(starts == null ? 0 : starts[row], t - Math.min(s.window(), t + 1) + 1);
                    double sum = 0;
                    double[] p = new double[t + 1];
                    for (int u = first; u <= t; u++) {
                        double dot = 0;
                        for (int i = 0; i < d; i++) {
                            dot += (double) qkv[row * columns + h * d + i]
                                    * qkv[(b * s.queries() + u) * columns + key + i];
                        }
                        p[u] = Math.exp(dot / Math.sqrt(d));
                        sum += p[u];
                    }
                    for (int u = first; u <= t; u++) {
                        for (int i = 0; i < d; i++) {
                            result[(row * s.heads() + h) * d + i] +=
                                    p[u] / sum * qkv[(b * s.queries() + u) * columns + value + i];
                        }
                    }
                }
            }
        }
        return result;
    }

    private static void compare(AttentionShape shape, int[] starts) {
        Parameter qkv = parameter(5, shape.batch() * shape.queries(), shape.fusedColumns());
        Backend backend = GradientCheck.backend();
        try (StepArena arena = new StepArena()) {
            Tape tape = new Tape(backend, arena, false);
            float[] found = tape.attention(tape.parameter(qkv), shape, starts).toFloats();
            double[] expected = naive(qkv.value().toFloats(), shape, starts);
            for (int i = 0; i < found.length; i++) {
                assertThat((double) found[i]).as("%s at %d", shape, i).isCloseTo(expected[i], Offset.offset(1e-5));
            }
        }
        backend.workers().close();
    }

    @Test
    void equalsTheDefinition() {
        compare(AttentionShape.training(2, 5, 2, 2, 8), null);
        compare(AttentionShape.training(1, 130, 4, 2, 6), null);
        compare(new AttentionShape(2, 100, 100, 100, 2, 1, 8, 17), null);
        int[] starts = new int[2 * 70];
        for (int n = 0; n < starts.length; n++) {
            starts[n] = n % 70 / 30 * 30;
        }
        compare(AttentionShape.training(2, 70, 2, 1, 8), starts);
    }

    @Test
    void equalsTheDefinitionOverSeveralChunks() {
        compare(AttentionShape.training(1, 1100, 1, 1, 4), null);
    }

    @Test
    void gradients() {
        AttentionShape plain = AttentionShape.training(2, 7, 2, 2, 4);
        Parameter x = parameter(5, 14, plain.fusedColumns());
        check(tape -> tape.attention(tape.parameter(x), plain, null), x);
        AttentionShape grouped = AttentionShape.training(1, 9, 4, 2, 4);
        Parameter y = parameter(6, 9, grouped.fusedColumns());
        check(tape -> tape.attention(tape.parameter(y), grouped, new int[] {0, 0, 0, 3, 3, 3, 3, 7, 7}), y);
        AttentionShape window = new AttentionShape(1, 9, 9, 9, 2, 1, 4, 3);
        Parameter z = parameter(7, 9, window.fusedColumns());
        check(tape -> tape.attention(tape.parameter(z), window, null), z);
    }

    @Test
    void shapesAndSegmentsThatMakeNoSenseAreRefused() {
        assertThatThrownBy(() -> new AttentionShape(1, 4, 4, 4, 1, 1, 4, 0)).hasMessageContaining("cannot be 0");
        AttentionShape shape = AttentionShape.training(2, 4, 1, 1, 4);
        Parameter qkv = parameter(5, 8, shape.fusedColumns());
        Backend backend = GradientCheck.backend();
        try (StepArena arena = new StepArena()) {
            Tape tape = new Tape(backend, arena, false);
            Tensor rows = tape.parameter(qkv);
            tape.attention(rows, shape, new int[] {0, 0, 2, 2, 0, 1, 1, 3});
            assertThatThrownBy(() -> tape.attention(rows, shape, new int[4])).hasMessageContaining("4 segment starts");
            assertThatThrownBy(() -> tape.attention(rows, shape, new int[] {0, 0, 3, 3, 0, 0, 0, 0}))
                    .hasMessageContaining("row 2 starts its segment at 3; expected 0 to 2");
            assertThatThrownBy(() -> tape.attention(rows, shape, new int[] {0, 0, 0, 0, 0, 1, 1, 0}))
                    .hasMessageContaining("row 7 starts its segment at 0; expected 1 to 3");
            AttentionShape cache = new AttentionShape(2, 4, 5, 5, 1, 1, 4, 9);
            assertThatThrownBy(() -> tape.attention(rows, cache, null)).hasMessageContaining("as many keys as queries");
        }
        backend.workers().close();
    }

    @Test
    void largeScoresStayFinite() {
        AttentionShape shape = AttentionShape.training(1, 80, 1, 1, 8);
        Parameter qkv = parameter(5, 80, 24);
        float[] large = qkv.value().toFloats();
        Random random = new Random(3);
        for (int i = 0; i < large.length; i++) {
            large[i] *= random.nextInt(100);
        }
        qkv.value().set(large);
        Backend backend = GradientCheck.backend();
        try (StepArena arena = new StepArena()) {
            Tape tape = new Tape(backend, arena, true);
            tape.backward(tape.mean(tape.attention(tape.parameter(qkv), shape, null)));
            for (float g : qkv.gradient().toFloats()) {
                assertThat(g).isFinite();
            }
        }
        backend.workers().close();
    }
}
