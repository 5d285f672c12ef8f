package ai.epitome.model.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.epitome.model.LoadedModel;
import ai.epitome.model.Models;
import ai.epitome.model.Reference;
import ai.epitome.model.engine.Session;
import ai.epitome.model.file.MalformedModelException;
import ai.epitome.model.generation.TextGenerator;
import ai.epitome.model.transformer.RotaryScaling;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.model.transformer.TransformerConfig.Biases;
import ai.epitome.model.transformer.TransformerConfig.Position;
import ai.epitome.tensor.autograd.Parameter;
import ai.epitome.tensor.format.BlockFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// Models as GGUF files, written here as llama.cpp's tools write them.
class GgufTest {
    @TempDir
    Path folder;

    /// Small models of all architectures that are read.
    enum Kind {
        LLAMA(c -> c.queryKeyNorm = false),
        LLAMA_TIED(c -> {
            c.queryKeyNorm = false;
            c.tiedHead = true;
        }),
        LLAMA_BIASED(c -> {
            c.queryKeyNorm = false;
            c.biases = Biases.ATTENTION;
        }),
        QWEN2(c -> {
            c.queryKeyNorm = false;
            c.biases = Biases.QUERY_KEY_VALUE;
        }),
        QWEN3(c -> c.position = new Position.Rotary(1_000_000)),
        GPT2(_ -> {});

        private final Consumer<TransformerConfig.Changes> change;

        Kind(Consumer<TransformerConfig.Changes> change) {
            this.change = change;
        }

        Transformer model() {
            try (Transformer drawn = this == GPT2 ? Models.classic(16) : Models.modern(16)) {
                Transformer model = Models.drawn(drawn.config().with(change));
                // gains of one and biases of zero would hide which is which
                Random random = new Random(3);
                for (Parameter parameter : model.parameters()) {
                    for (int i = 0; i < parameter.value().size(); i++) {
                        parameter.value().set(i, parameter.value().get(i) + random.nextFloat() / 16);
                    }
                }
                return model;
            }
        }
    }

    private Path write(GgufBytes file) throws IOException {
        return Files.write(folder.resolve("small.gguf"), file.build());
    }

    @ParameterizedTest
    @EnumSource
    void everyArchitectureIsRead(Kind kind) throws IOException {
        try (Transformer model = kind.model();
                LoadedModel loaded = LoadedModel.open(write(GgufBytes.of(model, BlockFormat.F32)))) {
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

    @ParameterizedTest
    @CsvSource({"F16, 0.002", "BF16, 0.02", "Q8_0, 0.02"})
    void reducedWeightsAreWidened(BlockFormat format, double tolerance) throws IOException {
        try (Transformer small = Kind.QWEN3.model();
                Transformer model = Models.drawn(small.config().with(c -> c.hidden = 64));
                LoadedModel loaded = LoadedModel.open(write(GgufBytes.of(model, format)))) {
            for (int i = 0; i < model.parameters().size(); i++) {
                float[] found = loaded.transformer().parameters().get(i).value().toFloats();
                float[] expected = model.parameters().get(i).value().toFloats();
                for (int n = 0; n < found.length; n++) {
                    assertThat((double) found[n]).isCloseTo(expected[n], within(tolerance));
                }
            }
        }
    }

    /// Quantised weights in their file predict what the same weights in f32 do, as far as activations of 8 bits allow.
    @ParameterizedTest
    @EnumSource
    void quantisedMatricesAreUsedWhereTheyLie(Kind kind) throws IOException {
        try (Transformer small = kind.model();
                Transformer model = Models.drawn(small.config().with(c -> c.hidden = 64));
                LoadedModel loaded = LoadedModel.open(write(GgufBytes.of(model, BlockFormat.Q8_0)));
                Transformer expanded = new Transformer(model.config())) {
            for (int i = 0; i < model.parameters().size(); i++) {
                Parameter parameter = loaded.transformer().parameters().get(i);
                expanded.parameters().get(i).value().set(parameter.toFloats());
                assertThat(parameter.blocks() != null).as(parameter.name()).isEqualTo(parameter.shape().length == 2);
            }
            int[] tokens = {3, 1, 4, 1, 5, 9, 2, 6};
            try (Session session = new Session(loaded.transformer(), Reference.BACKEND, 16);
                    Session reference = new Session(expanded, Reference.BACKEND, 16)) {
                float[] found = session.advance(tokens);
                float[] expected = reference.advance(tokens);
                double difference = 0;
                double size = 0;
                for (int i = 0; i < found.length; i++) {
                    difference += Math.pow(found[i] - expected[i], 2);
                    size += Math.pow(expected[i], 2);
                }
                assertThat(Math.sqrt(difference / size)).isLessThan(0.03);
            }
        }
    }

    @Test
    void theScalingOfLlama3IsKnownByItsDivisors() throws IOException {
        RotaryScaling.Llama3 scaling = new RotaryScaling.Llama3(32, 1, 4, 8192);
        Position position = new Position.Rotary(500_000, scaling);
        try (Transformer model = Models.drawn(llama().with(c -> {
            c.headDimension = 16;
            c.position = position;
        }))) {
            float[] plain = new RotaryScaling.None().inverseFrequencies(500_000, 16);
            float[] scaled = scaling.inverseFrequencies(500_000, 16);
            float[] divisors = new float[8];
            for (int i = 0; i < 8; i++) {
                float divisor = plain[i] / scaled[i];
                divisors[i] = divisor > 31.9f ? 32 : divisor; // as converters write it
            }
            GgufBytes file = GgufBytes.of(model, BlockFormat.F32);
            file.tensor("rope_freqs.weight", BlockFormat.F32, new long[] {8}, divisors);
            try (LoadedModel loaded = LoadedModel.open(write(file))) {
                assertThat(loaded.transformer().config().position()).isEqualTo(position);
            }
            divisors[6] = 7;
            file.parts.removeLast();
            file.tensor("rope_freqs.weight", BlockFormat.F32, new long[] {8}, divisors);
            assertRefused(file, "`rope_freqs.weight` divides frequency 6 by 7.0");
        }
    }

    @Test
    void linearScalingIsRead() throws IOException {
        try (Transformer model = Models.drawn(llama())) {
            GgufBytes file = GgufBytes.of(model, BlockFormat.F32);
            file.metadata.put("llama.rope.scaling.type", "linear");
            file.metadata.put("llama.rope.scaling.factor", 4f);
            try (LoadedModel loaded = LoadedModel.open(write(file))) {
                assertThat(loaded.transformer().config().position())
                        .isEqualTo(new Position.Rotary(10_000, new RotaryScaling.Linear(4)));
            }
            file.metadata.put("llama.rope.scaling.type", "longrope");
            assertRefused(file, "rope scaling \"longrope\" is not supported");
        }
    }

    @Test
    void yarnIsRead() throws IOException {
        try (Transformer model = Models.drawn(llama())) {
            GgufBytes file = GgufBytes.of(model, BlockFormat.F32);
            file.metadata.put("llama.rope.scaling.type", "yarn");
            file.metadata.put("llama.rope.scaling.factor", 4f);
            file.metadata.put("llama.rope.scaling.original_context_length", 32);
            file.metadata.put("llama.rope.scaling.attn_factor", 0.5f);
            double magnitude = (1 + 0.1 * Math.log(4)) / 2;
            try (LoadedModel loaded = LoadedModel.open(write(file))) {
                assertThat(loaded.transformer().config().position())
                        .isEqualTo(new Position.Rotary(10_000, new RotaryScaling.Yarn(4, 32, 1, 32, magnitude)));
            }
            file.metadata.put("llama.rope.scaling.yarn_ext_factor", 1f);
            LoadedModel.open(write(file)).close();
            file.metadata.put("llama.rope.scaling.yarn_attn_factor", 1.2f);
            assertRefused(file, "`llama.rope.scaling.yarn_attn_factor` is not supported");
            file.metadata.put("llama.rope.scaling.yarn_ext_factor", 0.5f);
            assertRefused(file, "`llama.rope.scaling.yarn_ext_factor` is not supported");
        }
    }

    private static TransformerConfig llama() {
        try (Transformer drawn = Kind.LLAMA.model()) {
            return drawn.config();
        }
    }

    @Test
    void tokensThatEndATextAreRead() throws IOException {
        try (Transformer model = Models.drawn(llama().with(c -> c.vocabulary = 300))) {
            GgufBytes file = withVocabulary(GgufBytes.of(model, BlockFormat.F32));
            try (LoadedModel loaded = LoadedModel.open(write(file))) {
                assertThat(loaded.tokenizer().orElseThrow().kind()).isEqualTo("sentencepiece");
                assertThat(loaded.tokenizer().orElseThrow().encode("ab")).containsExactly(259, 262);
                assertThat(loaded.defaults().endOfText()).containsExactlyInAnyOrder(2, 261);
                assertThat(loaded.beginning()).hasValue(1);
                TextGenerator generator = loaded.generator(Reference.BACKEND);
                assertThat(generator.encode("ab")).containsExactly(1, 259, 262);
            }
            file.metadata.put("tokenizer.ggml.bos_token_id", 300);
            assertThatThrownBy(() -> LoadedModel.open(write(file)).close())
                    .hasMessageContaining("texts begin with token 300 of 263");
        }
    }

    private static GgufBytes withVocabulary(GgufBytes file) {
        List<String> tokens = new ArrayList<>(List.of("<unk>", "<s>", "</s>"));
        List<Integer> types = new ArrayList<>(List.of(2, 3, 3));
        for (int b = 0; b < 256; b++) {
            tokens.add("<0x%02X>".formatted(b));
            types.add(6);
        }
        tokens.addAll(List.of("\u2581", "a", "<|end|>", "ab"));
        types.addAll(List.of(1, 1, 3, 1));
        file.metadata.put("tokenizer.ggml.model", "llama");
        file.metadata.put("tokenizer.ggml.tokens", tokens);
        file.metadata.put("tokenizer.ggml.scores", tokens.stream().map(_ -> 0f).toList());
        file.metadata.put("tokenizer.ggml.token_type", types);
        file.metadata.put("tokenizer.ggml.bos_token_id", 1);
        file.metadata.put("tokenizer.ggml.eos_token_id", 2);
        file.metadata.put("tokenizer.ggml.eot_token_id", 261);
        return file;
    }

    private void assertRefused(GgufBytes file, String message) throws IOException {
        Path path = write(file);
        assertThatThrownBy(() -> LoadedModel.open(path).close())
                .isInstanceOf(MalformedModelException.class)
                .hasMessageStartingWith(path.toString())
                .hasMessageContaining(message);
    }

    @ParameterizedTest
    @CsvSource({
        "general.architecture, bert, supported are llama",
        "llama.block_count, x, must be a whole number",
        "llama.attention.layer_norm_rms_epsilon, x, must be a number with a fraction"
    })
    void aWrongValueIsNamed(String key, String value, String message) throws IOException {
        try (Transformer model = Models.drawn(llama())) {
            GgufBytes file = GgufBytes.of(model, BlockFormat.F32);
            file.metadata.put(key, value);
            assertRefused(file, message);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "llama.block_count, 2000000000, 'asks for 2,000,000,000 layers, it has'",
        "llama.feed_forward_length, 40, 'has shape [48, 32], the metadata asks for [40, 32]'",
        "llama.rope.dimension_count, 4, 'only all of them'",
        "llama.attention.value_length, 6, 'not as long as their keys'",
        "llama.expert_count, 8, 'mixture of experts'",
        "general.alignment, 24, 'expected a power of two'"
    })
    void aWrongNumberIsNamed(String key, int value, String message) throws IOException {
        try (Transformer model = Models.drawn(llama())) {
            GgufBytes file = GgufBytes.of(model, BlockFormat.F32);
            file.metadata.put(key, value);
            assertRefused(file, message);
        }
    }

    @Test
    void aMissingOrStrangeTensorIsNamed() throws IOException {
        try (Transformer model = Models.drawn(llama())) {
            GgufBytes file = GgufBytes.of(model, BlockFormat.F32);
            file.tensor("blk.0.strange", BlockFormat.F32, new long[] {1}, new float[1]);
            assertRefused(file, "1 tensors do not belong to its architecture, the first is `blk.0.strange`");
            file.parts.removeLast();
            file.parts.removeIf(part -> part.name().equals("blk.1.attn_k.weight"));
            assertRefused(file, "tensor `blk.1.attn_k.weight` [16, 32] is missing");
        }
    }
}
