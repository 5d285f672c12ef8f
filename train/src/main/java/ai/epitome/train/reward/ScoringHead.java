package ai.epitome.train.reward;

import ai.epitome.model.transformer.Dropout;
import ai.epitome.model.transformer.Sequences;
import ai.epitome.model.transformer.Transformer;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.autograd.Parameter;
import ai.epitome.tensor.autograd.Tape;
import java.lang.foreign.Arena;

/// One number for each token, from a model's last hidden states: `w · h` (Ziegler et al. 2019, section 2.1).
/// What stands behind a text's last token is what the model thinks of the text.
///
/// @param weight w, (1, C)
public record ScoringHead(Parameter weight) {
    /// What files call it: Hugging Face's models for classification of sequences do.
    public static final String NAME = "score.weight";

    /// A head of zeros: every text is as good as any other.
    ///
    /// @param arena holds it
    public static ScoringHead create(Arena arena, int width) {
        return new ScoringHead(new Parameter(arena, NAME, 1, width));
    }

    /// (N, 1) f32.
    public Tensor scores(Tape tape, Transformer model, Sequences tokens, Dropout dropout) {
        return tape.logits(model.hidden(tape, tokens, dropout), weight);
    }
}
