package ai.epitome.compress.gpt;

import static org.assertj.core.api.Assertions.assertThat;

import ai.epitome.compress.ModelHashes;
import ai.epitome.compress.Progress;
import ai.epitome.model.LoadedModel;
import ai.epitome.model.generation.GenerationDefaults;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.tensor.Workers;
import ai.epitome.tensor.autograd.Parameter;
import ai.epitome.tensor.exact.ExactKernels;
import ai.epitome.text.Tokenizer;
import java.io.ByteArrayOutputStream;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// A block's code has the length that its model's probabilities say: 0.01 % and 64 bytes more at most.
/// The texts are drawn from the model itself, whose logits are stretched: from hardly predictable to nearly certain.
class CodeLengthTest {
    private static final int TOKENS = 3000;

    private final Workers workers = new Workers(2);
    private final ExactKernels kernels = ExactKernels.best();

    @ParameterizedTest
    @CsvSource({"bytes, 0", "bytes, 1", "bytes, 8", "bytes, 60", "pairs, 0", "pairs, 1", "pairs, 8", "pairs, 60"})
    void codeLength(String kind, float stretch) {
        Tokenizer tokenizer = kind.equals("bytes") ? SmallCodings.BYTES : SmallCodings.PAIRS;
        try (Transformer model = SmallCodings.model(tokenizer)) {
            stretch(model, stretch);
            LoadedModel loaded = new LoadedModel(
                    Path.of("drawn"), model, Optional.of(tokenizer), GenerationDefaults.of(OptionalInt.empty()));
            GptCoding coding = new GptCoding(loaded, new ModelHashes("a", "b"), Models.CONTEXT, workers, kernels);
            byte[] block = draw(model, tokenizer);
            double bits = bits(model, tokenizer, tokenizer.encode(block));
            byte[] coded = coding.encode(new byte[][] {block}, Progress.NONE)[0];
            assertThat((double) coded.length).isLessThan(bits / 8 * 1.0001 + 64);
            if (tokenizer == SmallCodings.BYTES) { // drawn pairs come back as others, rarer than 2^-30
                assertThat((double) coded.length).isGreaterThan(bits / 8 * 0.9999 - 2);
            }
            assertThat(coding.newCodec().decode(coded, block.length)).isEqualTo(block);
        } finally {
            workers.close();
        }
    }

    private static void stretch(Transformer model, float factor) {
        for (Parameter parameter : model.parameters()) {
            if (parameter.name().equals("head")) {
                for (int i = 0; i < parameter.value().size(); i++) {
                    parameter.value().set(i, parameter.value().get(i) * factor);
                }
                parameter.changed();
            }
        }
    }

    /// What is expected after each token, as double-precision probabilities; room is made as in a block.
    private final class Expectation {
        private final ExactTransformer transformer;
        private final ExactSequence[] sequence;
        private final double[] probabilities;

        Expectation(Transformer model, int symbols) {
            transformer = new ExactTransformer(model, Models.CONTEXT, workers, kernels);
            sequence = new ExactSequence[] {transformer.newSequence()};
            probabilities = new double[symbols];
        }

        double[] after(int token) {
            transformer.makeRoom(sequence);
            transformer.read(sequence, new int[] {token}, 1);
            float[] logits = transformer.logits(0, 1);
            double maximum = Double.NEGATIVE_INFINITY;
            for (int i = 0; i < probabilities.length; i++) {
                maximum = Math.max(maximum, logits[i]);
            }
            double sum = 0;
            for (int i = 0; i < probabilities.length; i++) {
                probabilities[i] = Math.exp(logits[i] - maximum);
                sum += probabilities[i];
            }
            for (int i = 0; i < probabilities.length; i++) {
                probabilities[i] /= sum;
            }
            return probabilities;
        }
    }

    private static int symbols(Tokenizer tokenizer) {
        return tokenizer.kind().equals("byte") ? 256 : tokenizer.vocabularySize();
    }

    private byte[] draw(Transformer model, Tokenizer tokenizer) {
        Random random = new Random(5);
        Expectation expectation = new Expectation(model, symbols(tokenizer));
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        int token = tokenizer.endOfText().orElseThrow();
        for (int i = 0; i < TOKENS; i++) {
            double[] expected = expectation.after(token);
            double left = random.nextDouble();
            int next = 0;
            while (next < expected.length - 1 && left >= expected[next]) {
                left -= expected[next++];
            }
            token = next;
            text.writeBytes(tokenizer.token(token));
        }
        return text.toByteArray();
    }

    private double bits(Transformer model, Tokenizer tokenizer, int[] tokens) {
        Expectation expectation = new Expectation(model, symbols(tokenizer));
        double bits = 0;
        int token = tokenizer.endOfText().orElseThrow();
        for (int next : tokens) {
            bits -= Math.log(expectation.after(token)[next]) / Math.log(2);
            token = next;
        }
        return bits;
    }
}
