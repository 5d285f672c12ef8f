package ai.epitome.model.generation;

/// Logits to natural logarithms of probabilities.
public final class LogProbabilities {
    private LogProbabilities() {}

    /// `logits - log(sum(exp(logits)))`, in double precision inside.
    public static float[] of(float[] logits) {
        double normalizer = logSumExp(logits);
        float[] result = new float[logits.length];
        for (int i = 0; i < logits.length; i++) {
            result[i] = (float) (logits[i] - normalizer);
        }
        return result;
    }

    /// `log(sum(exp(logits)))`.
    static double logSumExp(float[] logits) {
        float maximum = Float.NEGATIVE_INFINITY;
        for (float logit : logits) {
            maximum = Math.max(maximum, logit);
        }
        double sum = 0;
        for (float logit : logits) {
            sum += Math.exp(logit - maximum);
        }
        return maximum + Math.log(sum);
    }
}
