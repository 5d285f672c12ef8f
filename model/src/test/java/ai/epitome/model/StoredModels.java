package ai.epitome.model;

import ai.epitome.model.generation.GenerationDefaults;
import ai.epitome.model.huggingface.ModelFolder;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.model.transformer.WeightNames;
import ai.epitome.tensor.Tensor;
import ai.epitome.text.Tokenizer;
import ai.epitome.text.file.Tokenizers;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Models in folders of tests, and their weights for comparison.
public final class StoredModels {
    private StoredModels() {}

    /// A model's folder, with a tokenizer.
    public static Path folder(Path folder, Transformer model, Tokenizer tokenizer) throws IOException {
        ModelFolder.save(folder, model, GenerationDefaults.of(tokenizer.endOfText()));
        Tokenizers.save(tokenizer, folder);
        return folder;
    }

    /// Values by Hugging Face's name, in our orientation.
    public static Map<String, List<Float>> weights(Transformer model) {
        Map<String, List<Float>> weights = new LinkedHashMap<>();
        for (WeightNames.Slice slice : WeightNames.slices(model)) {
            Tensor value = slice.of(slice.parameter().value());
            List<Float> values = new ArrayList<>();
            for (float one : value.toFloats()) {
                values.add(one);
            }
            weights.put(slice.name(), values);
        }
        return weights;
    }
}
