package ai.epitome.train;

import ai.epitome.model.huggingface.ModelFolder;
import ai.epitome.model.huggingface.Safetensors;
import ai.epitome.model.huggingface.SafetensorsWriter.Item;
import ai.epitome.model.transformer.Dropout;
import ai.epitome.model.transformer.Sequences;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.tensor.StepArena;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.autograd.Parameter;
import ai.epitome.tensor.autograd.Tape;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.train.data.Batch;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;

/// Predicting the next token: a [Transformer] with its loss, the mean negative log-likelihood of the targets.
public final class LanguageModelling implements TrainedModel, Objective, AutoCloseable {
    private final Transformer model;
    private final Backend backend;
    private final float dropout;
    private final StepArena arena = new StepArena();

    /// @param dropout probability
    public LanguageModelling(Transformer model, Backend backend, float dropout) {
        this.model = model;
        this.backend = backend;
        this.dropout = dropout;
    }

    @Override
    public double accumulate(Batch batch, float weight, long seed) {
        arena.reset();
        Tape tape = new Tape(backend, arena, true);
        Sequences tokens = new Sequences(batch.inputs(), batch.rows(), batch.segmentStarts());
        float[] weights = new float[batch.targets().length];
        Arrays.fill(weights, weight);
        Tensor losses = model.tokenLosses(tape, tokens, batch.targets(), weights, new Dropout(dropout, seed)); // (N)
        double sum = 0;
        for (float loss : losses.toFloats()) {
            sum += loss;
        }
        tape.backward(tape.weightedSum(losses, weights));
        return sum;
    }

    @Override
    public List<Parameter> parameters() {
        return model.parameters();
    }

    @Override
    public List<Item> weights() {
        return ModelFolder.items(model);
    }

    @Override
    public void load(Safetensors file) throws IOException {
        ModelFolder.fill(model, file);
    }

    @Override
    public void close() {
        arena.close();
    }
}
