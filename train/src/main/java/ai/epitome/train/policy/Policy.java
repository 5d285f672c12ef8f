package ai.epitome.train.policy;

import ai.epitome.model.huggingface.ModelFolder;
import ai.epitome.model.huggingface.Safetensors;
import ai.epitome.model.huggingface.SafetensorsWriter.Item;
import ai.epitome.model.transformer.Dropout;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.tensor.StepArena;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.autograd.Parameter;
import ai.epitome.tensor.autograd.Tape;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.train.TrainedModel;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/// A model that answers, and with PPO a head that tells what it expects of its answer at each token. The head is
/// trained beside the model, and kept in checkpoints alone.
///
/// @param model as it answers
/// @param valueHead (1, C)
record Policy(Transformer model, Optional<Parameter> valueHead) implements TrainedModel {
    /// Tokens that are computed side by side where nothing is learned.
    private static final int TOKENS_AT_ONCE = 8192;

    /// What a model thinks of answers, token by token.
    record Opinion(List<double[]> logProbabilities, List<double[]> values) {}

    /// What `model` thinks of answers that are there already; values are 0 without a head.
    static Opinion opinion(
            Transformer model, Optional<Parameter> head, List<Reply> replies, Backend backend, StepArena arena) {
        Opinion all = new Opinion(new ArrayList<>(), new ArrayList<>());
        int longest = replies.stream()
                .mapToInt(reply -> reply.sequence().length)
                .max()
                .orElse(1);
        int rows = Math.max(1, TOKENS_AT_ONCE / longest);
        ReentrantLock turn = backend.workers().turn();
        for (int from = 0; from < replies.size(); from += rows) {
            ReplyRows some = ReplyRows.of(replies.subList(from, Math.min(replies.size(), from + rows)));
            turn.lock();
            try {
                arena.reset();
                Tape tape = new Tape(backend, arena, false);
                Tensor hidden = model.hidden(tape, some.sequences(), Dropout.NONE);
                float[] losses = tape.tokenLosses(
                                hidden, model.head(), some.batch().targets())
                        .toFloats();
                all.logProbabilities.addAll(List.of(some.ofAnswers(losses, true)));
                float[] values =
                        head.isPresent() ? tape.logits(hidden, head.get()).toFloats() : new float[losses.length];
                all.values.addAll(List.of(some.ofAnswers(values, false)));
            } finally {
                turn.unlock();
            }
        }
        return all;
    }

    @Override
    public List<Parameter> parameters() {
        List<Parameter> all = new ArrayList<>(model.parameters());
        valueHead.ifPresent(all::add);
        return all;
    }

    @Override
    public List<Item> weights() {
        return ModelFolder.items(model);
    }

    @Override
    public void load(Safetensors file) throws IOException {
        ModelFolder.fill(model, file);
    }
}
