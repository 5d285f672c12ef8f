package ai.epitome.train.reward;

import ai.epitome.train.data.Example;
import ai.epitome.train.preference.PairLoss;
import java.util.Arrays;
import java.util.List;

/// A judgement to learn: one text with a label, or two of which the first is better.
///
/// @param texts one or two; all their tokens are read
/// @param positive the label; of two texts always true
record Judged(List<Example> texts, boolean positive) {
    /// A text that has the label or lacks it.
    static Judged labelled(int[] tokens, boolean positive) {
        return new Judged(List.of(read(tokens)), positive);
    }

    /// A comparison.
    static Judged pair(int[] better, int[] worse) {
        return new Judged(List.of(read(better), read(worse)), true);
    }

    private static Example read(int[] tokens) {
        boolean[] all = new boolean[tokens.length];
        Arrays.fill(all, true);
        return new Example(tokens, all);
    }

    /// What the scores of the texts cost. A label is a comparison with a text of score 0.
    ///
    /// @param scores of each text
    /// @return its `chosen` belongs to the first text of a pair, `rejected` to the second; of a label see [#slope]
    PairLoss loss(double[] scores) {
        if (texts.size() == 2) {
            return PairLoss.ofRewards(scores[0], scores[1]);
        }
        return positive ? PairLoss.ofRewards(scores[0], 0) : PairLoss.ofRewards(0, scores[0]);
    }

    /// The derivative of a loss by the score of a text.
    double slope(PairLoss loss, int text) {
        boolean first = texts.size() == 2 ? text == 0 : positive;
        return first ? loss.chosen() : loss.rejected();
    }

    /// The probability that the scores give to this judgement.
    double probability(double[] scores) {
        return Math.exp(-loss(scores).loss());
    }
}
