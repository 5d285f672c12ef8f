package ai.epitome.train.data;

import java.util.Arrays;

/// A text in tokens, of which some are to be learned and the others only read.
///
/// @param tokens at least two
/// @param learned for each token whether it is to be predicted; the first never is
public record Example(int[] tokens, boolean[] learned) {
    public Example {
        if (tokens.length < 2 || learned.length != tokens.length) {
            throw new IllegalArgumentException("an example needs two tokens and as many marks, not %d and %d"
                    .formatted(tokens.length, learned.length));
        }
    }

    /// The first tokens, at most `most`.
    public Example beginning(int most) {
        int kept = Math.min(most, tokens.length);
        return new Example(Arrays.copyOf(tokens, kept), Arrays.copyOf(learned, kept));
    }

    /// How many tokens are predicted.
    public int learnedTokens() {
        int count = 0;
        for (int i = 1; i < learned.length; i++) {
            count += learned[i] ? 1 : 0;
        }
        return count;
    }
}
