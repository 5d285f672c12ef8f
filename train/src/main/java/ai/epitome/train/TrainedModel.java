package ai.epitome.train;

import ai.epitome.model.huggingface.Safetensors;
import ai.epitome.model.huggingface.SafetensorsWriter.Item;
import ai.epitome.tensor.autograd.Parameter;
import java.io.IOException;
import java.util.List;

/// The weights in training, and how files hold them.
public interface TrainedModel {
    /// All parameters, in a fixed order.
    List<Parameter> parameters();

    /// What the file of the weights is called.
    default String file() {
        return "model.safetensors";
    }

    /// The tensors of that file, f32, over the parameters as they are when asked for their data.
    List<Item> weights();

    /// Puts back exactly what [#weights] gave.
    ///
    /// @throws IOException if a tensor is missing or has another shape
    void load(Safetensors file) throws IOException;
}
