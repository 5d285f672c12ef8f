package ai.epitome.compress.gpt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.epitome.compress.ByteDistribution;
import ai.epitome.compress.RangeDecoder;
import ai.epitome.compress.RangeEncoder;
import ai.epitome.tensor.exact.ExactKernels;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;

class ExactLearnerTest {
    static final LearnerShape SMALL = new LearnerShape(2, 64, 2, 128, 32, 16, 5e-3f, 10, 0.5f);
    private static final Executor HERE = Runnable::run;

    static byte[] text() {
        return "a small network learns this sentence while it reads it; "
                .repeat(40)
                .getBytes(StandardCharsets.US_ASCII);
    }

    /// The slope of the loss along a random direction of each parameter, by differences and by the way back.
    @Test
    void gradientsAreSlopes() {
        Random random = new Random(4);
        LearnerWeights weights = new LearnerWeights(SMALL);
        for (LearnedParameter parameter : weights.all()) {
            for (int i = 0; i < parameter.value.length; i++) {
                parameter.value[i] += 0.1f * (float) random.nextGaussian();
            }
        }
        weights.pack();
        LearnerTable table = new LearnerTable(1 << SMALL.rowBits(), SMALL.width(), ExactKernels.best());
        LearnerPass pass = new LearnerPass(SMALL, weights, table, ExactKernels.best());
        int[] rows = new int[32 * LearnerHistory.CONTEXTS];
        int[] ids = random.ints(32, 0, 256).toArray();
        int[] targets = random.ints(32, 0, 256).toArray();
        for (LearnedParameter parameter : weights.all()) {
            float[] values = parameter.value.clone();
            float[] direction = new float[values.length];
            pass.run(ids, targets, rows);
            double slope = 0;
            double square = 0;
            for (int i = 0; i < values.length; i++) {
                // mostly along the gradient, so that the difference stands out of rounding
                direction[i] = parameter.gradient[i] * (1 + (float) random.nextGaussian());
                slope += (double) parameter.gradient[i] * direction[i];
                square += (double) direction[i] * direction[i];
            }
            double step = 2e-2 / Math.sqrt(square);
            double[] losses = new double[2];
            for (int side = 0; side < 2; side++) {
                for (int i = 0; i < values.length; i++) {
                    parameter.value[i] = values[i] + (float) (step * (1 - 2 * side)) * direction[i];
                }
                weights.pack();
                losses[side] = pass.run(ids, targets, rows);
            }
            System.arraycopy(values, 0, parameter.value, 0, values.length);
            weights.pack();
            assertThat((losses[0] - losses[1]) / (2 * step) / slope)
                    .as("%d by %d", parameter.rows, parameter.columns)
                    .isCloseTo(1, within(0.02));
        }
    }

    @Test
    void sameBitsWithAnyThreadsAndRegisters() {
        byte[] text = Arrays.copyOf(text(), 150);
        try (ExecutorService other = Executors.newSingleThreadExecutor()) {
            ExactLearner first = new ExactLearner(SMALL, HERE, ExactKernels.scalar());
            ExactLearner second = new ExactLearner(SMALL, other, ExactKernels.vector());
            int[] expected = new int[256];
            int[] found = new int[256];
            for (byte value : text) {
                first.frequencies(expected);
                second.frequencies(found);
                assertThat(found).isEqualTo(expected);
                first.append(value & 0xff);
                second.append(value & 0xff);
            }
        }
    }

    @Test
    void learnsAndDecodes() {
        byte[] text = text();
        RangeEncoder encoder = new RangeEncoder();
        ExactLearner learner = new ExactLearner(SMALL, HERE, ExactKernels.best());
        int[] frequencies = new int[256];
        for (byte value : text) {
            learner.frequencies(frequencies);
            int symbol = value & 0xff;
            encoder.symbol(Arrays.stream(frequencies, 0, symbol).sum(), frequencies[symbol], ByteDistribution.TOTAL);
            learner.append(symbol);
        }
        byte[] coded = encoder.finish();
        assertThat(coded.length).isLessThan(text.length / 3);

        RangeDecoder decoder = new RangeDecoder(coded);
        ExactLearner mirror = new ExactLearner(SMALL, HERE, ExactKernels.best());
        for (byte value : text) {
            mirror.frequencies(frequencies);
            long target = decoder.target(ByteDistribution.TOTAL);
            int symbol = 0;
            int below = 0;
            while (below + frequencies[symbol] <= target) {
                below += frequencies[symbol++];
            }
            assertThat(symbol).isEqualTo(value & 0xff);
            decoder.symbol(below, frequencies[symbol], ByteDistribution.TOTAL);
            mirror.append(symbol);
        }
    }
}
