package ai.epitome.train;

import ai.epitome.train.data.Batch;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import java.util.function.BooleanSupplier;
import java.util.function.LongFunction;
import java.util.function.Supplier;

/// What a run works on.
///
/// @param model whose weights change
/// @param objective what is made small
/// @param batches rows of data from a cursor on; see [ai.epitome.train.data.BatchStream#batch]
/// @param dataHash stands for the data and how rows are made of them; a checkpoint goes on with the same only
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
        /// @param last whether this is the score that the run ends with; otherwise a fair impression is enough
        /// @param cancelled asked now and then
        /// @throws java.util.concurrent.CancellationException if it was cancelled
        Score score(boolean last, BooleanSupplier cancelled);
    }

    /// What held-out text costs, or what else was measured on held-out data.
    ///
    /// @param bitsPerByte bits for each byte of it; NaN where that is not what is learned
    /// @param bytes how many bytes were scored
    /// @param whole whether those are all that are held out
    /// @param measures by name, in the order to tell them
    public record Score(double bitsPerByte, long bytes, boolean whole, SequencedMap<String, Double> measures) {
        /// The price of a text.
        public Score(double bitsPerByte, long bytes, boolean whole) {
            this(bitsPerByte, bytes, whole, new LinkedHashMap<>());
        }

        /// Something else than the price of a text.
        public static Score of(SequencedMap<String, Double> measures, boolean whole) {
            return new Score(Double.NaN, 0, whole, measures);
        }
    }

    /// A job without evaluation, samples and companions.
    public TrainingJob(TrainedModel model, Objective objective, LongFunction<Batch> batches, String dataHash) {
        this(model, objective, batches, dataHash, null, null, new LinkedHashMap<>());
    }
}
