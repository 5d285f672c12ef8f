package ai.epitome.compress.gpt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.epitome.compress.ByteDistribution;
import ai.epitome.compress.MalformedCodeException;
import ai.epitome.compress.Progress;
import ai.epitome.model.Transformer;
import ai.epitome.tensor.Workers;
import ai.epitome.tensor.exact.ExactKernels;
import ai.epitome.text.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class GptCodingTest {
    private static final Workers TWO = new Workers(2);
    private static final Workers ONE = new Workers(1);

    @AfterAll
    static void end() {
        TWO.close();
    }

    static List<Tokenizer> tokenizers() {
        return List.of(SmallCodings.BYTES, SmallCodings.BYTES_ALONE, SmallCodings.PAIRS);
    }

    private static byte[][] blocks() {
        Random random = new Random(1);
        byte[][] blocks = new byte[7][];
        for (int i = 0; i < blocks.length; i++) {
            blocks[i] = new byte[i * 31]; // the first is empty, the last outlasts the context
            random.nextBytes(blocks[i]);
        }
        blocks[1] = "a\u0301 text, caf\u00e9, \u4f60\u597d!".getBytes(StandardCharsets.UTF_8);
        return blocks;
    }

    @ParameterizedTest
    @MethodSource("tokenizers")
    void anyBytesComeBackInAnyGroups(Tokenizer tokenizer) {
        byte[][] blocks = blocks();
        GptCoding coding = SmallCodings.coding(tokenizer, TWO, ExactKernels.vector());
        byte[][] coded = coding.encode(blocks, Progress.NONE);
        int[] lengths = Arrays.stream(blocks).mapToInt(block -> block.length).toArray();
        assertThat(coding.decode(coded, lengths, Progress.NONE)).isDeepEqualTo(blocks);
        GptCoding other = SmallCodings.coding(tokenizer, ONE, ExactKernels.scalar());
        for (int i = 0; i < blocks.length; i++) {
            assertThat(other.newCodec().decode(coded[i], lengths[i])).isEqualTo(blocks[i]);
            assertThat(other.newCodec().encode(blocks[i])).isEqualTo(coded[i]);
        }
        assertThat(other.probe()).isEqualTo(coding.probe());
    }

    @ParameterizedTest
    @MethodSource("tokenizers")
    void garbageIsRefusedOrDecodesToSomething(Tokenizer tokenizer) {
        GptCoding coding = SmallCodings.coding(tokenizer, ONE, ExactKernels.vector());
        byte[] garbage = new byte[20];
        Arrays.fill(garbage, (byte) 0xff);
        assertThatThrownBy(() -> coding.decode(new byte[][] {garbage}, new int[] {10_000}, Progress.NONE))
                .isInstanceOf(MalformedCodeException.class);
    }

    @Test
    void distributionOfBytesFollowsTheModel() {
        try (Transformer model = Models.drawn(Models.modern())) {
            ExactKernels kernels = ExactKernels.best();
            ExactTransformer transformer = new ExactTransformer(model, 16, ONE, kernels);
            var distribution = new GptByteDistribution(transformer, kernels, OptionalInt.of(256));
            int[] found = new int[256];
            int[] expected = new int[256];
            for (int value : Models.tokens(40, 9)) {
                distribution.append(value);
            }
            distribution.frequencies(found);
            assertThat(Arrays.stream(found).sum()).isEqualTo(ByteDistribution.TOTAL);
            assertThat(Arrays.stream(found).min().getAsInt()).isPositive();
            new Frequencies(256).scaled(expected);
            assertThat(found).isNotEqualTo(expected);
        }
    }
}
