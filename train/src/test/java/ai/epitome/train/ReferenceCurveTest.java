package ai.epitome.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.epitome.model.huggingface.ModelFolder;
import ai.epitome.model.huggingface.Safetensors;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.tensor.backend.Backend.Kernels;
import ai.epitome.tensor.backend.Backend.Precision;
import ai.epitome.train.data.Batch;
import ai.epitome.train.optimizer.AdamW;
import ai.epitome.train.optimizer.GradientNorm;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Ten steps of AdamW on the reference models give PyTorch's losses and gradient norms.
class ReferenceCurveTest {
    @ParameterizedTest
    @CsvSource({
        "gpt2-tiny, JAVA", "llama-tiny-gqa-tied, JAVA", "qwen3-tiny, JAVA",
        "gpt2-tiny, ONEDNN", "llama-tiny-gqa-tied, ONEDNN", "qwen3-tiny, ONEDNN"
    })
    void tenStepsAreThoseOfPyTorch(String name, Kernels kernels) throws IOException {
        Path folder = Path.of(System.getProperty("epitome.shared", "../shared"), "reference", name);
        assumeTrue(Files.isDirectory(folder), () -> folder + " is not there: the reference curve is not checked");
        Backend backend = backend(kernels);
        try (Arena arena = Arena.ofShared();
                Transformer model = ModelFolder.loadTransformer(folder);
                LanguageModelling modelling = new LanguageModelling(model, backend, 0)) {
            Batch batch = batch(folder);
            JsonNode expected = new JsonMapper()
                    .readTree(Files.readString(folder.resolve("expected.json")))
                    .path("adamw");
            AdamW adamW = new AdamW(
                    List.of(new AdamW.Group(model.parameters(), 1e-3, 0.1)),
                    AdamW.Settings.USUAL,
                    arena,
                    backend.workers());
            for (JsonNode step : expected.path("loss_then_gradnorm_per_step")) {
                double loss = modelling.accumulate(batch, 1f / batch.targetCount(), 0) / batch.targetCount();
                GradientNorm norm = GradientNorm.of(model.parameters(), backend.workers());
                assertThat(loss).isCloseTo(step.get(0).asDouble(), within(1e-4));
                assertThat(norm.value())
                        .isCloseTo(
                                step.get(1).asDouble(),
                                within(1e-4 * step.get(1).asDouble()));
                adamW.step(norm.clipTo(expected.path("clip_grad_norm").asDouble()), 1);
            }
        } finally {
            backend.workers().close();
        }
    }

    private static Backend backend(Kernels kernels) {
        try {
            return Backend.of(kernels, Precision.F32, 2);
        } catch (IllegalStateException e) {
            assumeTrue(false, e.getMessage());
            throw e;
        }
    }

    /// Every token but the last of a row predicts the next one.
    private static Batch batch(Path folder) throws IOException {
        try (Safetensors expected = Safetensors.open(folder.resolve("expected.safetensors"))) {
            Safetensors.Entry entry = expected.entries().get("input_ids");
            int[] ids = entry.tensor().toInts();
            int length = entry.shape().get(1);
            int[] targets = new int[ids.length];
            for (int i = 0; i < ids.length; i++) {
                targets[i] = i % length == length - 1 ? Batch.NO_TARGET : ids[i + 1];
            }
            return new Batch(entry.shape().get(0), length, ids, targets, null, 0);
        }
    }
}
