package ai.epitome.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.epitome.model.engine.Session;
import ai.epitome.model.export.GgufExport;
import ai.epitome.model.export.Quantization;
import ai.epitome.model.export.StoredModel;
import ai.epitome.model.file.JsonObject;
import ai.epitome.model.file.MalformedModelException;
import ai.epitome.model.huggingface.AdapterFolder;
import ai.epitome.model.huggingface.ModelFolder;
import ai.epitome.model.transformer.Adapter;
import ai.epitome.model.transformer.Dropout;
import ai.epitome.model.transformer.Sequences;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.tensor.StepArena;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.autograd.Parameter;
import ai.epitome.tensor.autograd.Tape;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.tensor.backend.Backend.Kernels;
import ai.epitome.tensor.backend.Backend.Precision;
import ai.epitome.tensor.format.BlockFormat;
import ai.epitome.text.ByteTokenizer;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// Low-rank adapters, our own and PEFT's. How PEFT's were made: `make.py` beside them.
class AdapterTest {
    private static final Adapter.Settings ALL =
            Adapter.Settings.of(3, Set.of("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"));

    @TempDir
    Path folder;

    private static Path peft(String name) {
        try {
            return Path.of(AdapterTest.class.getResource("/peft/" + name).toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static float[] logits(Transformer model, int[] ids) {
        return logits(model, ids, Reference.BACKEND);
    }

    private static float[] logits(Transformer model, int[] ids, Backend backend) {
        try (StepArena arena = new StepArena()) {
            Tape tape = new Tape(backend, arena, false);
            return model.logits(tape, model.hidden(tape, new Sequences(ids, 1), Dropout.NONE))
                    .toFloats();
        }
    }

    private static float[] floats(JsonNode numbers) {
        float[] values = new float[numbers.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) numbers.get(i).asDouble();
        }
        return values;
    }

    private static int[] ids(JsonNode expected) {
        return expected.path("ids").valueStream().mapToInt(JsonNode::asInt).toArray();
    }

    private static void requireClose(float[] found, float[] expected, float tolerance) {
        assertThat(found).hasSameSizeAs(expected);
        for (int i = 0; i < found.length; i++) {
            assertThat(found[i]).as("number %d", i).isCloseTo(expected[i], within(tolerance));
        }
    }

    /// Sets B to random numbers, so that the adapter changes something.
    private static Adapter trained(Transformer model, Adapter.Settings settings) {
        Adapter adapter = Adapter.create(model, settings, 7);
        Random random = new Random(8);
        for (Adapter.Target target : adapter.targets()) {
            for (long i = 0; i < target.up().value().size(); i++) {
                target.up().value().set(i, (float) (0.2 * random.nextGaussian()));
            }
        }
        return adapter;
    }

    @ParameterizedTest
    @ValueSource(strings = {"qwen3", "gpt2"})
    void logitsAndGradientsAreThoseOfPeft(String name) throws IOException {
        JsonNode expected = JsonObject.MAPPER.readTree(Files.readAllBytes(peft(name + "/expected.json")));
        int[] ids = ids(expected);
        Transformer model = ModelFolder.loadTransformer(peft(name + "/base"));
        requireClose(logits(model, ids), floats(expected.path("plain")), 1e-4f);
        Adapter adapter = AdapterFolder.load(peft(name + "/adapter"), model);
        model.parameters().forEach(parameter -> parameter.trainable(false));
        try (Transformer adapted = model.with(adapter);
                StepArena arena = new StepArena()) {
            requireClose(logits(adapted, ids), floats(expected.path("adapted")), 1e-4f);
            int[] targets = Arrays.copyOf(Arrays.copyOfRange(ids, 1, ids.length), ids.length);
            targets[ids.length - 1] = -1;
            float[] weights = new float[ids.length];
            Arrays.fill(weights, 1f / (ids.length - 1));
            Tape tape = new Tape(Reference.BACKEND, arena, true);
            Tensor losses = adapted.tokenLosses(tape, new Sequences(ids, 1), targets, weights, Dropout.NONE);
            tape.backward(tape.weightedSum(losses, weights));
            for (Parameter parameter : adapter.parameters()) {
                JsonNode gradient = expected.path("gradients").path("base_model.model." + parameter.name());
                requireClose(parameter.gradient().toFloats(), floats(gradient), 1e-4f);
            }
            assertThat(expected.path("gradients").size())
                    .isEqualTo(adapter.parameters().size());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"qwen3", "gpt2"})
    void mergedItGivesTheSameLogits(String name) throws IOException {
        JsonNode expected = JsonObject.MAPPER.readTree(Files.readAllBytes(peft(name + "/expected.json")));
        try (Transformer model = ModelFolder.loadTransformer(peft(name + "/base"))) {
            AdapterFolder.load(peft(name + "/adapter"), model).merge();
            requireClose(logits(model, ids(expected)), floats(expected.path("adapted")), 1e-4f);
        }
    }

    /// Also where several sequences are read at once, and token by token.
    @ParameterizedTest
    @EnumSource(Precision.class)
    void aNewAdapterChangesNothing(Precision precision) {
        Backend backend = Backend.of(Kernels.AUTO, precision, 2);
        Transformer model = Models.modern(32);
        int[] ids = Models.tokens(20, 3);
        float[] before = logits(model, ids, backend);
        try (Transformer adapted = model.with(Adapter.create(model, ALL, 7))) {
            assertThat(logits(adapted, ids, backend)).isEqualTo(before);
            try (Session plain = new Session(model, backend, 32);
                    Session session = new Session(adapted, backend, 32)) {
                assertThat(session.advance(ids)).isEqualTo(plain.advance(ids));
                assertThat(session.advance(5)).isEqualTo(plain.advance(5));
            }
        }
        backend.workers().close();
    }

    /// Of a quantised model in its file: a new one changes no bit, and one that learns gets the gradients
    /// that it has on the same weights in f32, as far as activations of 8 bits allow.
    @ParameterizedTest
    @EnumSource(
            value = BlockFormat.class,
            names = {"Q8_0", "Q4_0"})
    void theBaseMayBeQuantised(BlockFormat format) throws IOException {
        int[] ids = Models.tokens(20, 3);
        Path file = folder.resolve("model.gguf");
        try (Transformer model = Models.drawn(Models.modern(32).config().with(c -> c.hidden = 64))) {
            Path plain = StoredModels.folder(folder.resolve("model"), model, new ByteTokenizer());
            try (StoredModel stored = StoredModel.open(plain)) {
                GgufExport.write(stored, Quantization.pure(format), file, _ -> {});
            }
        }
        try (Transformer model = LoadedModel.open(file).transformer();
                Transformer expanded = new Transformer(model.config())) {
            for (int i = 0; i < model.parameters().size(); i++) {
                Parameter parameter = model.parameters().get(i);
                assertThat(parameter.blocks() != null).as(parameter.name()).isEqualTo(parameter.shape().length == 2);
                expanded.parameters().get(i).trainable(false).value().set(parameter.toFloats());
                parameter.trainable(false);
            }
            float[] before = logits(model, ids);
            assertThat(logits(model.with(Adapter.create(model, ALL, 7)), ids)).isEqualTo(before);
            float[] found = gradients(model, ids);
            float[] expected = gradients(expanded, ids);
            double difference = 0;
            double size = 0;
            for (int i = 0; i < found.length; i++) {
                difference += Math.pow(found[i] - expected[i], 2);
                size += Math.pow(expected[i], 2);
            }
            assertThat(Math.sqrt(difference / size)).isLessThan(0.05);
            assertThat(logits(model, ids)).isEqualTo(before);
        }
    }

    /// Of all that an adapter of `model` learns from one sequence.
    private static float[] gradients(Transformer model, int[] ids) {
        Adapter adapter = trained(model, ALL);
        int[] targets = Arrays.copyOfRange(ids, 1, ids.length + 1);
        float[] weights = new float[ids.length];
        Arrays.fill(weights, 1f / ids.length);
        FloatBuffer all = FloatBuffer.allocate(100_000);
        try (StepArena arena = new StepArena()) {
            Tape tape = new Tape(Reference.BACKEND, arena, true);
            Tensor losses =
                    model.with(adapter).tokenLosses(tape, new Sequences(ids, 1), targets, weights, Dropout.NONE);
            tape.backward(tape.weightedSum(losses, weights));
            adapter.parameters()
                    .forEach(parameter -> all.put(parameter.gradient().toFloats()));
        }
        return Arrays.copyOf(all.array(), all.position());
    }

    @Test
    void adaptersAreSwappedWithoutTouchingTheModel() {
        Transformer model = Models.modern(32);
        int[] ids = Models.tokens(20, 3);
        float[] before = logits(model, ids);
        Adapter first = trained(model, ALL);
        Adapter second = trained(model, Adapter.Settings.of(2, Set.of("q_proj")));
        float[] one = logits(model.with(first), ids);
        float[] two = logits(model.with(second), ids);
        assertThat(one).isNotEqualTo(before);
        assertThat(two).isNotEqualTo(before).isNotEqualTo(one);
        assertThat(logits(model.with(first), ids)).isEqualTo(one);
        assertThat(logits(model, ids)).isEqualTo(before);
        model.close();
    }

    /// Checkpoints of a run are found again by these words, in another process, too.
    @Test
    void settingsAreToldInOneOrder() {
        assertThat(Adapter.Settings.of(2, Set.of("v_proj", "up_proj", "q_proj", "down_proj")))
                .hasToString("Settings[rank=2, alpha=4.0, stabilised=false, dropout=0.0,"
                        + " targets=[down_proj, q_proj, up_proj, v_proj]]");
    }

    @Test
    void whatIsWrittenIsRead() throws IOException {
        try (Transformer model = Models.modern(32)) {
            Adapter adapter = trained(model, new Adapter.Settings(3, 5.5, true, 0.1, Set.of("q_proj", "down_proj")));
            AdapterFolder.save(folder, adapter, model, "models/base");
            Adapter read = AdapterFolder.load(folder, model);
            assertThat(read.settings()).isEqualTo(adapter.settings());
            assertThat(read.parameters())
                    .hasSize(8)
                    .zipSatisfy(
                            adapter.parameters(),
                            (found, expected) -> assertThat(found.value().toFloats())
                                    .isEqualTo(expected.value().toFloats()));
        }
    }

    @Test
    void whatDoesNotFitIsRefused() throws IOException {
        try (Transformer model = Models.modern(32)) {
            Adapter adapter = Adapter.create(model, ALL, 1);
            assertThatThrownBy(() -> Adapter.create(model, Adapter.Settings.of(2, Set.of("q_proj", "lm_head")), 1))
                    .hasMessageContaining(
                            "no projection of this model is called lm_head; it has [down_proj, gate_proj");
            AdapterFolder.save(folder, adapter, model, "base");
            try (Transformer other = Models.drawn(model.config().with(c -> c.hidden = 64))) {
                assertThatThrownBy(() -> AdapterFolder.load(folder, other))
                        .isInstanceOf(MalformedModelException.class)
                        .hasMessageContaining("mlp.gate_proj.lora_B.weight` [64, 3], found [48, 3]");
            }
            String config = Files.readString(folder.resolve(AdapterFolder.CONFIG));
            Files.writeString(
                    folder.resolve(AdapterFolder.CONFIG),
                    config.replaceFirst("\\{", "{\"modules_to_save\": [\"lm_head\"],"));
            assertThatThrownBy(() -> AdapterFolder.load(folder, model))
                    .hasMessageContaining("`modules_to_save` must be absent or empty: this is not supported");
            Files.writeString(folder.resolve(AdapterFolder.CONFIG), config.replace("\"LORA\"", "\"IA3\""));
            assertThatThrownBy(() -> AdapterFolder.load(folder, model))
                    .hasMessageContaining("`peft_type` must be LORA");
            assertThatThrownBy(() -> AdapterFolder.load(folder.resolve("none"), model))
                    .hasMessageContaining("is not an adapter's folder");
        }
    }
}
