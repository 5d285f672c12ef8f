package ai.epitome.compress.gpt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.epitome.compress.BitPredictor;
import ai.epitome.compress.ByteDistribution;
import ai.epitome.compress.MalformedCodeException;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.tensor.Workers;
import ai.epitome.tensor.exact.ExactKernels;
import ai.epitome.text.Tokenizer;
import java.util.Arrays;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class TokenWalkTest {
    private static final Tokenizer BPE = SmallCodings.PAIRS;
    private static final int SYMBOLS = BPE.vocabularySize();
    private static final int START = 70;
    /// Decisions have probabilities of 16 bits.
    private static final double STEP = 2.0 / BitPredictor.ONE;

    private final ExactKernels kernels = ExactKernels.best();
    private final ExactTransformer transformer = transformer();

    private ExactTransformer transformer() {
        try (Transformer model = Models.drawn(Models.modern().with(c -> c.vocabulary = SYMBOLS))) {
            return new ExactTransformer(model, Models.CONTEXT, new Workers(1), kernels);
        }
    }

    private TokenWalk walk(int start) {
        SortedTokens sorted = new SortedTokens(BPE, SYMBOLS);
        return new TokenWalk(sorted, SYMBOLS, transformer, transformer.newSequence(), OptionalInt.of(start), kernels);
    }

    /// What the model expects after these tokens.
    private Frequencies expected(int... tokens) {
        ExactSequence sequence = transformer.newSequence();
        for (int token : tokens) {
            transformer.read(new ExactSequence[] {sequence}, new int[] {token}, 1);
        }
        Frequencies frequencies = new Frequencies(SYMBOLS);
        frequencies.set(kernels, transformer.logits(0, 1), 0);
        return frequencies;
    }

    /// Walks along a token and returns how likely that was.
    private static double along(TokenWalk walk, byte[] bytes) {
        int[] values = new int[256];
        double probability = 1;
        for (int i = 0; i < bytes.length; i++) {
            if (i > 0 && walk.mayEnd()) {
                probability *= 1 - walk.endProbability() / (double) BitPredictor.ONE;
            }
            walk.frequencies(values);
            assertThat(Arrays.stream(values).sum()).isEqualTo(ByteDistribution.TOTAL);
            assertThat(Arrays.stream(values).min().getAsInt()).isPositive();
            probability *= values[bytes[i] & 0xff] / (double) ByteDistribution.TOTAL;
            walk.append(bytes[i] & 0xff);
        }
        assertThat(walk.mayEnd()).isTrue();
        return walk.mustEnd() ? probability : probability * walk.endProbability() / (double) BitPredictor.ONE;
    }

    @Test
    void aWalkCostsWhatItsTokenCosts() {
        Frequencies expected = expected(START);
        double all = 0;
        for (int id = 0; id < SYMBOLS; id++) {
            all += BPE.token(id).length > 0 ? expected.frequency(id) : 0;
        }
        int checked = 0;
        for (int id = 0; id < SYMBOLS; id++) {
            if (BPE.token(id).length > 0) {
                double share = expected.frequency(id) / all;
                assertThat(along(walk(START), BPE.token(id))).isCloseTo(share, within(share * 0.02 + STEP));
                checked++;
            }
        }
        assertThat(checked).isGreaterThan(256);
    }

    @Test
    void theModelReadsWhatHasEnded() {
        int[] text = BPE.encode("the other text");
        TokenWalk walk = walk(START);
        for (int id : text) {
            along(walk, BPE.token(id));
            walk.end();
        }
        int[] read = new int[text.length + 1];
        read[0] = START;
        System.arraycopy(text, 0, read, 1, text.length);
        Frequencies expected = expected(read);
        int likeliest = 0;
        for (int id = 0; id < SYMBOLS; id++) {
            likeliest = expected.frequency(id) > expected.frequency(likeliest) ? id : likeliest;
        }
        double share = expected.frequency(likeliest) / (double) ByteDistribution.TOTAL;
        assertThat(along(walk, BPE.token(likeliest))).isCloseTo(share, within(share * 0.02));
    }

    @Test
    void whatIsInNoTokenIsRefused() {
        TokenWalk walk = walk(START);
        assertThatThrownBy(walk::end).isInstanceOf(MalformedCodeException.class).hasMessageContaining("0 bytes");
        walk.append('t');
        walk.append('h');
        assertThatThrownBy(() -> walk.append('q'))
                .isInstanceOf(MalformedCodeException.class)
                .hasMessageContaining("0x71");
    }
}
