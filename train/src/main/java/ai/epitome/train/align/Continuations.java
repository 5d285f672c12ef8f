package ai.epitome.train.align;

import ai.epitome.model.generation.Generation;
import ai.epitome.model.generation.GenerationPiece;
import ai.epitome.model.generation.GenerationRequest;
import ai.epitome.model.generation.Sampling;
import ai.epitome.model.generation.ScoredToken;
import ai.epitome.model.generation.TextGenerator;
import ai.epitome.train.data.Example;
import ai.epitome.train.prompt.Prompt;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// Samples of a model's own distribution, many side by side.
public final class Continuations {
    /// Requests that are under way at a time.
    private static final int AT_ONCE = 64;

    private final TextGenerator generator;
    private final int tokens;
    private final long seed;

    /// @param tokens most tokens of a continuation
    /// @param seed of the first; each has its own
    public Continuations(TextGenerator generator, int tokens, long seed) {
        this.generator = generator;
        this.tokens = tokens;
        this.seed = seed;
    }

    /// A text that was continued.
    ///
    /// @param example prompt and continuation; what was sampled is learned. The token that ended it is not there
    /// @param prompt how many tokens the prompt has
    public record Sample(Example example, int prompt) {
        /// Only what was sampled.
        public int[] continuation() {
            return Arrays.copyOfRange(example.tokens(), prompt, example.tokens().length);
        }
    }

    /// One or more continuations of each prompt, those of a prompt together.
    ///
    /// @param each how many
    public List<Sample> of(List<Prompt> prompts, int each) throws InterruptedException {
        List<Sample> samples = new ArrayList<>();
        int count = prompts.size() * each;
        for (int from = 0; from < count; from += AT_ONCE) {
            List<Generation> running = new ArrayList<>();
            int to = Math.min(count, from + AT_ONCE);
            for (int i = from; i < to; i++) {
                running.add(generator.submit(new GenerationRequest(
                        prompts.get(i / each).tokens(), tokens, Sampling.ofTemperature(1, seed + i))));
            }
            for (int i = from; i < to; i++) {
                samples.add(sample(prompts.get(i / each).tokens(), running.get(i - from)));
            }
        }
        return samples;
    }

    private static Sample sample(int[] prompt, Generation generation) throws InterruptedException {
        List<Integer> sampled = new ArrayList<>();
        for (Optional<GenerationPiece> piece = generation.next(); piece.isPresent(); piece = generation.next()) {
            piece.get().tokens().stream().map(ScoredToken::id).forEach(sampled::add);
        }
        generation.result(); // throws what went wrong
        int[] tokens = Arrays.copyOf(prompt, prompt.length + sampled.size());
        boolean[] learned = new boolean[tokens.length];
        for (int i = 0; i < sampled.size(); i++) {
            tokens[prompt.length + i] = sampled.get(i);
            learned[prompt.length + i] = true;
        }
        return new Sample(new Example(tokens, learned), prompt.length);
    }
}
