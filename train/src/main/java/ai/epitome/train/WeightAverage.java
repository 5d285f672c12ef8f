package ai.epitome.train;

import ai.epitome.tensor.DType;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.Workers;
import ai.epitome.tensor.autograd.Parameter;
import ai.epitome.tensor.optimizer.OptimizerKernels;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/// An exponential moving average of the weights, which scores better than the weights themselves while the learning
/// rate is high (Polyak and Juditsky 1992; Morales-Brotons et al. 2024).
final class WeightAverage {
    /// What names of averaged tensors begin with.
    static final String IN_TRAINING = "weights.";

    private static final int PIECE = 1 << 16;

    private final SequencedMap<Parameter, Tensor> averages = new LinkedHashMap<>();
    private final double decay;
    private final Workers workers;

    WeightAverage(List<Parameter> parameters, double decay, Arena arena, Workers workers) {
        this.decay = decay;
        this.workers = workers;
        for (Parameter parameter : parameters) {
            Tensor average = Tensor.zeros(arena, DType.F32, parameter.value().shape());
            average.data().copyFrom(parameter.value().data());
            averages.put(parameter, average);
        }
    }

    /// Takes in the weights after step number `step`, from 1. Early on the average is short, so that it forgets the
    /// weights that a model starts with.
    void update(long step) {
        double now = Math.min(decay, (step + 1.0) / (step + 10.0));
        averages.forEach((parameter, average) ->
                OptimizerKernels.average(average, parameter.value(), (float) (1 - now), workers));
    }

    /// Exchanges the weights and their average; a second call restores them.
    void swap() {
        MemorySegment piece = MemorySegment.ofArray(new byte[PIECE]);
        for (Map.Entry<Parameter, Tensor> entry : averages.entrySet()) {
            MemorySegment a = entry.getKey().value().data();
            MemorySegment b = entry.getValue().data();
            for (long from = 0; from < a.byteSize(); from += PIECE) {
                long size = Math.min(PIECE, a.byteSize() - from);
                MemorySegment.copy(a, from, piece, 0, size);
                MemorySegment.copy(b, from, a, from, size);
                MemorySegment.copy(piece, 0, b, from, size);
            }
            entry.getKey().changed();
        }
    }

    /// The memory that is not in use as weights, by name.
    SequencedMap<String, Tensor> state() {
        SequencedMap<String, Tensor> state = new LinkedHashMap<>();
        averages.forEach((parameter, tensor) -> state.put(IN_TRAINING + parameter.name(), tensor));
        return state;
    }
}
