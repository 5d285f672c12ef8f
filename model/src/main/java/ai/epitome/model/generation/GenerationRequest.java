package ai.epitome.model.generation;

import ai.epitome.model.constraint.Constraint;
import ai.epitome.model.engine.Engine;
import java.util.List;
import java.util.Optional;

/// What to generate.
///
/// @param prompt token ids to go on from; empty for a text from its beginning
/// @param maxTokens most tokens to sample
/// @param sampling how to choose among the model's predictions
/// @param stop texts that end the generation; neither they nor what follows them is given out. None may be empty.
/// @param topLogProbabilities how many of the likeliest tokens to tell at each position, beside the log-probability of
/// the one that was drawn; [#UNSCORED] where none is wanted, which saves a sum over the vocabulary
/// @param constraint what the generated text must be; it is whole in `maxTokens` tokens, if that many suffice
/// @param owner whose request it is: what has been read for one owner saves time to the same one only
public record GenerationRequest(
        int[] prompt,
        int maxTokens,
        Sampling sampling,
        List<String> stop,
        int topLogProbabilities,
        Optional<Constraint> constraint,
        String owner) {

    /// No log-probabilities.
    public static final int UNSCORED = -1;

    public GenerationRequest {
        stop = List.copyOf(stop);
        if (maxTokens < 0) {
            throw new IllegalArgumentException("the number of tokens to sample must be 0 or more, not " + maxTokens);
        }
        if (stop.stream().anyMatch(String::isEmpty)) {
            throw new IllegalArgumentException("a stop string must not be empty: it would stop before the first token");
        }
        if (topLogProbabilities < UNSCORED) {
            throw new IllegalArgumentException(
                    "the number of alternatives must be 0 or more, not " + topLogProbabilities);
        }
    }

    /// Nobody's request: what is read for it saves time to others that are nobody's.
    public GenerationRequest(
            int[] prompt,
            int maxTokens,
            Sampling sampling,
            List<String> stop,
            int topLogProbabilities,
            Optional<Constraint> constraint) {
        this(prompt, maxTokens, sampling, stop, topLogProbabilities, constraint, Engine.NOBODY);
    }

    /// The same for any text.
    public GenerationRequest(
            int[] prompt, int maxTokens, Sampling sampling, List<String> stop, int topLogProbabilities) {
        this(prompt, maxTokens, sampling, stop, topLogProbabilities, Optional.empty());
    }

    /// The same without stop strings and log-probabilities.
    public GenerationRequest(int[] prompt, int maxTokens, Sampling sampling) {
        this(prompt, maxTokens, sampling, List.of(), UNSCORED);
    }

    /// The same with another seed.
    public GenerationRequest withSeed(long seed) {
        return new GenerationRequest(
                prompt, maxTokens, sampling.withSeed(seed), stop, topLogProbabilities, constraint, owner);
    }

    /// The same for an owner.
    public GenerationRequest ownedBy(String holder) {
        return new GenerationRequest(prompt, maxTokens, sampling, stop, topLogProbabilities, constraint, holder);
    }
}
