package ai.epitome.model.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.epitome.model.LoadedModel;
import ai.epitome.model.Models;
import ai.epitome.model.StoredModels;
import ai.epitome.model.gguf.Gguf;
import ai.epitome.model.gguf.GgufWeights;
import ai.epitome.model.huggingface.GenerationConfigFile;
import ai.epitome.model.transformer.RotaryScaling;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.model.transformer.TransformerConfig.Activation;
import ai.epitome.model.transformer.TransformerConfig.Biases;
import ai.epitome.model.transformer.TransformerConfig.Position;
import ai.epitome.model.transformer.WeightNames;
import ai.epitome.tensor.format.BlockEncoder;
import ai.epitome.tensor.format.BlockFormat;
import ai.epitome.text.ByteTokenizer;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GgufExportTest {
    private static final Quantization F32 = Quantization.pure(BlockFormat.F32);

    @TempDir
    private Path folder;

    private Path export(Path source, Quantization quantization) throws IOException {
        Path file = folder.resolve("out.gguf");
        try (StoredModel model = StoredModel.open(source)) {
            GgufExport.write(model, quantization, file, part -> {});
        }
        return file;
    }

    private Path saved(TransformerConfig config) throws IOException {
        try (Transformer model = Models.drawn(config)) {
            return StoredModels.folder(folder.resolve("model"), model, new ByteTokenizer());
        }
    }

    private static TransformerConfig llama() {
        return Models.modern(64).config().with(c -> {
            c.queryKeyNorm = false;
            c.normEpsilon = 1e-5f;
        });
    }

    private void comesBack(TransformerConfig config) throws IOException {
        Path source = saved(config);
        Path file = export(source, F32);
        try (LoadedModel before = LoadedModel.open(source);
                LoadedModel after = LoadedModel.open(file)) {
            assertThat(after.transformer().config())
                    .isEqualTo(before.transformer().config());
            assertThat(StoredModels.weights(after.transformer())).isEqualTo(StoredModels.weights(before.transformer()));
            assertThat(after.defaults().endOfText()).containsExactly(256);
            assertThat(after.defaults().beginOfText()).isEqualTo(OptionalInt.of(256));
            assertThat(after.tokenizer().orElseThrow().specialTokens()).isEqualTo(Map.of("<|endoftext|>", 256));
            byte[] text = {0, 13, 'a', -1, -61};
            assertThat(after.tokenizer().orElseThrow().encode(text)).containsExactly(0, 13, 'a', 255, 195);
        }
    }

    @Test
    void modelsOfAllLayoutsComeBackAsTheyWere() throws IOException {
        comesBack(Models.modern(64).config());
        comesBack(Models.classic(64).config().with(c -> c.normEpsilon = 1e-5f));
        comesBack(llama());
        comesBack(llama().with(c -> c.biases = Biases.ATTENTION));
        comesBack(llama().with(c -> c.biases = Biases.ALL));
        comesBack(llama().with(c -> c.biases = Biases.QUERY_KEY_VALUE));
        comesBack(llama().with(c -> c.tiedHead = true));
    }

    @Test
    void stretchedContextsComeBack() throws IOException {
        comesBack(llama().with(c -> c.position = new Position.Rotary(10_000, new RotaryScaling.Linear(4))));
        comesBack(
                llama().with(c -> c.position = new Position.Rotary(500_000, new RotaryScaling.Llama3(8, 1, 4, 4096))));
        RotaryScaling yarn = new RotaryScaling.Yarn(4, 32, 1, 16, RotaryScaling.Yarn.magnitude(4));
        comesBack(llama().with(c -> c.position = new Position.Rotary(10_000, yarn)));
        RotaryScaling longer = new RotaryScaling.Yarn(4, 16, 2, 16, 2 * RotaryScaling.Yarn.magnitude(4));
        comesBack(llama().with(c -> c.position = new Position.Rotary(10_000, longer)));
    }

    @Test
    void whatLlamaCppDoesNotRunIsRefused() {
        assertRefused(Models.modern(64).config().with(c -> c.activation = Activation.RELU_SQUARED), "another mix");
        assertRefused(Models.modern(64).config().with(c -> c.biases = Biases.ATTENTION), "no biases");
        assertRefused(
                Models.modern(64)
                        .config()
                        .with(c -> c.position = new Position.Rotary(10_000, new RotaryScaling.Llama3(8, 1, 4, 64))),
                "rope scaling in llama alone");
        assertThat(folder.resolve("out.gguf")).doesNotExist();
    }

    private void assertRefused(TransformerConfig config, String reason) {
        assertThatThrownBy(() -> export(saved(config), F32))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(reason);
    }

    @Test
    void theContextEndsWhereTheWindowDoes() throws IOException {
        Path source = saved(llama().with(c -> c.window = 16));
        try (StoredModel model = StoredModel.open(source)) {
            Exported exported = GgufExport.write(model, F32, folder.resolve("out.gguf"), part -> {});
            assertThat(exported.notes()).singleElement().asString().contains("16 instead of 64");
        }
        try (LoadedModel after = LoadedModel.open(folder.resolve("out.gguf"))) {
            assertThat(after.transformer().config().context()).isEqualTo(16);
        }
    }

    @Test
    void quantisedMatricesAreTheBlocksOfTheirRows() throws IOException {
        Path source = saved(Models.modern(64).config());
        for (BlockFormat format : new BlockFormat[] {BlockFormat.Q8_0, BlockFormat.Q4_0, BlockFormat.BF16}) {
            Path file = export(source, Quantization.pure(format));
            try (Gguf gguf = Gguf.open(file);
                    LoadedModel model = LoadedModel.open(source)) {
                for (WeightNames.Slice slice : WeightNames.slices(model.transformer())) {
                    Gguf.Entry entry = gguf.entries().get(GgufWeights.name(slice.name()));
                    boolean vector = slice.shape().size() == 1;
                    boolean fits = slice.shape().getLast() % format.blockValues() == 0;
                    assertThat(entry.format())
                            .as(slice.name())
                            .isEqualTo(vector ? BlockFormat.F32 : fits ? format : BlockFormat.F16);
                    float[] values = slice.of(slice.parameter().value()).toFloats();
                    MemorySegment expected =
                            MemorySegment.ofArray(new byte[(int) entry.data().byteSize()]);
                    BlockEncoder.encode(entry.format(), values, values.length, expected, 0);
                    assertThat(entry.data().mismatch(expected)).as(slice.name()).isEqualTo(-1);
                }
            }
        }
    }

    @Test
    void theHeadKeepsMoreBitsUnlessAskedOtherwise() throws IOException {
        Path source = saved(Models.modern(64).config());
        try (Gguf gguf = Gguf.open(export(source, Quantization.mixed(BlockFormat.Q4_0)))) {
            assertThat(gguf.entries().get("output.weight").format())
                    .isEqualTo(BlockFormat.Q8_0); // its rows of 32 are no whole blocks of Q6_K
            assertThat(gguf.entries().get("token_embd.weight").format()).isEqualTo(BlockFormat.Q4_0);
        }
        try (Gguf gguf = Gguf.open(export(source, Quantization.pure(BlockFormat.Q4_0)))) {
            assertThat(gguf.entries().get("output.weight").format()).isEqualTo(BlockFormat.Q4_0);
        }
    }

    private static BlockFormat format(BlockFormat asked, String name, int columns, TransformerConfig config) {
        WeightShapes.Shape shape = new WeightShapes.Shape(name, 512, columns, false, false);
        return Quantization.mixed(asked).of(name, shape, config);
    }

    @Test
    void theMixtureIsLlamaCpps() {
        TransformerConfig config = Models.modern(64).config().with(c -> c.layers = 16);
        assertThat(format(BlockFormat.Q4_K, "output.weight", 512, config)).isEqualTo(BlockFormat.Q6_K);
        assertThat(format(BlockFormat.Q4_0, "output.weight", 512, config)).isEqualTo(BlockFormat.Q6_K);
        assertThat(format(BlockFormat.Q8_0, "output.weight", 512, config)).isEqualTo(BlockFormat.Q8_0);
        assertThat(format(BlockFormat.Q4_K, "token_embd.weight", 512, config)).isEqualTo(BlockFormat.Q4_K);
        assertThat(format(BlockFormat.Q4_K, "token_embd.weight", 512, config.with(c -> c.tiedHead = true)))
                .isEqualTo(BlockFormat.Q6_K);
        List<Integer> kept = new ArrayList<>();
        for (int layer = 0; layer < 16; layer++) {
            BlockFormat down = format(BlockFormat.Q4_K, "blk.%d.ffn_down.weight".formatted(layer), 512, config);
            BlockFormat value = format(BlockFormat.Q4_K, "blk.%d.attn_v.weight".formatted(layer), 512, config);
            assertThat(value).isEqualTo(down);
            if (down == BlockFormat.Q6_K) {
                kept.add(layer);
            }
        }
        assertThat(kept).containsExactly(0, 1, 4, 7, 10, 13, 14, 15);
        assertThat(format(BlockFormat.Q4_K, "blk.0.attn_q.weight", 512, config)).isEqualTo(BlockFormat.Q4_K);
        assertThat(format(BlockFormat.Q4_K, "blk.0.attn_qkv.weight", 512, config))
                .isEqualTo(BlockFormat.Q5_K);
        assertThat(format(BlockFormat.Q4_0, "blk.0.ffn_down.weight", 512, config))
                .isEqualTo(BlockFormat.Q4_0);
    }

    @Test
    void rowsThatAreNoWholeBlocksGetALargerFormat() {
        TransformerConfig config = Models.modern(64).config();
        String name = "blk.0.attn_q.weight";
        assertThat(format(BlockFormat.Q4_K, name, 320, config)).isEqualTo(BlockFormat.Q5_0);
        assertThat(format(BlockFormat.Q5_K, name, 320, config)).isEqualTo(BlockFormat.Q8_0);
        assertThat(format(BlockFormat.Q6_K, name, 320, config)).isEqualTo(BlockFormat.Q8_0);
        assertThat(format(BlockFormat.Q4_K, name, 48, config)).isEqualTo(BlockFormat.F16);
    }

    @Test
    void aQuantisedFileIsExportedAgain() throws IOException {
        Path source = saved(llama());
        Path quantised = export(source, Quantization.pure(BlockFormat.Q8_0));
        Path moved = Files.move(quantised, folder.resolve("quantised.gguf"));
        Path plain = export(moved, F32);
        try (LoadedModel before = LoadedModel.open(moved);
                LoadedModel after = LoadedModel.open(plain)) {
            assertThat(StoredModels.weights(after.transformer())).isEqualTo(StoredModels.weights(before.transformer()));
        }
    }

    @Test
    void allEndsOfTextAndTheChatTemplateAreKept() throws IOException {
        Path source = saved(Models.modern(64).config().with(c -> c.vocabulary = 300));
        Files.writeString(source.resolve("chat_template.jinja"), "{{ messages }}");
        Files.writeString(source.resolve(GenerationConfigFile.NAME), "{\"eos_token_id\": [256, 10, 13]}");
        try (StoredModel model = StoredModel.open(export(source, F32))) {
            assertThat(model.chatTemplates()).isEqualTo(Map.of("default", "{{ messages }}"));
            assertThat(model.defaults().endOfText()).isEqualTo(Set.of(256, 10, 13));
            assertThat(model.tokenizer().orElseThrow().vocabularySize()).isEqualTo(257);
        }
    }

    @Test
    void nothingIsLeftOfAnExportThatIsStopped() throws IOException {
        Path source = saved(Models.modern(64).config());
        Path file = folder.resolve("out.gguf");
        List<Double> parts = new ArrayList<>();
        try (StoredModel model = StoredModel.open(source)) {
            assertThatThrownBy(() -> GgufExport.write(model, F32, file, part -> {
                        parts.add(part);
                        if (part > 0.5) {
                            throw new CancellationException();
                        }
                    }))
                    .isInstanceOf(CancellationException.class);
        }
        assertThat(parts).isSorted().hasSizeGreaterThan(2);
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).containsExactly(source);
        }
    }

    @Test
    void aValueThatDoesNotFitIsNamed() throws IOException {
        TransformerConfig config = Models.modern(64).config();
        try (Transformer model = Models.drawn(config)) {
            model.embedding().value().set(32 * 5, 1e6f);
            StoredModels.folder(folder.resolve("model"), model, new ByteTokenizer());
        }
        assertThatThrownBy(() -> export(folder.resolve("model"), Quantization.pure(BlockFormat.F16)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("tensor `model.embed_tokens.weight`, row 5")
                .hasMessageContaining("65504");
        assertThat(folder.resolve("out.gguf")).doesNotExist();
    }
}
