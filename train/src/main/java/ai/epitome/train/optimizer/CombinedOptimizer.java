package ai.epitome.train.optimizer;

import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.autograd.Parameter;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.Set;

/// Several optimizers, each for parameters of its own: Muon for hidden matrices and AdamW for the rest, say.
public final class CombinedOptimizer implements Optimizer {
    private final List<Optimizer> parts;

    /// @throws IllegalArgumentException if two of them would change one parameter
    public CombinedOptimizer(List<Optimizer> parts) {
        this.parts = List.copyOf(parts);
        Set<Parameter> seen = new HashSet<>();
        for (Parameter parameter : parameters()) {
            if (!seen.add(parameter)) {
                throw new IllegalArgumentException("two optimizers would change " + parameter.name());
            }
        }
    }

    @Override
    public void step(float gradientScale, double rateFactor) {
        parts.forEach(part -> part.step(gradientScale, rateFactor));
    }

    @Override
    public List<Parameter> parameters() {
        return parts.stream().flatMap(part -> part.parameters().stream()).toList();
    }

    @Override
    public SequencedMap<String, Tensor> state() {
        SequencedMap<String, Tensor> state = new LinkedHashMap<>();
        parts.forEach(part -> state.putAll(part.state()));
        return state;
    }

    @Override
    public long steps() {
        return parts.isEmpty() ? 0 : parts.getFirst().steps();
    }

    @Override
    public void steps(long steps) {
        parts.forEach(part -> part.steps(steps));
    }
}
