package ai.epitome.train.reward;

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
import ai.epitome.train.Objective;
import ai.epitome.train.TrainedModel;
import ai.epitome.train.data.Batch;
import ai.epitome.train.preference.PairLoss;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/// Learning to judge: the loss of a batch is the mean over its records of [Judged#loss].
final class RewardLearning implements TrainedModel, Objective, AutoCloseable {
    private final Transformer model;
    private final ScoringHead head;
    private final List<Judged> train;
    private final Backend backend;
    private final float dropout;
    private final int accumulation;
    private final StepArena arena = new StepArena();

    /// @param train the records that batches name
    /// @param accumulation batches of a step
    RewardLearning(
            Transformer model, ScoringHead head, List<Judged> train, Backend backend, float dropout, int accumulation) {
        this.model = model;
        this.head = head;
        this.train = train;
        this.backend = backend;
        this.dropout = dropout;
        this.accumulation = accumulation;
    }

    /// @param weight of a token, which does not matter here: every record counts alike
    /// @return the mean loss of a record, times the tokens: the trainer divides by them
    @Override
    public double accumulate(Batch batch, float weight, long seed) {
        arena.reset();
        Tape tape = new Tape(backend, arena, true);
        Sequences tokens = new Sequences(batch.inputs(), batch.rows(), batch.segmentStarts());
        Tensor scores = head.scores(tape, model, tokens, new Dropout(dropout, seed)); // (N, 1)
        float[] values = scores.toFloats();
        float[] slopes = new float[values.length];
        int texts = train.getFirst().texts().size();
        int records = batch.rows() / texts;
        double sum = 0;
        for (int row = 0; row < batch.rows(); row += texts) {
            Judged judged = train.get(batch.records()[row]);
            double[] own = new double[texts];
            for (int i = 0; i < texts; i++) {
                own[i] = values[end(batch, row + i, judged, i)];
            }
            PairLoss loss = judged.loss(own);
            sum += loss.loss();
            for (int i = 0; i < texts; i++) {
                slopes[end(batch, row + i, judged, i)] = (float) (judged.slope(loss, i) / records / accumulation);
            }
        }
        tape.backward(tape.weightedSum(scores, slopes));
        return sum / records * batch.targetCount();
    }

    /// Where the last token of a text stands.
    private static int end(Batch batch, int row, Judged judged, int text) {
        return row * batch.length() + judged.texts().get(text).tokens().length - 1;
    }

    @Override
    public List<Parameter> parameters() {
        List<Parameter> all = new ArrayList<>(model.parameters());
        all.add(head.weight());
        return all;
    }

    @Override
    public List<Item> weights() {
        List<Item> items = new ArrayList<>(ModelFolder.items(model));
        items.add(Item.of(ScoringHead.NAME, head.weight().value()));
        return items;
    }

    @Override
    public void load(Safetensors file) throws IOException {
        ModelFolder.fill(model, file, Set.of(ScoringHead.NAME));
        RewardModel.fill(head, file);
    }

    @Override
    public void close() {
        arena.close();
    }
}
