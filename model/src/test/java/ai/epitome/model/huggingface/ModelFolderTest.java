package ai.epitome.model.huggingface;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.epitome.model.Models;
import ai.epitome.model.file.MalformedModelException;
import ai.epitome.model.generation.GenerationDefaults;
import ai.epitome.model.generation.Sampling;
import ai.epitome.model.huggingface.SafetensorsWriter.Item;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.model.transformer.TransformerConfig;
import ai.epitome.model.transformer.WeightNames;
import ai.epitome.tensor.DType;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.autograd.Parameter;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ModelFolderTest {
    @TempDir
    Path folder;

    private final Transformer model = Models.modern(16);

    @BeforeEach
    void save() throws IOException {
        ModelFolder.save(folder, model, GenerationDefaults.of(OptionalInt.empty()));
    }

    @AfterEach
    void close() {
        model.close();
    }

    private void replace(List<Item> items) throws IOException {
        SafetensorsWriter.write(folder.resolve("model.safetensors"), Map.of(), items);
    }

    private void assertRefused(String message) {
        assertThatThrownBy(() -> ModelFolder.loadTransformer(folder))
                .isInstanceOf(MalformedModelException.class)
                .hasMessageStartingWith(folder.toString())
                .hasMessageContaining(message);
    }

    private static void assertEqual(Transformer found, Transformer expected) {
        assertThat(found.config()).isEqualTo(expected.config());
        for (int i = 0; i < expected.parameters().size(); i++) {
            Parameter parameter = expected.parameters().get(i);
            assertThat(found.parameters()
                            .get(i)
                            .value()
                            .data()
                            .mismatch(parameter.value().data()))
                    .as(parameter.name())
                    .isEqualTo(-1);
        }
    }

    @Test
    void aSavedModelLoadsWithTheSameBits() throws IOException {
        try (Transformer loaded = ModelFolder.loadTransformer(folder)) {
            assertEqual(loaded, model);
        }
    }

    @Test
    void everyConfigHasAFile(@TempDir Path other) throws IOException {
        TransformerConfig config = model.config().with(c -> {
            c.queryKeyNorm = false;
            c.activation = TransformerConfig.Activation.RELU_SQUARED;
            c.biases = TransformerConfig.Biases.ALL;
            c.norm = TransformerConfig.Norm.LAYER;
        });
        try (Transformer odd = Models.drawn(config)) {
            ModelFolder.save(other, odd, GenerationDefaults.of(OptionalInt.empty()));
            try (Transformer loaded = ModelFolder.loadTransformer(other)) {
                assertEqual(loaded, odd);
            }
        }
    }

    @Test
    void shardsAreOneModel() throws IOException {
        List<Item> items = ModelFolder.items(model);
        Files.delete(folder.resolve("model.safetensors"));
        StringBuilder map = new StringBuilder();
        for (int shard = 0; shard < 2; shard++) {
            String name = "model-0000%d-of-00002.safetensors".formatted(shard + 1);
            List<Item> half = shard == 0 ? items.subList(0, 7) : items.subList(7, items.size());
            SafetensorsWriter.write(folder.resolve(name), Map.of(), half);
            half.forEach(
                    item -> map.append(map.isEmpty() ? "" : ",").append("\"%s\":\"%s\"".formatted(item.name(), name)));
        }
        Path index = folder.resolve("model.safetensors.index.json");
        Files.writeString(index, "{\"metadata\":{},\"weight_map\":{%s}}".formatted(map));
        try (Transformer loaded = ModelFolder.loadTransformer(folder)) {
            assertEqual(loaded, model);
        }
        Files.writeString(index, "{\"weight_map\":{\"a\":\"../model.safetensors\"}}");
        assertRefused("expected a file in the same folder");
        Files.writeString(index, "{\"weight_map\":{\"a\":\"model-00001-of-00002.safetensors\"}}");
        assertRefused("tensor `a` is not in model-00001-of-00002.safetensors");
        Files.writeString(index, "{\"weight_map\":{\"a\":\"model\\u0000\"}}");
        assertRefused("expected a file in the same folder");
    }

    @ParameterizedTest
    @EnumSource(names = {"BF16", "F16"})
    void reducedWeightsAreWidened(DType dtype) throws IOException {
        List<Item> reduced = new ArrayList<>();
        for (Item item : ModelFolder.items(model)) {
            int[] shape = item.shape().stream().mapToInt(Integer::intValue).toArray();
            Tensor tensor = Tensor.zeros(Arena.ofAuto(), dtype, shape);
            tensor.set(Tensor.of(item.data().get(), DType.F32, shape).toFloats());
            reduced.add(Item.of(item.name(), tensor));
        }
        replace(reduced);
        try (Transformer loaded = ModelFolder.loadTransformer(folder)) {
            for (WeightNames.Slice slice : WeightNames.slices(loaded)) {
                Item item = reduced.stream()
                        .filter(one -> one.name().equals(slice.name()))
                        .findFirst()
                        .orElseThrow();
                int[] shape = item.shape().stream().mapToInt(Integer::intValue).toArray();
                assertThat(slice.of(slice.parameter().value()).toFloats())
                        .containsExactly(
                                Tensor.of(item.data().get(), dtype, shape).toFloats());
            }
        }
    }

    @Test
    void aMissingTensorIsNamedWithItsShape() throws IOException {
        List<Item> items = new ArrayList<>(ModelFolder.items(model));
        items.removeIf(item -> item.name().equals("model.layers.1.self_attn.k_proj.weight"));
        replace(items);
        assertRefused("tensor `model.layers.1.self_attn.k_proj.weight` [16, 32] is missing");
    }

    @Test
    void aStrangeTensorIsNamed() throws IOException {
        List<Item> items = new ArrayList<>(ModelFolder.items(model));
        items.add(Item.of("model.layers.0.self_attn.q_proj.bias", Tensor.zeros(Arena.ofAuto(), DType.F32, 32)));
        replace(items);
        assertRefused("1 tensors do not belong to a qwen3 model, the first is `model.layers.0.self_attn.q_proj.bias`");
    }

    @Test
    void aTensorOfAnotherShapeSaysBoth() throws IOException {
        List<Item> items = new ArrayList<>(ModelFolder.items(model));
        items.removeIf(item -> item.name().equals("model.norm.weight"));
        items.add(Item.of("model.norm.weight", Tensor.zeros(Arena.ofAuto(), DType.F32, 31)));
        replace(items);
        assertRefused("tensor `model.norm.weight` has shape [31], config.json asks for [32]");
        items.removeLast();
        items.add(Item.of("model.norm.weight", Tensor.zeros(Arena.ofAuto(), DType.I32, 32)));
        replace(items);
        assertRefused("tensor `model.norm.weight` has dtype I32; F32, F16 and BF16 are read");
    }

    /// Weights are allocated by the config, so a few bytes of JSON must not be able to ask for all memory.
    @ParameterizedTest
    @CsvSource({
        "vocab_size, 2000000000, 'asks for 128,0'",
        "num_hidden_layers, 2000000000, 'asks for 1'",
        "max_position_embeddings, 2147483647, 'context of 2,147,483,647 positions'"
    })
    void aConfigThatAsksForMoreThanTheFilesHoldIsRefused(String key, String value, String message) throws IOException {
        Path config = folder.resolve("config.json");
        String json = Files.readString(config);
        assertThat(json).containsPattern("\"" + key + "\" : \\d+");
        Files.writeString(config, json.replaceFirst("\"" + key + "\" : \\d+", "\"" + key + "\" : " + value));
        assertRefused(message);
    }

    @Test
    void aFolderWithoutAModelSaysSo(@TempDir Path empty) throws IOException {
        assertThatThrownBy(() -> ModelFolder.loadTransformer(empty))
                .isInstanceOf(MalformedModelException.class)
                .hasMessage(empty + ": is not a model folder: it has no config.json");
        Files.delete(folder.resolve("model.safetensors"));
        assertRefused("has neither model.safetensors nor model.safetensors.index.json");
    }

    @Test
    void generationDefaultsAreRead() throws IOException {
        Path file = folder.resolve("generation_config.json");
        Files.writeString(
                file,
                "{\"eos_token_id\":[2,5],\"bos_token_id\":1,\"do_sample\":true,\"temperature\":0.6,\"top_k\":20,\"min_p\":0.05}");
        GenerationDefaults defaults = GenerationConfigFile.read(folder);
        assertThat(defaults.endOfText()).containsExactlyInAnyOrder(2, 5);
        assertThat(defaults.beginOfText()).hasValue(1);
        assertThat(defaults.sampling()).isEqualTo(new Sampling(0.6, 20, 1, 0.05, 0));
        Files.writeString(file, GenerationConfigFile.write(defaults));
        assertThat(GenerationConfigFile.read(folder)).isEqualTo(defaults);
        Files.writeString(file, "{\"temperature\":-1}");
        assertThatThrownBy(() -> GenerationConfigFile.read(folder))
                .isInstanceOf(MalformedModelException.class)
                .hasMessageContaining("temperature must be 0 or more");
    }
}
