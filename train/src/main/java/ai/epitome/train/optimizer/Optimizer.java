package ai.epitome.train.optimizer;

import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.autograd.Parameter;
import java.util.List;
import java.util.SequencedMap;

/// Changes parameters along their gradients.
///
/// What an optimizer remembers is its tensors and the number of steps taken; putting both back continues it bit for
/// bit. Not thread-safe: one thread trains.
public sealed interface Optimizer permits AdamW, Muon, CombinedOptimizer, RememberingOptimizer {
    /// Takes one step with every parameter's gradient and sets the gradients to zero.
    ///
    /// @param gradientScale what gradients are multiplied by first: the clipping factor
    /// @param rateFactor what every learning rate is multiplied by: the schedule
    void step(float gradientScale, double rateFactor);

    /// The parameters that it changes, in a fixed order.
    List<Parameter> parameters();

    /// Everything that it remembers, f32, by a name that stays the same from run to run. Live memory, not a copy.
    SequencedMap<String, Tensor> state();

    /// Bytes of what it remembers.
    default long bytes() {
        return state().values().stream()
                .mapToLong(tensor -> tensor.size() * tensor.dtype().bytes())
                .sum();
    }

    /// Steps taken so far.
    long steps();

    /// Goes on as after `steps` steps; the caller has put the state back.
    void steps(long steps);
}
