package ai.epitome.train.optimizer;

import ai.epitome.tensor.DType;
import ai.epitome.tensor.Scratch;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.autograd.Parameter;
import ai.epitome.tensor.backend.Backend;
import ai.epitome.tensor.optimizer.NewtonSchulz;
import ai.epitome.tensor.optimizer.OptimizerKernels;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/// Muon (Keller Jordan et al. 2024): momentum whose update is replaced by the nearest orthogonal matrix, so that every
/// direction of a weight matrix moves equally far. For matrices between hidden layers; embeddings, heads and vectors
/// belong to [AdamW].
///
/// A parameter may hold several matrices above one another (query, key and value; gate and up); each part is
/// orthogonalised by itself. Small parts are done whole, one a thread, the largest first; a part that would keep one
/// thread busy after the others have ended is done by all threads together.
public final class Muon implements Optimizer {
    /// How the length of an orthogonal update depends on the shape of its matrix.
    public enum Scale {
        /// `sqrt(max(1, rows / columns))`: equal change of outputs, for learning rates about 0.02 (Jordan).
        SPECTRAL,
        /// `0.2 sqrt(max(rows, columns))`: elements as large as AdamW's, for AdamW's learning rates (Liu et al. 2025).
        ADAMW_LIKE
    }

    /// One parameter and the matrices in it.
    ///
    /// @param parameter with two dimensions
    /// @param partRows rows of each part from the top; their sum is the parameter's
    public record Matrices(Parameter parameter, List<Integer> partRows) {
        public Matrices {
            partRows = List.copyOf(partRows);
            int rows = partRows.stream().mapToInt(Integer::intValue).sum();
            int[] shape = parameter.value().shape();
            if (shape.length != 2 || rows != shape[0] || partRows.stream().anyMatch(part -> part < 1)) {
                throw new IllegalArgumentException("Muon cannot cut %s of shape %s into parts of %s rows"
                        .formatted(parameter.name(), Arrays.toString(shape), partRows));
            }
        }
    }

    /// @param learningRate at a schedule factor of 1
    /// @param weightDecay part of a weight that a step at learning rate 1 takes away
    /// @param momentum decay of the mean of gradients
    /// @param nesterov whether the step looks ahead by one more momentum
    /// @param scale see [Scale]
    public record Settings(double learningRate, double weightDecay, double momentum, boolean nesterov, Scale scale) {
        public Settings {
            AdamW.Settings.requireRates(learningRate, weightDecay);
            if (!(momentum >= 0 && momentum < 1)) {
                throw new IllegalArgumentException("momentum must be from 0 up to below 1, not " + momentum);
            }
        }
    }

    private record Momentum(Matrices matrices, Tensor tensor) {
        Parameter parameter() {
            return matrices.parameter;
        }
    }

    /// Rows of a parameter that form one matrix, seen as value and as update.
    private record Part(Tensor value, Tensor update) {
        double cost() {
            return NewtonSchulz.cost(value.rows(), value.columns());
        }
    }

    private final Settings settings;
    private final Backend backend;
    private final List<Momentum> all = new ArrayList<>();
    /// Done one a thread, in this order: by falling cost.
    private final List<Part> small = new ArrayList<>();
    /// Done one after another by all threads.
    private final List<Part> large = new ArrayList<>();
    private final Scratch scratch = new Scratch();
    private long steps;

    /// State is allocated in `arena`, zero.
    public Muon(List<Matrices> parameters, Settings settings, Arena arena, Backend backend) {
        this.settings = settings;
        this.backend = backend;
        for (Matrices matrices : parameters) {
            all.add(new Momentum(
                    matrices,
                    Tensor.zeros(arena, DType.F32, matrices.parameter.value().shape())));
        }
        List<Part> parts = new ArrayList<>();
        for (Matrices matrices : parameters) {
            int from = 0;
            for (int rows : matrices.partRows) {
                Parameter parameter = matrices.parameter;
                parts.add(new Part(
                        parameter.value().slice(from, from + rows),
                        parameter.gradient().slice(from, from + rows)));
                from += rows;
            }
        }
        parts.sort(Comparator.comparingDouble(Part::cost).reversed());
        double total = parts.stream().mapToDouble(Part::cost).sum();
        int threads = backend.workers().count();
        for (Part part : parts) {
            // With half a thread's share or less as the largest piece, threads end within a few per cent.
            (threads > 1 && part.cost() > total / (2 * threads) ? large : small).add(part);
        }
    }

    @Override
    public void step(float gradientScale, double rateFactor) {
        steps++;
        for (Momentum one : all) {
            OptimizerKernels.momentum(
                    one.parameter().gradient(),
                    one.tensor,
                    gradientScale,
                    (float) settings.momentum,
                    settings.nesterov,
                    backend.workers());
        }
        for (Part part : large) {
            NewtonSchulz.orthogonalise(part.update, backend, true, scratch);
        }
        backend.workers()
                .run(
                        small.size(),
                        (task, own) -> NewtonSchulz.orthogonalise(small.get(task).update, backend, false, own));
        double rate = settings.learningRate * rateFactor;
        for (List<Part> parts : List.of(large, small)) {
            for (Part part : parts) {
                OptimizerKernels.apply(
                        part.value,
                        part.update,
                        (float) (1 - rate * settings.weightDecay),
                        (float) (rate * scale(part.value.rows(), part.value.columns())),
                        backend.workers());
            }
        }
        all.forEach(one -> one.parameter().changed());
    }

    private double scale(int rows, int columns) {
        return switch (settings.scale) {
            case SPECTRAL -> Math.sqrt(Math.max(1, rows / (double) columns));
            case ADAMW_LIKE -> 0.2 * Math.sqrt(Math.max(rows, columns));
        };
    }

    @Override
    public List<Parameter> parameters() {
        return all.stream().map(Momentum::parameter).toList();
    }

    @Override
    public SequencedMap<String, Tensor> state() {
        SequencedMap<String, Tensor> state = new LinkedHashMap<>();
        for (Momentum one : all) {
            state.put("muon.momentum." + one.parameter().name(), one.tensor);
        }
        return state;
    }

    @Override
    public long steps() {
        return steps;
    }

    @Override
    public void steps(long steps) {
        this.steps = steps;
    }
}
