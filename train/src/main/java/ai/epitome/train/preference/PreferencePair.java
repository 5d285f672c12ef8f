package ai.epitome.train.preference;

import ai.epitome.train.data.Example;
import java.util.Arrays;
import java.util.List;

/// Two answers in tokens, each behind the same context; learned are the tokens of the answers.
///
/// @param chosen the better one
/// @param rejected the other one
public record PreferencePair(Example chosen, Example rejected) {
    /// Both, the better one first.
    public List<Example> examples() {
        return List.of(chosen, rejected);
    }

    /// The tokens before the answers.
    int[] context() {
        int count = 0;
        while (count < chosen.learned().length && !chosen.learned()[count]) {
            count++;
        }
        return Arrays.copyOf(chosen.tokens(), count);
    }

    /// Whether there is still something to compare.
    boolean differs() {
        return chosen.learnedTokens() > 0
                && rejected.learnedTokens() > 0
                && !Arrays.equals(chosen.tokens(), rejected.tokens());
    }
}
