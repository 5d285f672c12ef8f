package ai.epitome.serve.moderation.training;

import java.util.Comparator;
import java.util.List;

/// How well scores say which texts are positive.
///
/// @param texts how many there are
/// @param positives how many of them are positive
/// @param flagged how many are flagged
/// @param precision share of flagged texts that are positive; NaN when none is flagged
/// @param recall share of positive texts that are flagged
/// @param f1 the harmonic mean of the two
/// @param auc the chance that a positive text has a higher score than another (area under the ROC curve)
/// @param brier mean squared distance of scores from 0 or 1
/// @param calibrationError by how much scores are off from shares of positives, in ten bins, weighed by
/// their texts
public record Evaluation(
        int texts,
        int positives,
        int flagged,
        double precision,
        double recall,
        double f1,
        double auc,
        double brier,
        double calibrationError) {
    private static final int BINS = 10;

    /// @param flagged by score alone or otherwise
    public record Judged(double score, boolean flagged, boolean positive) {}

    /// Measures judgements; what cannot be said, for want of positives, is NaN.
    public static Evaluation of(List<Judged> judged) {
        long positives = judged.stream().filter(Judged::positive).count();
        long flagged = judged.stream().filter(Judged::flagged).count();
        long right = judged.stream()
                .filter(each -> each.flagged() && each.positive())
                .count();
        double brier = judged.stream()
                .mapToDouble(each -> Math.pow(each.score() - (each.positive() ? 1 : 0), 2))
                .average()
                .orElse(Double.NaN);
        return new Evaluation(
                judged.size(),
                (int) positives,
                (int) flagged,
                (double) right / flagged,
                (double) right / positives,
                2.0 * right / (flagged + positives),
                auc(judged, positives),
                brier,
                calibrationError(judged));
    }

    /// Mann and Whitney's statistic; equal scores share their ranks.
    private static double auc(List<Judged> judged, long positives) {
        List<Judged> sorted = judged.stream()
                .sorted(Comparator.comparingDouble(Judged::score))
                .toList();
        double ranks = 0;
        for (int from = 0; from < sorted.size(); ) {
            int to = from;
            int equal = 0;
            while (to < sorted.size()
                    && sorted.get(to).score() == sorted.get(from).score()) {
                equal += sorted.get(to++).positive() ? 1 : 0;
            }
            ranks += equal * (from + 1 + to) / 2.0;
            from = to;
        }
        long negatives = judged.size() - positives;
        return (ranks - positives * (positives + 1) / 2.0) / ((double) positives * negatives);
    }

    private static double calibrationError(List<Judged> judged) {
        double[] scores = new double[BINS];
        int[] positives = new int[BINS];
        for (Judged each : judged) {
            int bin = Math.min(BINS - 1, (int) (each.score() * BINS));
            scores[bin] += each.score();
            positives[bin] += each.positive() ? 1 : 0;
        }
        double off = 0;
        for (int bin = 0; bin < BINS; bin++) {
            off += Math.abs(scores[bin] - positives[bin]);
        }
        return off / judged.size();
    }
}
