package ai.epitome.model;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.epitome.model.file.JsonObject;
import ai.epitome.model.huggingface.ModelFolder;
import ai.epitome.model.huggingface.Safetensors;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.tensor.DType;
import ai.epitome.tensor.Workers;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.tensor.backend.VectorProduct;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// The tiny models with numbers from PyTorch.
public enum Reference {
    GPT2("gpt2-tiny"),
    LLAMA("llama-tiny-gqa-tied"),
    QWEN3("qwen3-tiny");

    /// Pure Java kernels in f32 on two threads.
    public static final Backend BACKEND = new Backend(new VectorProduct(), new Workers(2), DType.F32);

    private final String folder;

    Reference(String folder) {
        this.folder = folder;
    }

    /// Skips the test where the shared folder is absent.
    Path folder() {
        Path path = Path.of(System.getProperty("epitome.shared", "../shared"), "reference", folder);
        assumeTrue(Files.isDirectory(path), () -> path + " is not there: the reference models are not checked");
        return path;
    }

    Transformer load() throws IOException {
        return ModelFolder.loadTransformer(folder());
    }

    Safetensors expected() throws IOException {
        return Safetensors.open(folder().resolve("expected.safetensors"));
    }

    JsonObject facts() throws IOException {
        return JsonObject.read(folder().resolve("expected.json"));
    }
}
