package ai.epitome.tensor.autograd;

import static ai.epitome.tensor.autograd.GradientCheck.check;
import static ai.epitome.tensor.autograd.GradientCheck.parameter;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.epitome.tensor.StepArena;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.backend.Backend;
import org.junit.jupiter.api.Test;

/// Finite-difference checks of every operation, with column counts that leave partial registers.
public class OperationGradientTest {
    private final Parameter x = parameter(1, 5, 37);
    private final Parameter y = parameter(2, 5, 37);

    @Test
    public void linear() {
        Parameter weight = parameter(3, 7, 37);
        Parameter bias = parameter(4, 7);
        check(tape -> tape.linear(tape.parameter(x), weight, bias), x, weight, bias);
        check(tape -> tape.logits(tape.parameter(x), weight), x, weight);
    }

    /// Two adapters of one layer, on overlapping columns, and one whose layer is frozen.
    @Test
    void adapters() {
        Parameter weight = parameter(3, 7, 37);
        Parameter[] first = {parameter(21, 2, 37), parameter(22, 3, 2)};
        Parameter[] second = {parameter(23, 3, 37), parameter(24, 7, 3)};
        Parameter frozen = parameter(25, 5, 7).trainable(false);
        Parameter[] third = {parameter(26, 1, 7), parameter(27, 5, 1)};
        check(
                tape -> {
                    Tensor input = tape.parameter(x);
                    Tensor y = tape.linear(input, weight);
                    y = tape.adapt(y, 4, input, first[0], first[1], 0.5f);
                    y = tape.tanh(tape.adapt(y, 0, input, second[0], second[1], 0.3f));
                    return tape.adapt(tape.linear(y, frozen), 0, y, third[0], third[1], 2f);
                },
                x,
                weight,
                first[0],
                first[1],
                second[0],
                second[1],
                third[0],
                third[1]);
    }

    /// Only what is learned gets a gradient, also where nothing before the layer does.
    @Test
    void adaptersOfFrozenLayers() {
        Parameter input = parameter(1, 5, 37).trainable(false);
        Parameter frozen = parameter(3, 7, 37).trainable(false);
        Parameter down = parameter(21, 2, 37);
        Parameter up = parameter(22, 3, 2);
        check(
                tape -> {
                    Tensor x = tape.parameter(input);
                    return tape.adapt(tape.linear(x, frozen), 2, x, down, up, 0.5f);
                },
                down,
                up);
    }

    @Test
    void anAdapterMustFit() {
        Parameter weight = parameter(3, 7, 37);
        check(tape -> {
            Tensor input = tape.parameter(x);
            Tensor y = tape.linear(input, weight);
            assertThatThrownBy(() -> tape.adapt(y, 5, input, parameter(1, 2, 37), parameter(2, 3, 2), 1))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("columns from 5 on");
            return y;
        });
    }

    @Test
    void inputUsedTwiceAddsUp() {
        Parameter weight = parameter(3, 37, 37);
        check(
                tape -> {
                    Tensor input = tape.parameter(x);
                    return tape.add(tape.multiply(input, tape.linear(input, weight)), input);
                },
                x,
                weight);
    }

    @Test
    void forgottenValuesAreNotRead() {
        Parameter weight = parameter(3, 37, 37);
        check(
                tape -> {
                    Tensor input = tape.parameter(x);
                    Tensor linear = tape.linear(input, weight);
                    Tensor dropped = tape.dropout(linear, 0.3f, 42);
                    Tensor sum = tape.add(input, dropped);
                    tape.forget(linear);
                    tape.forget(dropped);
                    return tape.tanh(sum); // takes the memory
                },
                x,
                weight);
    }

    @Test
    void embedding() {
        Parameter table = parameter(5, 6, 70);
        check(tape -> tape.embedding(new int[] {3, 1, 3, 0, 5}, table), table);
    }

    @Test
    public void norms() {
        Parameter gain = parameter(6, 37);
        Parameter bias = parameter(7, 37);
        check(tape -> tape.rmsNorm(tape.parameter(x), gain, 1e-5f), x, gain);
        check(tape -> tape.rmsNorm(tape.parameter(x), null, 1e-5f), x);
        check(tape -> tape.layerNorm(tape.parameter(x), gain, bias, 1e-5f), x, gain, bias);
        check(tape -> tape.layerNorm(tape.parameter(x), null, null, 1e-5f), x);
    }

    @Test
    public void rotaryWithAndWithoutNorm() {
        AttentionShape shape = AttentionShape.training(1, 3, 4, 2, 6);
        Parameter qkv = parameter(8, 3, shape.fusedColumns());
        Parameter queryGain = parameter(9, 6);
        Parameter keyGain = parameter(10, 6);
        RotaryTable table = RotaryTable.of(10_000, 6, 16);
        int[] positions = {0, 5, 11};
        check(tape -> tape.rotate(tape.parameter(qkv), shape, table, positions, null, null, 1e-6f), qkv);
        check(
                tape -> tape.rotate(tape.parameter(qkv), shape, table, positions, queryGain, keyGain, 1e-6f),
                qkv,
                queryGain,
                keyGain);
        check(
                tape -> tape.rotate(tape.parameter(qkv), shape, null, null, queryGain, keyGain, 1e-6f),
                qkv,
                queryGain,
                keyGain);
    }

    @Test
    void rotaryWithWideHeads() {
        AttentionShape shape = AttentionShape.training(1, 2, 1, 1, 70);
        Parameter qkv = parameter(8, 2, shape.fusedColumns());
        RotaryTable table = RotaryTable.of(10_000, 70, 16);
        check(tape -> tape.rotate(tape.parameter(qkv), shape, table, new int[] {3, 9}, null, null, 1e-6f), qkv);
    }

    @Test
    void activations() {
        for (int i = 0; i < x.value().size(); i++) { // finite differences mean nothing at the kinks of relu
            float v = x.value().get(i);
            x.value().set(i, Math.abs(v) < 0.02f ? 0.1f : v);
        }
        for (ActivationOperation.Function function : ActivationOperation.Function.values()) {
            check(5e-3, tape -> ActivationOperation.apply(tape, function, tape.parameter(x)), x);
        }
        Parameter gateUp = parameter(11, 4, 2 * 21);
        check(tape -> tape.swiglu(tape.parameter(gateUp)), gateUp);
    }

    @Test
    void arithmetic() {
        check(tape -> tape.add(tape.parameter(x), tape.parameter(y)), x, y);
        check(tape -> tape.combine(tape.parameter(x), 0.5f, tape.parameter(y), -2f), x, y);
        check(tape -> tape.multiply(tape.parameter(x), tape.parameter(y)), x, y);
        check(tape -> tape.multiply(tape.parameter(x), tape.parameter(x)), x);
        check(tape -> tape.columns(tape.parameter(x), 3, 20), x);
        check(
                tape -> {
                    Tensor input = tape.parameter(x);
                    return tape.concatenate(input, tape.parameter(y), tape.columns(input, 0, 5));
                },
                x,
                y);
        check(tape -> tape.mean(tape.parameter(x)), x);
    }

    @Test
    void selectionsAwayFromTies() {
        Parameter far = parameter(12, 5, 37);
        for (int i = 0; i < far.value().size(); i++) {
            far.value().set(i, x.value().get(i) + (i % 2 == 0 ? 0.5f : -0.5f));
        }
        check(tape -> tape.minimum(tape.parameter(x), tape.parameter(far)), x, far);
        check(tape -> tape.maximum(tape.parameter(x), tape.parameter(far)), x, far);
        for (int i = 0; i < x.value().size(); i++) {
            x.value().set(i, i % 3 == 0 ? 2f : 0.1f);
        }
        check(tape -> tape.clamp(tape.parameter(x), -1f, 1f), x);
    }

    @Test
    void dropoutKeepsItsChoice() {
        check(tape -> tape.dropout(tape.parameter(x), 0.3f, 42), x);
    }

    @Test
    public void tokenLosses() {
        Parameter head = parameter(13, 19, 37);
        int[] targets = {3, 18, -1, 0, 7};
        check(tape -> tape.tokenLosses(tape.parameter(x), head, targets), x, head);
        float[] weights = GradientCheck.weights(targets.length);
        check(tape -> tape.tokenLosses(tape.parameter(x), head, targets, weights), x, head);
    }

    @Test
    void aFrozenParameterGetsNoGradient() {
        Parameter weight = parameter(3, 7, 37).trainable(false);
        check(tape -> tape.linear(tape.parameter(x), weight), x);
        assertThat(weight.gradient().toFloats()).containsOnly(0f);
    }

    @Test
    void mistakesAreNamed() {
        Backend backend = GradientCheck.backend();
        try (StepArena arena = new StepArena()) {
            Tape tape = new Tape(backend, arena, true);
            Tensor input = tape.parameter(x);
            Parameter weight = parameter(3, 7, 36);
            assertThatThrownBy(() -> tape.linear(input, weight)).hasMessageContaining("p3");
            Parameter table = parameter(5, 6, 8);
            assertThatThrownBy(() -> tape.embedding(new int[] {6}, table)).hasMessageContaining("token id 6");
            assertThatThrownBy(() -> tape.backward(input)).hasMessageContaining("scalar");
            assertThatThrownBy(() -> tape.add(input, tape.columns(input, 0, 3))).hasMessageContaining("differ");
        }
        backend.workers().close();
    }
}
