package ai.epitome.compress.gpt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.epitome.compress.BlockCodec;
import ai.epitome.compress.MalformedCodeException;
import ai.epitome.compress.Method;
import ai.epitome.compress.MixedCoding;
import ai.epitome.compress.Progress;
import ai.epitome.compress.mix.MixingPredictor;
import ai.epitome.compress.mix.MixingSize;
import ai.epitome.tensor.Workers;
import ai.epitome.tensor.exact.ExactKernels;
import ai.epitome.text.Tokenizer;
import ai.epitome.text.file.Tokenizers;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class GptCodingTest {
    private static final Workers TWO = new Workers(2);
    private static final Workers ONE = new Workers(1);

    @AfterAll
    static void end() {
        TWO.close();
    }

    static List<Tokenizer> tokenizers() throws IOException {
        return List.of(SmallCodings.BYTES, SmallCodings.BYTES_ALONE, SmallCodings.PAIRS, sentencePiece());
    }

    /// The bytes and a few words with their spaces, as a file of llama2.c.
    private static Tokenizer sentencePiece() throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(1 << 14).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putInt(16);
        List<String> tokens = new ArrayList<>(List.of("<unk>", "<s>", "</s>"));
        for (int b = 0; b < 256; b++) {
            tokens.add("<0x%02X>".formatted(b));
        }
        tokens.addAll(List.of(" t", "te", "xt", " text", " ", "t", "e", "x"));
        for (String token : tokens) {
            byte[] text = token.getBytes(StandardCharsets.UTF_8);
            bytes.putFloat(-tokens.indexOf(token)).putInt(text.length).put(text);
        }
        Path file = Files.createTempFile("tokenizer", ".bin");
        Files.write(file, Arrays.copyOf(bytes.array(), bytes.position()));
        try {
            return Tokenizers.load(file);
        } finally {
            Files.delete(file);
        }
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

    @ParameterizedTest
    @MethodSource("tokenizers")
    void mixedWithContextsAnyBytesComeBack(Tokenizer tokenizer) {
        byte[][] blocks = blocks();
        BlockCodec encoder = mixed(SmallCodings.coding(tokenizer, TWO, ExactKernels.vector()))
                .newCodec();
        BlockCodec decoder = mixed(SmallCodings.coding(tokenizer, ONE, ExactKernels.scalar()))
                .newCodec();
        for (byte[] block : blocks) {
            byte[] coded = encoder.encode(block);
            if (block == blocks[3]) {
                decoder.learn(block); // as of a block that is stored
            } else {
                assertThat(decoder.decode(coded, block.length)).isEqualTo(block);
            }
        }
    }

    private static MixedGptCoding mixed(GptCoding coding) {
        MixingSize size = new MixingSize(12, 12);
        Method method = new Method(true, false, Optional.empty(), Method.Numerics.INTEGERS, new byte[] {12, 12});
        return new MixedGptCoding(
                coding,
                new MixedCoding(method, () -> new MixingPredictor(size), () -> new MixingPredictor(size), 0),
                size);
    }

    @ParameterizedTest
    @MethodSource("tokenizers")
    void mixedGarbageIsRefusedOrDecodesToSomething(Tokenizer tokenizer) {
        Random random = new Random(3);
        byte[] garbage = new byte[300];
        for (int i = 0; i < 10; i++) {
            random.nextBytes(garbage);
            try {
                assertThat(mixed(SmallCodings.coding(tokenizer, ONE, ExactKernels.vector()))
                                .newCodec()
                                .decode(garbage, 400))
                        .hasSize(400);
            } catch (MalformedCodeException e) {
                assertThat(e.getMessage()).containsAnyOf("token", "the code has 300 bytes");
            }
        }
    }
}
