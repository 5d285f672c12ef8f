package ai.epitome.train.align;

import ai.epitome.text.Tokenizer;
import ai.epitome.train.prompt.Prompt;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Preferences from a model's own answers: of several to a prompt, the one that a reward model likes best against the
/// one that it likes least (Rafailov et al. 2023, section 6.1, label with a classifier of sentiment likewise).
public final class RankedPairs {
    private RankedPairs() {}

    /// The better and the worse answer to a prompt.
    public record Pair(Prompt prompt, String chosen, String rejected) {}

    /// One pair for each prompt whose answers differ, as text.
    ///
    /// @param samples those of a prompt together
    /// @param scores of each
    public static List<Pair> of(
            List<Prompt> prompts, List<Continuations.Sample> samples, double[] scores, Tokenizer tokenizer) {
        List<Pair> pairs = new ArrayList<>();
        int each = samples.size() / prompts.size();
        for (int from = 0; from < samples.size(); from += each) {
            int best = from;
            int worst = from;
            for (int i = from + 1; i < from + each; i++) {
                best = scores[i] > scores[best] ? i : best;
                worst = scores[i] < scores[worst] ? i : worst;
            }
            String chosen = text(tokenizer, samples.get(best).continuation());
            String rejected = text(tokenizer, samples.get(worst).continuation());
            if (scores[best] > scores[worst] && !chosen.isBlank() && !rejected.isBlank() && !chosen.equals(rejected)) {
                pairs.add(new Pair(prompts.get(from / each), chosen, rejected));
            }
        }
        return pairs;
    }

    /// The words; the token that texts begin with stands for none.
    static String text(Tokenizer tokenizer, int[] tokens) {
        int[] words = tokens;
        if (tokens.length > 0 && tokenizer.specialTokens().containsValue(tokens[0])) {
            words = Arrays.copyOfRange(tokens, 1, tokens.length);
        }
        return new String(tokenizer.decode(words), StandardCharsets.UTF_8);
    }
}
