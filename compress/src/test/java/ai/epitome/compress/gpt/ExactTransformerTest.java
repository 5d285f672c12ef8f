package ai.epitome.compress.gpt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.epitome.model.engine.Session;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.tensor.DType;
import ai.epitome.tensor.Workers;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.tensor.backend.VectorProduct;
import ai.epitome.tensor.exact.ExactKernels;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// A token's logits are the same bits however it is read, and those of the fast engine to some digits.
class ExactTransformerTest {
    private static final Workers ONE = new Workers(1);

    static List<TransformerConfig> configs() {
        return Models.configs();
    }

    private static ExactTransformer exact(Transformer model, Workers workers, ExactKernels kernels) {
        return new ExactTransformer(model, Models.CONTEXT, workers, kernels);
    }

    /// Logits after each token, read one by one, with room made where the context is full.
    private static float[][] stepped(ExactTransformer transformer, int[] tokens) {
        ExactSequence[] sequence = {transformer.newSequence()};
        float[][] logits = new float[tokens.length][];
        for (int i = 0; i < tokens.length; i++) {
            transformer.makeRoom(sequence);
            transformer.read(sequence, new int[] {tokens[i]}, 1);
            logits[i] =
                    Arrays.copyOf(transformer.logits(0, 1), transformer.config().vocabulary());
        }
        return logits;
    }

    @ParameterizedTest
    @MethodSource("configs")
    void closeToTheFastEngine(TransformerConfig config) {
        int[] tokens = Models.tokens(Models.CONTEXT + 30, 1);
        Backend backend = new Backend(new VectorProduct(), ONE, DType.F32);
        try (Transformer model = Models.drawn(config);
                Session session = new Session(model, backend, Models.CONTEXT)) {
            float[][] found = stepped(exact(model, ONE, ExactKernels.best()), tokens);
            for (int i = 0; i < Models.CONTEXT; i++) {
                float[] expected = session.advance(tokens[i]);
                for (int j = 0; j < expected.length; j++) {
                    assertThat(found[i][j]).isCloseTo(expected[j], within(1e-3f));
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("configs")
    void anyBatchAnyChunksAnyThreadsAnyRegisters(TransformerConfig config) {
        Random random = new Random(3);
        int count = 5;
        int length = 2 * Models.CONTEXT + 11;
        try (Transformer model = Models.drawn(config);
                Workers two = new Workers(2)) {
            ExactTransformer reference = exact(model, ONE, ExactKernels.scalar());
            List<int[]> tokens = new ArrayList<>();
            List<float[][]> expected = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                tokens.add(Models.tokens(length, i));
                expected.add(stepped(reference, tokens.get(i)));
            }
            ExactTransformer transformer = exact(model, two, ExactKernels.vector());
            ExactSequence[] sequences = new ExactSequence[count];
            Arrays.setAll(sequences, _ -> transformer.newSequence());
            int[] read = new int[count];
            while (Arrays.stream(read).min().getAsInt() < length) {
                List<Integer> chosen = new ArrayList<>(List.of(0, 1, 2, 3, 4)).subList(0, 1 + random.nextInt(count));
                chosen.removeIf(i -> read[i] == length);
                if (chosen.isEmpty()) {
                    chosen = List.of(count - 1);
                }
                chosen = chosen.stream().filter(i -> read[i] < length).toList();
                check(transformer, sequences, tokens, expected, read, chosen, random);
            }
        }
    }

    private static void check(
            ExactTransformer transformer,
            ExactSequence[] sequences,
            List<int[]> tokens,
            List<float[][]> expected,
            int[] read,
            List<Integer> chosen,
            Random random) {
        transformer.makeRoom(chosen.stream().map(i -> sequences[i]).toArray(ExactSequence[]::new));
        ExactSequence[] rows = new ExactSequence[ExactTransformer.MOST_ROWS];
        int[] row = new int[rows.length];
        List<float[]> wanted = new ArrayList<>();
        for (int i : chosen) {
            int most = Math.min(Models.CONTEXT - sequences[i].length(), tokens.get(i).length - read[i]);
            int take = 1 + random.nextInt(Math.min(most, 17));
            for (int k = 0; k < take; k++) {
                rows[wanted.size()] = sequences[i];
                row[wanted.size()] = tokens.get(i)[read[i]];
                wanted.add(expected.get(i)[read[i]++]);
            }
        }
        transformer.read(rows, row, wanted.size());
        float[] logits = transformer.logits(0, wanted.size());
        int vocabulary = transformer.config().vocabulary();
        for (int i = 0; i < wanted.size(); i++) {
            int at = i * transformer.logitStride();
            assertThat(Arrays.copyOfRange(logits, at, at + vocabulary)).isEqualTo(wanted.get(i));
        }
    }
}
