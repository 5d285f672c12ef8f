package ai.epitome.train.policy;

import ai.epitome.tensor.DType;
import ai.epitome.tensor.Tensor;
import ai.epitome.train.TrainingException;
import java.lang.foreign.Arena;
import java.util.Locale;

/// What a run remembers from iteration to iteration besides weights: the price of divergence, and how rewards went. In
/// a tensor, which checkpoints keep.
final class PolicyState {
    private static final int COEFFICIENT = 0;
    private static final int ITERATIONS = 1;
    private static final int FIRST = 2;
    private static final int DEVIATION = 3;
    private static final int RECENT = 4;
    private static final int BELOW = 5;
    private static final int NUMBERS = 6;

    /// Weight of the newest iteration in the recent reward.
    private static final double WEIGHT = 0.2;
    /// Iterations in which rewards may stay fallen.
    private static final int PATIENCE = 5;

    private final Tensor numbers;

    PolicyState(Arena arena, double coefficient) {
        numbers = Tensor.zeros(arena, DType.F32, NUMBERS);
        coefficient(coefficient);
    }

    Tensor tensor() {
        return numbers;
    }

    double coefficient() {
        return numbers.get(COEFFICIENT);
    }

    void coefficient(double value) {
        numbers.set(COEFFICIENT, (float) value);
    }

    /// Notes an iteration's rewards.
    ///
    /// @throws TrainingException if rewards have collapsed: for some iterations they were lower than at first by
    ///     more than the first differ
    void observe(double mean, double deviation) {
        if (numbers.get(ITERATIONS) == 0) {
            numbers.set(FIRST, (float) mean);
            numbers.set(DEVIATION, (float) deviation);
            numbers.set(RECENT, (float) mean);
        }
        numbers.set(ITERATIONS, numbers.get(ITERATIONS) + 1);
        double recent = numbers.get(RECENT) + WEIGHT * (mean - numbers.get(RECENT));
        numbers.set(RECENT, (float) recent);
        boolean fallen = recent < numbers.get(FIRST) - numbers.get(DEVIATION);
        numbers.set(BELOW, fallen ? numbers.get(BELOW) + 1 : 0);
        if (numbers.get(BELOW) >= PATIENCE) {
            throw new TrainingException(String.format(
                    Locale.ROOT,
                    "the reward has collapsed: it began at %.4f (deviation %.4f), and is at %.4f for %d iterations now. Try a lower learning rate, a higher price of divergence (--kl), or fewer epochs; the last checkpoint is kept",
                    numbers.get(FIRST),
                    numbers.get(DEVIATION),
                    recent,
                    PATIENCE));
        }
    }
}
