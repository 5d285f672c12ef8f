package ai.epitome.train.reward;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Whether a judge that says "80 %" is right in 80 of 100 cases (Guo et al. 2017, "On Calibration of Modern Neural
/// Networks", section 2).
///
/// @param bins judgements by how sure they were, from 50 % on
record Calibration(List<Bin> bins) {
    private static final int BINS = 5;

    /// @param count judgements
    /// @param sure mean probability that they gave to their own choice
    /// @param right part of them that was right
    record Bin(long count, double sure, double right) {}

    /// @param probabilities that were given to what is true
    static Calibration of(double[] probabilities) {
        long[] counts = new long[BINS];
        double[] sure = new double[BINS];
        double[] right = new double[BINS];
        for (double probability : probabilities) {
            double own = Math.max(probability, 1 - probability);
            int bin = Math.min(BINS - 1, (int) ((own - 0.5) * 2 * BINS));
            counts[bin]++;
            sure[bin] += own;
            right[bin] += probability > 0.5 ? 1 : probability == 0.5 ? 0.5 : 0;
        }
        List<Bin> bins = new ArrayList<>();
        for (int i = 0; i < BINS; i++) {
            double count = Math.max(1, counts[i]);
            bins.add(new Bin(counts[i], sure[i] / count, right[i] / count));
        }
        return new Calibration(bins);
    }

    /// Part of all judgements that was right; a tie is half right.
    double accuracy() {
        return mean(bin -> bin.right);
    }

    /// By how much sureness and truth differ, in the mean (expected calibration error).
    double error() {
        return mean(bin -> Math.abs(bin.sure - bin.right));
    }

    private double mean(java.util.function.ToDoubleFunction<Bin> of) {
        double sum = 0;
        long count = 0;
        for (Bin bin : bins) {
            sum += bin.count * of.applyAsDouble(bin);
            count += bin.count;
        }
        return count == 0 ? Double.NaN : sum / count;
    }

    /// As a report's lines.
    Map<String, String> lines() {
        Map<String, String> lines = new LinkedHashMap<>();
        for (int i = 0; i < bins.size(); i++) {
            Bin bin = bins.get(i);
            String name = "held out, %d to %d %% sure".formatted(50 + 10 * i, 60 + 10 * i);
            lines.put(
                    name,
                    bin.count == 0
                            ? "never"
                            : String.format(
                                    Locale.ROOT,
                                    "%,d times, %.1f %% sure in the mean, right in %.1f %%",
                                    bin.count,
                                    100 * bin.sure,
                                    100 * bin.right));
        }
        return lines;
    }
}
