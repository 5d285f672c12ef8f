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

    /// Iterations whose mean is what the run began with.
    private static final int BEGINNING = 5;
    /// Weight of the newest iteration in the recent reward, which so has the noise of the mean of nine.
    private static final double WEIGHT = 0.2;
    /// Iterations in which rewards may stay fallen.
    private static final int PATIENCE = 5;
    /// Standard errors of the difference of those two means that make a fall.
    private static final double ERRORS = 3;

    private final Tensor numbers;
    private final int prompts;

    /// @param prompts of an iteration, whose answers tell how far means of rewards err
    PolicyState(Arena arena, double coefficient, int prompts) {
        this.prompts = prompts;
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
    /// @param deviation of the rewards of single answers
    /// @throws TrainingException if rewards have collapsed: for some iterations they were below those
    ///     at first by more than chance explains
    void observe(double mean, double deviation) {
        double seen = numbers.get(ITERATIONS) + 1;
        numbers.set(ITERATIONS, (float) seen);
        if (seen <= BEGINNING) {
            numbers.set(FIRST, (float) (numbers.get(FIRST) + (mean - numbers.get(FIRST)) / seen));
            numbers.set(DEVIATION, (float) (numbers.get(DEVIATION) + (deviation - numbers.get(DEVIATION)) / seen));
            numbers.set(RECENT, numbers.get(FIRST));
            return;
        }
        double recent = numbers.get(RECENT) + WEIGHT * (mean - numbers.get(RECENT));
        numbers.set(RECENT, (float) recent);
        double error = numbers.get(DEVIATION) * Math.sqrt((1.0 / BEGINNING + WEIGHT / (2 - WEIGHT)) / prompts);
        boolean fallen = recent < numbers.get(FIRST) - ERRORS * error;
        numbers.set(BELOW, fallen ? numbers.get(BELOW) + 1 : 0);
        if (numbers.get(BELOW) >= PATIENCE) {
            throw new TrainingException(String.format(
                    Locale.ROOT,
                    "the reward has collapsed: it began at %.4f and is at %.4f, which is lower by %.1f standard errors, for %d iterations now. Try a lower learning rate, a higher price of divergence (--kl), or more prompts (--ask); the last checkpoint is kept",
                    numbers.get(FIRST),
                    recent,
                    (numbers.get(FIRST) - recent) / error,
                    PATIENCE));
        }
    }
}
