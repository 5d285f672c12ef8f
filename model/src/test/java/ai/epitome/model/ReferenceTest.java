package ai.epitome.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.epitome.model.engine.Session;
import ai.epitome.model.generation.GenerationDefaults;
import ai.epitome.model.generation.Sampler;
import ai.epitome.model.generation.Sampling;
import ai.epitome.model.huggingface.ConfigFile;
import ai.epitome.model.huggingface.GenerationConfigFile;
import ai.epitome.model.huggingface.ModelFolder;
import ai.epitome.model.huggingface.Safetensors;
import ai.epitome.model.transformer.Dropout;
import ai.epitome.model.transformer.Layout;
import ai.epitome.model.transformer.Sequences;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.model.transformer.WeightNames;
import ai.epitome.tensor.StepArena;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.autograd.Tape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.OptionalInt;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The three reference models against PyTorch's numbers.
class ReferenceTest {
    private static final double TOLERANCE = 1e-4;

    @ParameterizedTest
    @EnumSource
    void logitsAreThoseOfPyTorch(Reference reference) throws IOException {
        try (Transformer model = reference.load();
                Safetensors expected = reference.expected();
                StepArena arena = new StepArena()) {
            Tape tape = new Tape(Reference.BACKEND, arena, false);
            Tensor hidden = model.hidden(tape, sequences(expected), Dropout.NONE);
            requireClose("logits", model.logits(tape, hidden).toFloats(), floats(expected, "logits"));
        }
    }

    @ParameterizedTest
    @EnumSource
    void lossAndAllGradientsAreThoseOfPyTorch(Reference reference) throws IOException {
        try (Transformer model = reference.load();
                Safetensors expected = reference.expected();
                StepArena arena = new StepArena()) {
            Sequences tokens = sequences(expected);
            int[] targets = new int[tokens.ids().length];
            float[] weights = new float[targets.length];
            for (int n = 0; n < targets.length; n++) {
                boolean last = n % tokens.length() == tokens.length() - 1;
                targets[n] = last ? -1 : tokens.ids()[n + 1];
                weights[n] = 1f / (targets.length - tokens.batch());
            }
            Tape tape = new Tape(Reference.BACKEND, arena, true);
            Tensor losses = model.tokenLosses(tape, tokens, targets, weights, Dropout.NONE);
            float loss = tape.backward(tape.weightedSum(losses, weights));

            assertThat((double) loss).isCloseTo(reference.facts().number("loss"), within(TOLERANCE));
            int checked = 0;
            for (WeightNames.Slice slice : WeightNames.slices(model)) {
                Tensor gradient = slice.of(slice.parameter().gradient());
                float[] values = slice.transposed() ? transpose(gradient) : gradient.toFloats();
                requireClose(slice.name(), values, floats(expected, "grad." + slice.name()));
                checked++;
            }
            assertThat(checked).isEqualTo(expected.entries().size() - 2); // all but ids and logits
        }
    }

    @ParameterizedTest
    @EnumSource
    void greedyContinuationIsThatOfTransformers(Reference reference) throws IOException {
        int[] greedy = reference
                .facts()
                .node()
                .get("greedy")
                .valueStream()
                .mapToInt(id -> id.intValue())
                .toArray();
        try (Transformer model = reference.load();
                Session session = new Session(model, Reference.BACKEND, greedy.length)) {
            Sampler sampler = new Sampler(Sampling.GREEDY);
            int[] found = Arrays.copyOf(greedy, greedy.length);
            float[] logits = session.advance(Arrays.copyOf(greedy, 8));
            for (int i = 8; i < found.length; i++) {
                found[i] = sampler.sample(logits);
                logits = session.advance(found[i]);
            }
            assertThat(found).containsExactly(greedy);
        }
    }

    @ParameterizedTest
    @EnumSource
    void savedFolderHoldsTheSameBits(Reference reference, @TempDir Path folder) throws IOException {
        try (Transformer model = reference.load()) {
            ModelFolder.save(folder, model, GenerationDefaults.of(OptionalInt.of(7)));
            assertThat(ConfigFile.read(folder.resolve("config.json"))).isEqualTo(model.config());
            assertThat(Layout.of(model.config()).name()).isEqualTo(reference.name());
        }
        // names, order, shapes and weights: the very file that transformers wrote
        assertThat(Files.mismatch(
                        folder.resolve("model.safetensors"), reference.folder().resolve("model.safetensors")))
                .isEqualTo(-1);
        assertThat(GenerationConfigFile.read(folder).endOfText()).containsExactly(7);
    }

    @ParameterizedTest
    @EnumSource
    void parametersAreCounted(Reference reference) throws IOException {
        try (Transformer model = reference.load()) {
            long counted = model.parameters().stream()
                    .mapToLong(parameter -> parameter.value().size())
                    .sum();
            assertThat(model.config().parameters()).isEqualTo(counted);
        }
    }

    private static Sequences sequences(Safetensors expected) {
        Tensor ids = expected.entries().get("input_ids").tensor();
        return new Sequences(ids.toInts(), ids.dimension(0));
    }

    private static float[] floats(Safetensors file, String name) {
        return file.entries().get(name).tensor().toFloats();
    }

    private static float[] transpose(Tensor tensor) {
        float[] result = new float[(int) tensor.size()];
        for (int i = 0; i < result.length; i++) {
            result[i % tensor.columns() * tensor.rows() + i / tensor.columns()] = tensor.get(i);
        }
        return result;
    }

    private static void requireClose(String name, float[] found, float[] expected) {
        double largest = 0;
        double difference = 0;
        assertThat(found).as(name).hasSameSizeAs(expected);
        for (int i = 0; i < found.length; i++) {
            largest = Math.max(largest, Math.abs(expected[i]));
            difference = Math.max(difference, Math.abs((double) found[i] - expected[i]));
        }
        assertThat(difference / largest).as(name).isLessThan(TOLERANCE);
    }
}
