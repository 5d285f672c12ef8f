package ai.epitome.train.optimizer;

import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.autograd.Parameter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/// An optimizer, and what else a run has to remember to go on: weights that are no part of the model, say.
///
/// @param inner changes the parameters
/// @param more f32, by names of their own
public record RememberingOptimizer(Optimizer inner, SequencedMap<String, Tensor> more) implements Optimizer {
    @Override
    public void step(float gradientScale, double rateFactor) {
        inner.step(gradientScale, rateFactor);
    }

    @Override
    public List<Parameter> parameters() {
        return inner.parameters();
    }

    @Override
    public SequencedMap<String, Tensor> state() {
        SequencedMap<String, Tensor> all = new LinkedHashMap<>(inner.state());
        all.putAll(more);
        return all;
    }

    @Override
    public long steps() {
        return inner.steps();
    }

    @Override
    public void steps(long steps) {
        inner.steps(steps);
    }
}
