package ai.epitome.train.optimizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.epitome.tensor.Scratch;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.autograd.Parameter;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.tensor.backend.Backend.Kernels;
import ai.epitome.tensor.backend.Backend.Precision;
import ai.epitome.tensor.optimizer.NewtonSchulz;
import ai.epitome.train.optimizer.Muon.Matrices;
import ai.epitome.train.optimizer.Muon.Scale;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class OptimizerTest {
    private final Arena arena = Arena.ofShared();
    private final Backend backend = Backend.of(Kernels.JAVA, Precision.F32, 2);
    private final Random random = new Random(3);

    @AfterEach
    void close() {
        backend.workers().close();
        arena.close();
    }

    @Test
    void adamWEqualsTheTextbookInFp64() {
        Parameter parameter = parameter("w", 7, 11);
        double[] w = doubles(parameter.value());
        double[] m = new double[w.length];
        double[] v = new double[w.length];
        AdamW adamW = adamW(List.of(parameter), 1e-2, 0.1);
        for (int t = 1; t <= 20; t++) {
            double clip = t % 2 == 0 ? 0.5 : 1;
            double factor = 1 - t / 30.0;
            fill(parameter.gradient());
            double[] g = doubles(parameter.gradient());
            for (int i = 0; i < w.length; i++) {
                double gi = g[i] * clip;
                double rate = 1e-2 * factor;
                w[i] -= rate * 0.1 * w[i];
                m[i] = 0.9 * m[i] + 0.1 * gi;
                v[i] = 0.95 * v[i] + 0.05 * gi * gi;
                double corrected = v[i] / (1 - Math.pow(0.95, t));
                w[i] -= rate * m[i] / (1 - Math.pow(0.9, t)) / (Math.sqrt(corrected) + 1e-8);
            }
            adamW.step((float) clip, factor);
            assertThat(doubles(parameter.value())).containsExactly(w, within(1e-5));
            assertThat(parameter.gradient().toFloats()).containsOnly(0f);
        }
    }

    @ParameterizedTest
    @EnumSource(Scale.class)
    void muonOrthogonalisesEachPartOfAFusedParameter(Scale scale) {
        Parameter fused = parameter("qkv", 12, 8);
        double[] before = doubles(fused.value());
        fill(fused.gradient());
        Tensor[] parts = {
            copy(fused.gradient().slice(0, 8)), copy(fused.gradient().slice(8, 12))
        };
        Muon muon = new Muon(
                List.of(new Matrices(fused, List.of(8, 4))),
                new Muon.Settings(0.02, 0.1, 0.95, true, scale),
                arena,
                backend);
        muon.step(1, 0.5);
        double[] expected = before.clone();
        int from = 0;
        for (Tensor part : parts) {
            // At the first step momentum is a multiple of the gradient, and length does not matter.
            NewtonSchulz.orthogonalise(part, backend, false, new Scratch());
            double length = scale == Scale.SPECTRAL
                    ? Math.sqrt(Math.max(1, part.rows() / 8.0))
                    : 0.2 * Math.sqrt(Math.max(part.rows(), 8));
            for (int i = 0; i < part.size(); i++) {
                expected[from + i] = expected[from + i] * (1 - 0.01 * 0.1) - 0.01 * length * part.get(i);
            }
            from += (int) part.size();
        }
        assertThat(doubles(fused.value())).containsExactly(expected, within(1e-4));
        assertThat(fused.gradient().toFloats()).containsOnly(0f);
    }

    @Test
    void muonOfManyPartsIsTheSameAsOfEachAlone() {
        Parameter[] together = {parameter("a", 96, 32), parameter("b", 24, 64), parameter("c", 40, 40)};
        Parameter[] alone = new Parameter[3];
        for (int i = 0; i < 3; i++) {
            alone[i] = new Parameter(arena, together[i].name(), copy(together[i].value()));
        }
        List<Matrices> matrices = List.of(
                new Matrices(together[0], List.of(32, 32, 32)),
                new Matrices(together[1], List.of(24)),
                new Matrices(together[2], List.of(40)));
        Muon.Settings settings = new Muon.Settings(0.02, 0, 0.9, true, Scale.SPECTRAL);
        Muon one = new Muon(matrices, settings, arena, backend);
        List<Muon> each = List.of(
                new Muon(List.of(new Matrices(alone[0], List.of(32, 32, 32))), settings, arena, backend),
                new Muon(List.of(new Matrices(alone[1], List.of(24))), settings, arena, backend),
                new Muon(List.of(new Matrices(alone[2], List.of(40))), settings, arena, backend));
        for (int step = 0; step < 3; step++) {
            for (int i = 0; i < 3; i++) {
                fill(together[i].gradient());
                alone[i].gradient().data().copyFrom(together[i].gradient().data());
            }
            one.step(1, 1);
            each.forEach(muon -> muon.step(1, 1));
        }
        for (int i = 0; i < 3; i++) {
            // Alone, a part counts as large and its products are split over threads: other sums, nearly the same.
            assertThat(together[i].value().toFloats())
                    .containsExactly(alone[i].value().toFloats(), within(1e-3f));
        }
        assertThat(one.state()).containsOnlyKeys("muon.momentum.a", "muon.momentum.b", "muon.momentum.c");
        assertThat(one.steps()).isEqualTo(3);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void stateAndStepsPutBackContinueBitForBit(boolean muonToo) {
        Parameter[] first = {parameter("w", 16, 16), parameter("v", 16)};
        Optimizer run = combined(first, muonToo);
        for (int i = 0; i < 5; i++) {
            step(run, i);
        }
        Parameter[] second = {
            new Parameter(arena, "w", copy(first[0].value())), new Parameter(arena, "v", copy(first[1].value()))
        };
        Optimizer resumed = combined(second, muonToo);
        resumed.steps(run.steps());
        for (Map.Entry<String, Tensor> entry : run.state().entrySet()) {
            resumed.state().get(entry.getKey()).data().copyFrom(entry.getValue().data());
        }
        for (int i = 5; i < 8; i++) {
            step(run, i);
            step(resumed, i);
        }
        for (int i = 0; i < 2; i++) {
            assertThat(second[i].value().toFloats())
                    .containsExactly(first[i].value().toFloats());
        }
    }

    @Test
    void gradientNormNamesWhatIsNotFinite() {
        Parameter a = parameter("a", 3);
        Parameter b = parameter("b", 2);
        a.gradient().set(new float[] {1, 2, 2});
        b.gradient().set(new float[] {4, 0});
        GradientNorm norm = GradientNorm.of(List.of(a, b), backend.workers());
        assertThat(norm.value()).isEqualTo(5);
        assertThat(norm.notFinite()).isNull();
        assertThat(norm.clipTo(1)).isCloseTo(0.2f, within(1e-6f));
        assertThat(norm.clipTo(10)).isEqualTo(1);
        b.gradient().set(1, Float.NaN);
        assertThat(GradientNorm.of(List.of(a, b), backend.workers()).notFinite())
                .isEqualTo("b");
    }

    @Test
    void refusesWhatMakesNoSense() {
        Parameter w = parameter("w", 4, 4);
        assertThatThrownBy(() -> new Matrices(w, List.of(3)))
                .hasMessageContaining("w")
                .hasMessageContaining("[3]");
        assertThatThrownBy(() -> new Matrices(parameter("gain", 4), List.of(4))).hasMessageContaining("gain");
        assertThatThrownBy(() -> new CombinedOptimizer(List.of(adamW(List.of(w), 1e-3, 0), adamW(List.of(w), 1e-3, 0))))
                .hasMessageContaining("two optimizers")
                .hasMessageContaining("w");
        assertThatThrownBy(() -> adamW(List.of(w), -1, 0)).hasMessageContaining("-1");
    }

    private Optimizer combined(Parameter[] parameters, boolean muonToo) {
        if (!muonToo) {
            return adamW(List.of(parameters), 1e-2, 0.1);
        }
        Muon muon = new Muon(
                List.of(new Matrices(parameters[0], List.of(16))),
                new Muon.Settings(0.02, 0.1, 0.95, true, Scale.SPECTRAL),
                arena,
                backend);
        return new CombinedOptimizer(List.of(muon, adamW(List.of(parameters[1]), 1e-2, 0)));
    }

    private void step(Optimizer optimizer, int seed) {
        Random own = new Random(seed);
        for (Parameter parameter : optimizer.parameters()) {
            for (int i = 0; i < parameter.gradient().size(); i++) {
                parameter.gradient().set(i, (float) own.nextGaussian());
            }
        }
        optimizer.step(1, 1);
    }

    private AdamW adamW(List<Parameter> parameters, double rate, double decay) {
        return new AdamW(
                List.of(new AdamW.Group(parameters, rate, decay)), AdamW.Settings.USUAL, arena, backend.workers());
    }

    private Parameter parameter(String name, int... shape) {
        Parameter parameter = new Parameter(arena, name, shape);
        fill(parameter.value());
        return parameter;
    }

    private void fill(Tensor tensor) {
        for (int i = 0; i < tensor.size(); i++) {
            tensor.set(i, (float) random.nextGaussian());
        }
    }

    private Tensor copy(Tensor tensor) {
        return Tensor.ofFloats(arena, tensor.toFloats(), tensor.shape());
    }

    private static double[] doubles(Tensor tensor) {
        double[] values = new double[Math.toIntExact(tensor.size())];
        for (int i = 0; i < values.length; i++) {
            values[i] = tensor.get(i);
        }
        return values;
    }
}
