package ai.epitome.train.pretrain;

import ai.epitome.model.Dropout;
import ai.epitome.model.ModelFolder;
import ai.epitome.model.Safetensors;
import ai.epitome.model.SafetensorsWriter.Item;
import ai.epitome.model.Sequences;
import ai.epitome.model.Transformer;
import ai.epitome.tensor.Backend;
import ai.epitome.tensor.Parameter;
import ai.epitome.tensor.StepArena;
import ai.epitome.tensor.Tape;
import ai.epitome.tensor.Tensor;
import ai.epitome.train.Objective;
import ai.epitome.train.TrainedModel;
import ai.epitome.train.data.Batch;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;

/// A transformer as something to train: its weights for the trainer, and next-token prediction as the objective.
final class TransformerTraining implements TrainedModel, Objective, AutoCloseable {
    private final Transformer model;
    private final Backend backend;
    private final float dropout;
    private final StepArena arena = new StepArena();

    TransformerTraining(Transformer model, Backend backend, float dropout) {
        this.model = model;
        this.backend = backend;
        this.dropout = dropout;
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
    public double accumulate(Batch batch, float weight, long seed) {
        arena.reset();
        Tape tape = new Tape(backend, arena, true);
        Sequences tokens = new Sequences(batch.inputs(), batch.rows(), batch.segmentStarts());
        Tensor losses = model.tokenLosses(tape, tokens, batch.targets(), new Dropout(dropout, seed));
        float[] weights = new float[batch.inputs().length];
        Arrays.fill(weights, weight);
        Tensor loss = tape.weightedSum(losses, weights);
        return weight == 0 ? 0 : tape.backward(loss) / (double) weight;
    }

    @Override
    public void close() {
        arena.close();
    }
}
