package ai.epitome.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.epitome.model.transformer.Initialization;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.tensor.autograd.Parameter;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.tensor.backend.Backend.Kernels;
import ai.epitome.tensor.backend.Backend.Precision;
import ai.epitome.train.TrainingConfig.OptimizerConfig;
import ai.epitome.train.data.Batch;
import ai.epitome.train.optimizer.CombinedOptimizer;
import ai.epitome.train.optimizer.Optimizer;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LanguageModellingTest {
    private static final int LENGTH = 8;

    private final Backend backend = Backend.of(Kernels.JAVA, Precision.F32, 2);
    private final Transformer model = new Transformer(
            TransformerConfig.ofDepth(2, 60, LENGTH).with(c -> {
                c.width = 32;
                c.headDimension = 16;
                c.hidden = 64;
            }),
            Initialization.gpt2(3));

    @AfterEach
    void close() {
        model.close();
        backend.workers().close();
    }

    /// Rows of random tokens, each predicting the next.
    private static Batch batch(int rows, int seed) {
        Random random = new Random(seed);
        int[] inputs = random.ints(rows * LENGTH, 0, 60).toArray();
        int[] targets = random.ints(rows * LENGTH, 0, 60).toArray();
        return new Batch(rows, LENGTH, inputs, targets, null, 0);
    }

    private static Batch rows(Batch batch, int from, int to) {
        return new Batch(
                to - from,
                LENGTH,
                Arrays.copyOfRange(batch.inputs(), from * LENGTH, to * LENGTH),
                Arrays.copyOfRange(batch.targets(), from * LENGTH, to * LENGTH),
                null,
                0);
    }

    private List<float[]> takeGradients() {
        List<float[]> gradients = new ArrayList<>();
        for (Parameter parameter : model.parameters()) {
            gradients.add(parameter.gradient().toFloats());
            parameter.zeroGradient();
        }
        return gradients;
    }

    private static void assertClose(List<float[]> found, List<float[]> expected) {
        for (int i = 0; i < expected.size(); i++) {
            assertThat(found.get(i)).containsExactly(expected.get(i), within(1e-6f));
        }
        assertThat(expected.getFirst()).isNotEqualTo(new float[expected.getFirst().length]);
    }

    /// Batches of unequal numbers of targets: it is targets that count alike, not batches.
    @Test
    void accumulatedBatchesAreOneLargeBatch() {
        Batch all = batch(5, 1);
        Arrays.fill(all.targets(), 3 * LENGTH + 2, 4 * LENGTH, Batch.NO_TARGET);
        try (LanguageModelling training = new LanguageModelling(model, backend, 0)) {
            float weight = 1f / all.targetCount();
            double loss = training.accumulate(all, weight, 0);
            List<float[]> expected = takeGradients();
            double parts = 0;
            for (int[] part : new int[][] {{0, 1}, {1, 3}, {3, 5}}) {
                parts += training.accumulate(rows(all, part[0], part[1]), weight, 0);
            }
            assertThat(parts).isCloseTo(loss, within(1e-4));
            assertClose(takeGradients(), expected);
        }
    }

    /// A packed row costs, and teaches, what its documents do in rows of their own.
    @Test
    void packedDocumentsDoNotSeeEachOther() {
        Batch first = rows(batch(3, 2), 0, 1);
        Batch second = rows(batch(3, 2), 1, 2);
        Arrays.fill(first.targets(), 5, LENGTH, Batch.NO_TARGET); // 5 tokens, then 3
        Arrays.fill(second.targets(), 3, LENGTH, Batch.NO_TARGET);
        int[] inputs = Arrays.copyOf(first.inputs(), LENGTH);
        int[] targets = Arrays.copyOf(first.targets(), LENGTH);
        System.arraycopy(second.inputs(), 0, inputs, 5, 3);
        System.arraycopy(second.targets(), 0, targets, 5, 3);
        int[] starts = {0, 0, 0, 0, 0, 5, 5, 5};
        try (LanguageModelling training = new LanguageModelling(model, backend, 0)) {
            double apart = training.accumulate(first, 1, 0) + training.accumulate(second, 1, 0);
            List<float[]> expected = takeGradients();
            double packed = training.accumulate(new Batch(1, LENGTH, inputs, targets, starts, 0), 1, 0);
            assertThat(packed).isCloseTo(apart, within(1e-4));
            List<float[]> found = takeGradients();
            for (int i = 0; i < found.size(); i++) {
                assertThat(found.get(i)).containsExactly(expected.get(i), within(1e-4f));
            }
            // The same row as one document is something else.
            double together = training.accumulate(new Batch(1, LENGTH, inputs, targets, null, 0), 1, 0);
            assertThat(Math.abs(together - apart)).isGreaterThan(1e-3);
        }
    }

    @Test
    void dropoutFollowsItsSeedAndKeepsTheMean() {
        Batch batch = batch(4, 5);
        try (LanguageModelling none = new LanguageModelling(model, backend, 0);
                LanguageModelling dropping = new LanguageModelling(model, backend, 0.2f)) {
            double plain = none.accumulate(batch, 1, 7);
            assertThat(none.accumulate(batch, 1, 8)).isEqualTo(plain);
            double dropped = dropping.accumulate(batch, 1, 7);
            assertThat(dropping.accumulate(batch, 1, 7)).isEqualTo(dropped);
            assertThat(dropping.accumulate(batch, 1, 8)).isNotEqualTo(dropped);
            double mean = 0;
            for (int seed = 0; seed < 40; seed++) {
                mean += dropping.accumulate(batch, 1, seed) / 40;
            }
            assertThat(dropped).isNotEqualTo(plain);
            assertThat(mean).isCloseTo(plain, within(0.02 * plain));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void everyParameterHasOneOptimizer(boolean muon) {
        OptimizerConfig config = muon ? OptimizerConfig.muon(0.02, 1e-3, 0) : OptimizerConfig.adamW(1e-3, 0.1);
        try (Arena arena = Arena.ofShared()) {
            Optimizer optimizer = ModelOptimizer.create(model, config, arena, backend);
            assertThat(optimizer.parameters()).containsExactlyInAnyOrderElementsOf(model.parameters());
            assertThat(optimizer instanceof CombinedOptimizer).isEqualTo(muon);
            for (Parameter parameter : model.parameters()) {
                boolean matrix = parameter.name().startsWith("layers.")
                        && parameter.value().shape().length == 2;
                assertThat(optimizer.state().containsKey("muon.momentum." + parameter.name()))
                        .as(parameter.name())
                        .isEqualTo(muon && matrix);
            }
        }
    }
}
