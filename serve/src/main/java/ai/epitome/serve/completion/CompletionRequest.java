package ai.epitome.serve.completion;

import ai.epitome.model.constraint.Constraint;
import ai.epitome.model.generation.Sampling;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/// A checked request for completions: every number is within its bounds.
///
/// @param sampling how to sample; its seed is [#seed()]'s where there is one
/// @param prompts what to continue, each by itself
/// @param n completions to give for each prompt
/// @param bestOf completions to make for each prompt, of which the `n` with the highest mean log-probability are given
/// @param logprobs alternatives to tell at each position, 0 to 5; empty for no log-probabilities at all
/// @param constraint what the text must be
public record CompletionRequest(
        String model,
        List<Prompt> prompts,
        int maxTokens,
        Sampling sampling,
        int n,
        int bestOf,
        boolean stream,
        boolean includeUsage,
        OptionalInt logprobs,
        boolean echo,
        List<String> stop,
        OptionalLong seed,
        Optional<Constraint> constraint) {

    /// Text, or tokens that the client made itself.
    public sealed interface Prompt {
        record Text(String text) implements Prompt {}

        record Tokens(int[] ids) implements Prompt {}
    }
}
