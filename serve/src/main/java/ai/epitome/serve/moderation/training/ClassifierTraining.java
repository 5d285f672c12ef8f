package ai.epitome.serve.moderation.training;

import ai.epitome.serve.moderation.Category;
import ai.epitome.serve.moderation.LinearClassifier;
import ai.epitome.serve.moderation.NgramFeatures;
import ai.epitome.serve.moderation.NgramFeatures.Window;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/// Learns a classifier of the texts that are not held out, for each category that enough of them are of.
///
/// Five regressions are learned of four fifths of the texts each; the scores that they give the fifth they
/// have not seen say how logits become probabilities (Platt's scaling) and from which score on to flag:
/// where precision and recall are best together. The regression that is kept learns from all of them.
public final class ClassifierTraining {
    /// With fewer texts of it a category is left to the word lists.
    private static final int FEWEST = 40;
    /// Nothing is flagged by a chance of less than one in five, and all that is likelier than not is.
    private static final double LOWEST_THRESHOLD = 0.2;
    private static final double HIGHEST_THRESHOLD = 0.5;
    private static final int NEWTON_STEPS = 50;

    private final List<LabelledText> texts;
    private final List<List<Window>> windows;

    private ClassifierTraining(List<LabelledText> texts) {
        this.texts = texts;
        this.windows =
                texts.stream().map(text -> NgramFeatures.windows(text.text())).toList();
    }

    /// @param all texts; those that are held out are left out
    /// @param told is told what becomes of each category
    public static LinearClassifier learn(List<LabelledText> all, Consumer<String> told) {
        var training = new ClassifierTraining(
                all.stream().filter(text -> !text.isHeldOut()).toList());
        List<LinearClassifier.Head> heads = new ArrayList<>();
        for (Category category : Category.values()) {
            long positives = training.texts.stream()
                    .filter(text -> text.categories().contains(category))
                    .count();
            if (positives < FEWEST) {
                told.accept("%s: %d texts, too few to learn from".formatted(category.word(), positives));
            } else {
                LinearClassifier.Head head = training.head(category);
                heads.add(head);
                told.accept("%s: %d of %d texts, flagged from %.2f on"
                        .formatted(category.word(), positives, training.texts.size(), head.threshold()));
            }
        }
        return new LinearClassifier(heads);
    }

    private LinearClassifier.Head head(Category category) {
        double[] logits = unseenLogits(category);
        boolean[] positive = new boolean[logits.length];
        for (int i = 0; i < positive.length; i++) {
            positive[i] = texts.get(i).categories().contains(category);
        }
        double[] line = scaling(logits, positive);
        double[] scores = Arrays.stream(logits)
                .map(logit -> LinearClassifier.sigmoid(line[0] * logit + line[1]))
                .toArray();
        LogisticRegression whole = learn(category, -1);
        double[] weights =
                Arrays.stream(whole.weights()).map(weight -> line[0] * weight).toArray();
        return LinearClassifier.Head.quantised(
                category, threshold(scores, positive), line[0] * whole.bias() + line[1], weights);
    }

    private double[] unseenLogits(Category category) {
        double[] logits = new double[texts.size()];
        for (int fold = 0; fold < LabelledText.folds(); fold++) {
            LogisticRegression regression = learn(category, fold);
            for (int i = 0; i < logits.length; i++) {
                if (texts.get(i).fold() == fold) {
                    logits[i] = windows.get(i).stream()
                            .mapToDouble(regression::logit)
                            .max()
                            .orElse(regression.bias());
                }
            }
        }
        return logits;
    }

    /// @param without the fold to leave out
    private LogisticRegression learn(Category category, int without) {
        List<Window> chosen = new ArrayList<>();
        List<Boolean> labels = new ArrayList<>();
        for (int i = 0; i < texts.size(); i++) {
            if (texts.get(i).fold() != without) {
                for (Window window : windows.get(i)) {
                    chosen.add(window);
                    labels.add(texts.get(i).categories().contains(category));
                }
            }
        }
        boolean[] positive = new boolean[labels.size()];
        for (int i = 0; i < positive.length; i++) {
            positive[i] = labels.get(i);
        }
        return LogisticRegression.learn(chosen, positive, NgramFeatures.places());
    }

    /// The slope and offset that make probabilities of logits: two-parameter logistic regression by
    /// Newton's method.
    private static double[] scaling(double[] logits, boolean[] positive) {
        double slope = 1;
        double offset = 0;
        for (int step = 0; step < NEWTON_STEPS; step++) {
            // A little pull to slope 1 and offset 0 keeps the equations solvable where classes are apart.
            double gradientSlope = 1e-3 * (slope - 1);
            double gradientOffset = 1e-3 * offset;
            double slopeSlope = 1e-3;
            double slopeOffset = 0;
            double offsetOffset = 1e-3;
            for (int i = 0; i < logits.length; i++) {
                double score = LinearClassifier.sigmoid(slope * logits[i] + offset);
                double error = score - (positive[i] ? 1 : 0);
                double curve = score * (1 - score);
                gradientSlope += error * logits[i];
                gradientOffset += error;
                slopeSlope += curve * logits[i] * logits[i];
                slopeOffset += curve * logits[i];
                offsetOffset += curve;
            }
            double determinant = slopeSlope * offsetOffset - slopeOffset * slopeOffset;
            slope -= (offsetOffset * gradientSlope - slopeOffset * gradientOffset) / determinant;
            offset -= (slopeSlope * gradientOffset - slopeOffset * gradientSlope) / determinant;
        }
        return new double[] {slope, offset};
    }

    /// Where F1 is highest, within bounds.
    private static double threshold(double[] scores, boolean[] positive) {
        int[] order = IntStream.range(0, scores.length)
                .boxed()
                .sorted(Comparator.comparingDouble(i -> -scores[i]))
                .mapToInt(Integer::intValue)
                .toArray();
        int positives = 0;
        for (boolean each : positive) {
            positives += each ? 1 : 0;
        }
        double best = 0;
        double threshold = HIGHEST_THRESHOLD;
        int right = 0;
        for (int i = 0; i < order.length; i++) {
            right += positive[order[i]] ? 1 : 0;
            double f1 = 2.0 * right / (i + 1 + positives);
            if (f1 > best) {
                best = f1;
                threshold = scores[order[i]];
            }
        }
        return Math.clamp(threshold, LOWEST_THRESHOLD, HIGHEST_THRESHOLD);
    }
}
