package ai.epitome.model.generation;

import java.util.Arrays;

/// The tokens of one sequence so far, and their penalties.
final class TokenHistory {
    private final Penalties penalties;
    private final int[] prompt;
    /// How often each token has been generated, -1 for one that is in the prompt alone and 0 for one that never came.
    private int[] count = {};
    /// The distinct tokens, in order of their first appearance.
    private int[] seen = {};
    private int distinct;

    /// @param prompt what counts for the repetition penalty
    TokenHistory(Penalties penalties, int[] prompt) {
        this.penalties = penalties;
        this.prompt = penalties.repetition() == 1 ? new int[0] : prompt.clone();
    }

    /// Notes that `token` was generated; it is below `vocabulary`.
    void add(int token, int vocabulary) {
        prepare(vocabulary);
        if (count[token] == 0) {
            note(token);
        }
        count[token] = Math.max(0, count[token]) + 1;
    }

    /// Changes the logits of tokens that came up.
    void penalise(float[] logits) {
        prepare(logits.length);
        float repetition = (float) penalties.repetition();
        for (int i = 0; i < distinct; i++) {
            int token = seen[i];
            float logit = logits[token];
            logit = logit > 0 ? logit / repetition : logit * repetition;
            if (count[token] > 0) {
                logit -= (float) (count[token] * penalties.frequency() + penalties.presence());
            }
            logits[token] = logit;
        }
    }

    private void prepare(int vocabulary) {
        if (count.length == 0) {
            count = new int[vocabulary];
            seen = new int[Math.min(vocabulary, 64)];
            for (int token : prompt) {
                if (count[token] == 0) {
                    count[token] = -1;
                    note(token);
                }
            }
        }
    }

    private void note(int token) {
        if (distinct == seen.length) {
            seen = Arrays.copyOf(seen, 2 * distinct);
        }
        seen[distinct++] = token;
    }
}
