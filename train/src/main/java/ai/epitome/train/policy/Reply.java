package ai.epitome.train.policy;

import ai.epitome.train.prompt.Prompt;
import java.util.Arrays;

/// What a model said to a prompt.
///
/// @param prompt what it answered
/// @param tokens of the answer, with the one that ended it; one or more
/// @param logProbabilities of these tokens, as the engine that drew them computed them
/// @param text of the answer
/// @param ended whether it ended by itself, and was not cut short
public record Reply(Prompt prompt, int[] tokens, float[] logProbabilities, String text, boolean ended) {
    /// Prompt and answer.
    int[] sequence() {
        int[] all = Arrays.copyOf(prompt.tokens(), prompt.tokens().length + tokens.length);
        System.arraycopy(tokens, 0, all, prompt.tokens().length, tokens.length);
        return all;
    }
}
