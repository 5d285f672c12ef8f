package ai.epitome.train.policy;

import ai.epitome.model.generation.Generation;
import ai.epitome.model.generation.GenerationPiece;
import ai.epitome.model.generation.GenerationRequest;
import ai.epitome.model.generation.GenerationResult;
import ai.epitome.model.generation.Sampling;
import ai.epitome.model.generation.ScoredToken;
import ai.epitome.model.generation.TextGenerator;
import ai.epitome.train.TrainingException;
import ai.epitome.train.prompt.Prompt;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/// Answers to prompts, many at once, with the probabilities that their tokens were drawn with.
///
/// @param model answers
/// @param mostTokens of an answer
record Rollouts(TextGenerator model, int mostTokens) {
    /// One answer to each prompt, in order, from the model's own distribution (temperature 1).
    List<Reply> sampled(List<Prompt> prompts, long seed) {
        List<Sampling> draws = new ArrayList<>();
        for (int i = 0; i < prompts.size(); i++) {
            draws.add(Sampling.ofTemperature(1, mixed(seed + i * 0x9E3779B97F4A7C15L)));
        }
        return replies(prompts, draws, () -> false);
    }

    /// The likeliest answers.
    ///
    /// @param cancelled ends them early
    List<Reply> greedy(List<Prompt> prompts, BooleanSupplier cancelled) {
        return replies(prompts, prompts.stream().map(_ -> Sampling.GREEDY).toList(), cancelled);
    }

    private List<Reply> replies(List<Prompt> prompts, List<Sampling> draws, BooleanSupplier cancelled) {
        List<GenerationRequest> requests = new ArrayList<>();
        for (int i = 0; i < prompts.size(); i++) {
            int[] prompt = prompts.get(i).tokens();
            int room = model.contextLength() - prompt.length;
            if (room < 1) {
                throw new TrainingException("a prompt of %d tokens leaves no room in the context of %d: %s"
                        .formatted(
                                prompt.length,
                                model.contextLength(),
                                prompts.get(i).text()));
            }
            int most = Math.min(room, mostTokens);
            requests.add(new GenerationRequest(prompt, most, draws.get(i), List.of(), 0)); // 0: with log-probabilities
        }
        List<Generation> running = model.submit(requests, cancelled);
        List<Reply> replies = new ArrayList<>();
        for (int i = 0; i < prompts.size(); i++) {
            replies.add(reply(prompts.get(i), running.get(i)));
        }
        return replies;
    }

    private static Reply reply(Prompt prompt, Generation generation) {
        List<ScoredToken> drawn = new ArrayList<>();
        try {
            Optional<GenerationPiece> piece = generation.next();
            while (piece.isPresent()) {
                drawn.addAll(piece.get().tokens());
                piece = generation.next();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new TrainingException("interrupted while the model answered", e);
        }
        GenerationResult result = generation.result();
        generation.last().ifPresent(drawn::add);
        int[] tokens = drawn.stream().mapToInt(ScoredToken::id).toArray();
        float[] logProbabilities = new float[tokens.length];
        for (int i = 0; i < tokens.length; i++) {
            logProbabilities[i] = drawn.get(i).logProbability();
        }
        return new Reply(
                prompt,
                tokens,
                logProbabilities,
                result.text(),
                generation.last().isPresent());
    }

    private static long mixed(long z) {
        long x = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        x = (x ^ (x >>> 27)) * 0x94D049BB133111EBL;
        return x ^ (x >>> 31);
    }
}
