package ai.epitome.train;

import ai.epitome.train.data.Batch;

/// What training makes small.
@FunctionalInterface
public interface Objective {
    /// Adds the gradient of `weight` times the summed loss of the batch to the parameters' gradients.
    ///
    /// @param weight of each target: 1 / targets of the step, over all its batches
    /// @param seed of this pass, for dropout
    /// @return the summed loss, nats
    double accumulate(Batch batch, float weight, long seed);
}
