package ai.epitome.model.llama2c;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.epitome.model.LoadedModel;
import ai.epitome.model.Models;
import ai.epitome.model.Reference;
import ai.epitome.model.file.MalformedModelException;
import ai.epitome.model.file.MappedFile;
import ai.epitome.model.generation.GenerationRequest;
import ai.epitome.model.generation.GenerationResult;
import ai.epitome.model.generation.Sampling;
import ai.epitome.model.generation.TextGenerator;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.model.transformer.TransformerConfig.Biases;
import ai.epitome.model.transformer.WeightNames;
import ai.epitome.tensor.Tensor;
import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class Llama2cCheckpointTest {
    private static final int HEADER = 256;

    @TempDir
    Path folder;

    /// The greedy text of a trained model is the one that llama2.c writes, character for character: 64 tokens, of which
    /// 7 are the prompt's.
    @Test
    void storiesGoOnAsInLlama2c() throws IOException {
        Path shared = Path.of(System.getProperty("epitome.shared", "../shared"), "data", "weights", "stories260K");
        assumeTrue(Files.isDirectory(shared), () -> shared + " is not there: the trained model is not checked");
        String prompt = "One day, Lily met a";
        try (LoadedModel model = LoadedModel.open(shared.resolve("stories260K.bin"))) {
            TextGenerator generator = model.generator(Reference.BACKEND);
            GenerationRequest request =
                    new GenerationRequest(generator.encode(prompt), 57, Sampling.GREEDY, List.of(), 0);
            BooleanSupplier never = () -> false;
            GenerationResult result = generator.generate(request, _ -> {}, never);
            assertThat(result.promptTokens()).isEqualTo(8); // with the one that begins a text
            assertThat(prompt + result.text() + "\n")
                    .isEqualTo(Files.readString(shared.resolve("greedy_n64_lily.txt")));
        }
    }

    @ParameterizedTest
    @CsvSource({"0, true", "0, false", "1, true", "1, false"})
    void bothVersionsAreRead(int version, boolean tied) throws IOException {
        try (Transformer model = drawn(tied)) {
            Path file = Files.write(folder.resolve("small.bin"), bytes(model, version));
            try (LoadedModel loaded = LoadedModel.open(file)) {
                assertThat(loaded.transformer().config()).isEqualTo(model.config());
                for (int i = 0; i < model.parameters().size(); i++) {
                    assertThat(loaded.transformer().parameters().get(i).value().toFloats())
                            .as(model.parameters().get(i).name())
                            .isEqualTo(model.parameters().get(i).value().toFloats());
                }
                assertThat(loaded.id()).isEqualTo("small");
                assertThat(loaded.tokenizer()).isEmpty();
            }
        }
    }

    @Test
    void whatIsNoCheckpointSaysWhy() throws IOException {
        byte[] whole;
        try (Transformer model = drawn(true)) {
            whole = bytes(model, 0);
        }
        assertRefused(Arrays.copyOf(whole, whole.length - 4), "not a checkpoint of llama2.c, or cut");
        assertRefused(Arrays.copyOf(whole, 20), "too short for the 28 of a shape at offset 0");
        byte[] version2 = ByteBuffer.allocate(HEADER)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(0x616b3432)
                .putInt(2)
                .array();
        assertRefused(version2, "version 2 of llama2.c's format at offset 4; 0 and 1 are read");
        byte[] huge = whole.clone();
        ByteBuffer.wrap(huge).order(ByteOrder.LITTLE_ENDIAN).putInt(8, Integer.MAX_VALUE);
        assertRefused(huge, "layers=2147483647");
    }

    private void assertRefused(byte[] bytes, String message) throws IOException {
        Path file = Files.write(folder.resolve("bad.bin"), bytes);
        assertThatThrownBy(() -> LoadedModel.open(file))
                .isInstanceOf(MalformedModelException.class)
                .hasMessageStartingWith(file.toString())
                .hasMessageContaining(message);
    }

    @FuzzTest
    void anyBytes(byte[] bytes) {
        read(bytes);
    }

    @Property(tries = 2000)
    void aShapeOfAnyNumbers(@ForAll int @IntRange(min = -3, max = 70) [] numbers, @ForAll int any) {
        ByteBuffer bytes = ByteBuffer.allocate(1024).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < 7 && i < numbers.length; i++) {
            bytes.putInt(numbers[i]);
        }
        bytes.putInt(Math.floorMod(any, 7) * 4, any);
        read(bytes.array());
    }

    private static void read(byte[] bytes) {
        try (MappedFile file = MappedFile.of(Path.of("fuzzed"), bytes);
                Llama2cCheckpoint read = Llama2cCheckpoint.parse(file);
                Transformer model = new Transformer(read.config())) {
            read.fill(model); // throws when outside the memory
        } catch (MalformedModelException expected) {
            if (!expected.getMessage().startsWith("fuzzed: ")) {
                throw new AssertionError("the message does not name the file", expected);
            }
        }
    }

    private static Transformer drawn(boolean tied) {
        return Models.drawn(TransformerConfig.ofDepth(2, 11, 5).with(c -> {
            c.width = 24;
            c.heads = 4;
            c.keyValueHeads = 2;
            c.headDimension = 6;
            c.hidden = 20;
            c.normEpsilon = 1e-5f;
            c.queryKeyNorm = false;
            c.biases = Biases.NONE;
            c.tiedHead = tied;
        }));
    }

    /// A checkpoint of `model`, written tensor by tensor.
    private static byte[] bytes(Transformer model, int version) {
        TransformerConfig c = model.config();
        ByteBuffer out = ByteBuffer.allocate(1 << 20).order(ByteOrder.LITTLE_ENDIAN);
        if (version > 0) {
            out.putInt(0x616b3432).putInt(version);
        }
        int vocabulary = version == 0 && !c.tiedHead() ? -c.vocabulary() : c.vocabulary();
        for (int number : List.of(c.width(), c.hidden(), c.layers(), c.heads(), c.keyValueHeads(), vocabulary)) {
            out.putInt(number);
        }
        out.putInt(c.context());
        if (version > 0) {
            out.put((byte) (c.tiedHead() ? 1 : 0)).position(HEADER);
        }
        List<String> order = version == 0
                ? List.of("embed_tokens", "input_layernorm", "q_proj", "k_proj", "v_proj", "o_proj")
                : List.of("input_layernorm", "post_attention_layernorm", "model.norm", "embed_tokens");
        List<String> rest = version == 0
                ? List.of("post_attention_layernorm", "gate_proj", "down_proj", "up_proj", "model.norm")
                : List.of("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "down_proj", "up_proj");
        order.forEach(name -> put(model, name, out));
        rest.forEach(name -> put(model, name, out));
        if (version == 0) {
            out.position(out.position() + c.context() * c.headDimension() * 4);
        }
        put(model, "lm_head", out);
        return Arrays.copyOf(out.array(), out.position());
    }

    private static void put(Transformer model, String part, ByteBuffer out) {
        Map<String, Tensor> tensors = WeightNames.slices(model).stream()
                .collect(Collectors.toMap(
                        WeightNames.Slice::name,
                        slice -> slice.of(slice.parameter().value())));
        tensors.keySet().stream().filter(name -> name.contains(part)).sorted().forEach(name -> {
            float[] values = tensors.get(name).toFloats();
            boolean turned = part.equals("q_proj") || part.equals("k_proj");
            int rows = tensors.get(name).dimension(0);
            int half = model.config().headDimension() / 2;
            for (int row = 0; row < rows; row++) {
                // channels of a head: first of the first half, first of the second, second of the first, ...
                int channel = row % (2 * half);
                int from = turned ? row - channel + channel % 2 * half + channel / 2 : row;
                for (int i = from * values.length / rows; i < (from + 1) * values.length / rows; i++) {
                    out.putFloat(values[i]);
                }
            }
        });
    }
}
