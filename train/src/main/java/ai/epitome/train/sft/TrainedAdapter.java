package ai.epitome.train.sft;

import ai.epitome.model.huggingface.AdapterFolder;
import ai.epitome.model.huggingface.Safetensors;
import ai.epitome.model.huggingface.SafetensorsWriter.Item;
import ai.epitome.model.transformer.Adapter;
import ai.epitome.tensor.autograd.Parameter;
import ai.epitome.train.TrainedModel;
import java.io.IOException;
import java.util.List;

/// An adapter in training, kept as PEFT keeps it.
record TrainedAdapter(Adapter adapter) implements TrainedModel {
    @Override
    public String file() {
        return AdapterFolder.WEIGHTS;
    }

    @Override
    public List<Parameter> parameters() {
        return adapter.parameters();
    }

    @Override
    public List<Item> weights() {
        return AdapterFolder.items(adapter);
    }

    @Override
    public void load(Safetensors file) throws IOException {
        AdapterFolder.fill(adapter, file);
    }
}
