package ai.epitome.train.optimizer;

import ai.epitome.tensor.DType;
import ai.epitome.tensor.Tensor;
import ai.epitome.tensor.Workers;
import ai.epitome.tensor.autograd.Parameter;
import ai.epitome.tensor.optimizer.OptimizerKernels;
import ai.epitome.tensor.optimizer.OptimizerKernels.AdamWStep;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/// Adam with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2), in the order of operations of
/// `torch.optim.AdamW`: decay, moments, bias corrections, step.
public final class AdamW implements Optimizer {
    /// Parameters that share a learning rate and a weight decay.
    ///
    /// @param parameters in a fixed order
    /// @param learningRate at a schedule factor of 1
    /// @param weightDecay part of a weight that a step at learning rate 1 takes away
    public record Group(List<Parameter> parameters, double learningRate, double weightDecay) {
        public Group {
            parameters = List.copyOf(parameters);
            Settings.requireRates(learningRate, weightDecay);
        }
    }

    /// @param beta1 decay of the mean of gradients
    /// @param beta2 decay of the mean of their squares
    /// @param epsilon added to the root of the mean square
    public record Settings(double beta1, double beta2, double epsilon) {
        /// What language models are usually trained with.
        public static final Settings USUAL = new Settings(0.9, 0.95, 1e-8);

        public Settings {
            if (!(beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1 && epsilon > 0)) {
                throw new IllegalArgumentException(
                        "AdamW needs betas from 0 up to below 1 and an epsilon above 0, not %s, %s and %s"
                                .formatted(beta1, beta2, epsilon));
            }
        }

        static void requireRates(double learningRate, double weightDecay) {
            if (!(learningRate >= 0 && weightDecay >= 0 && Double.isFinite(learningRate + weightDecay))) {
                throw new IllegalArgumentException("learning rate and weight decay must be at least 0, not %s and %s"
                        .formatted(learningRate, weightDecay));
            }
        }
    }

    private record Moments(Parameter parameter, Tensor mean, Tensor square, Group group) {}

    private final Settings settings;
    private final Workers workers;
    private final List<Moments> all = new ArrayList<>();
    private long steps;

    /// State is allocated in `arena`, zero.
    public AdamW(List<Group> groups, Settings settings, Arena arena, Workers workers) {
        this.settings = settings;
        this.workers = workers;
        for (Group group : groups) {
            for (Parameter parameter : group.parameters()) {
                int[] shape = parameter.value().shape();
                all.add(new Moments(
                        parameter,
                        Tensor.zeros(arena, DType.F32, shape),
                        Tensor.zeros(arena, DType.F32, shape),
                        group));
            }
        }
    }

    @Override
    public void step(float gradientScale, double rateFactor) {
        steps++;
        double correction1 = 1 - Math.pow(settings.beta1, steps);
        double correction2 = 1 - Math.pow(settings.beta2, steps);
        for (Moments one : all) {
            double rate = one.group.learningRate * rateFactor;
            AdamWStep step = new AdamWStep(
                    gradientScale,
                    (float) (1 - rate * one.group.weightDecay),
                    (float) settings.beta1,
                    (float) settings.beta2,
                    (float) (rate / correction1),
                    (float) (1 / Math.sqrt(correction2)),
                    (float) settings.epsilon);
            Parameter parameter = one.parameter;
            OptimizerKernels.adamW(parameter.value(), parameter.gradient(), one.mean, one.square, step, workers);
            parameter.changed();
        }
    }

    @Override
    public List<Parameter> parameters() {
        return all.stream().map(Moments::parameter).toList();
    }

    @Override
    public SequencedMap<String, Tensor> state() {
        SequencedMap<String, Tensor> state = new LinkedHashMap<>();
        for (Moments one : all) {
            state.put("adamw.mean." + one.parameter.name(), one.mean);
            state.put("adamw.square." + one.parameter.name(), one.square);
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
