package ai.epitome.train.optimizer;

import ai.epitome.tensor.Workers;
import ai.epitome.tensor.autograd.Parameter;
import ai.epitome.tensor.optimizer.OptimizerKernels;
import java.util.List;

/// The Euclidean norm of all gradients together, and who is to blame when it is no number.
///
/// @param value the norm; NaN or infinite when some gradient is
/// @param notFinite the first parameter whose gradient holds a NaN or an infinity, or null
public record GradientNorm(double value, String notFinite) {
    /// PyTorch's guard against a division by zero in `clip_grad_norm_`.
    private static final double TINY = 1e-6;

    /// Measures the gradients; sums in fp64 in a fixed order, whatever the number of threads.
    public static GradientNorm of(List<Parameter> parameters, Workers workers) {
        double[] squares = new double[parameters.size()];
        String notFinite = null;
        for (int i = 0; i < squares.length; i++) {
            squares[i] = OptimizerKernels.sumOfSquares(parameters.get(i).gradient(), workers);
            if (notFinite == null && !Double.isFinite(squares[i])) {
                notFinite = parameters.get(i).name();
            }
        }
        return new GradientNorm(Math.sqrt(OptimizerKernels.treeSum(squares)), notFinite);
    }

    /// What gradients must be multiplied by so that their norm is at most `limit` (Pascanu et al. 2013).
    public float clipTo(double limit) {
        return (float) Math.min(1, limit / (value + TINY));
    }
}
