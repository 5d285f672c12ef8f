package ai.epitome.train;

import ai.epitome.train.data.Batch;
import java.util.LinkedHashMap;
import java.util.SequencedMap;

/// What training makes small.
@FunctionalInterface
public interface Objective {
    /// Adds the gradient of `weight` times the summed loss of the batch to the parameters' gradients.
    ///
    /// @param weight of each target: 1 / targets of the step, over all its batches
    /// @param seed of this pass, for dropout
    /// @return the summed loss, nats
    double accumulate(Batch batch, float weight, long seed);

    /// Before a step, while others may compute: what has to be sampled for it, say.
    ///
    /// @param cursor of the step's first batch
    default void prepare(long cursor) {}

    /// Steps that belong together: a run saves, scores and stops only between them.
    default int together() {
        return 1;
    }

    /// What there is to tell of the step that was taken last, besides its loss.
    default SequencedMap<String, Double> measures() {
        return new LinkedHashMap<>();
    }
}
