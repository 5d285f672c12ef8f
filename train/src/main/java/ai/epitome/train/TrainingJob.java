package ai.epitome.train;

import ai.epitome.train.data.Batch;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import java.util.function.LongFunction;
import java.util.function.Supplier;

/// What a run works on.
///
/// @param model whose weights change
/// @param objective what is made small
/// @param batches rows of data from a cursor on; see [ai.epitome.train.data.BatchStream#batch]
/// @param dataHash stands for the data and their order; a checkpoint goes on with the same only
/// @param evaluation scores held-out text, or null
/// @param sampler lets the model write something, or null; asked after each evaluation
/// @param companions files of the model's folder besides weights, by name
public record TrainingJob(
        TrainedModel model,
        Objective objective,
        LongFunction<Batch> batches,
        String dataHash,
        Evaluation evaluation,
        Supplier<String> sampler,
        SequencedMap<String, byte[]> companions) {
    /// Scores held-out text with the weights as they are.
    @FunctionalInterface
    public interface Evaluation {
        /// @param whole all of the text, or as much as gives a fair impression
        /// @return bits a byte
        double bitsPerByte(boolean whole);
    }

    /// A job without evaluation, samples and companions.
    public TrainingJob(TrainedModel model, Objective objective, LongFunction<Batch> batches, String dataHash) {
        this(model, objective, batches, dataHash, null, null, new LinkedHashMap<>());
    }
}
