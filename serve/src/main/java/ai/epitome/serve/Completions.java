package ai.epitome.serve;

import ai.epitome.model.CompletionModel;
import ai.epitome.model.FinishReason;
import ai.epitome.model.GenerationPiece;
import ai.epitome.model.GenerationRequest;
import ai.epitome.model.GenerationResult;
import ai.epitome.model.Sampling;
import ai.epitome.model.ScoredToken;
import ai.epitome.model.constraint.ConstraintException;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import tools.jackson.databind.node.NullNode;
import tools.jackson.databind.node.ObjectNode;

/// Works one request off on the calling thread, once: prompts one after the other, and the completions of each.
final class Completions {
    /// Scoring and prefill cannot be cut short, so that much is the most of one request.
    private static final int MAX_PROMPT_TOKENS = 1 << 16;
    /// 2^64 / golden ratio, the increment of SplitMix64: seeds of the further completions lie far apart.
    private static final long SEED_STEP = 0x9E3779B97F4A7C15L;

    private final CompletionRequest request;
    private final CompletionModel model;
    private final CompletionShapes shapes;
    private final BooleanSupplier cancelled;
    private final long seed;
    private final List<Prompt> prompts;
    private CompletionShapes.Usage usage;

    /// Checks the prompts against the model, before anything of a response is sent.
    ///
    /// @throws ApiException with status 400
    Completions(CompletionRequest request, CompletionModel model, CompletionShapes shapes, BooleanSupplier cancelled) {
        this.request = request;
        this.model = model;
        this.shapes = shapes;
        this.cancelled = cancelled;
        this.seed = request.seed().orElseGet(() -> ThreadLocalRandom.current().nextLong());
        this.prompts = request.prompts().stream().map(this::prompt).toList();
        long tokens = prompts.stream().mapToLong(prompt -> prompt.ids().length).sum();
        if (tokens > MAX_PROMPT_TOKENS) {
            throw ApiException.badParameter(
                    "prompt", "The prompts have " + tokens + " tokens; at most " + MAX_PROMPT_TOKENS + " are taken.");
        }
        this.usage = new CompletionShapes.Usage(tokens, 0);
        checkBias();
    }

    /// A prompt in both forms.
    private record Prompt(int[] ids, String text) {}

    /// A finished completion.
    private record Candidate(String text, List<ScoredToken> tokens, FinishReason finish, double meanLogProbability) {}

    private Prompt prompt(CompletionRequest.Prompt prompt) {
        return switch (prompt) {
            case CompletionRequest.Prompt.Text(String text) -> new Prompt(model.encode(text), text);
            case CompletionRequest.Prompt.Tokens(int[] ids) -> new Prompt(checked(ids), decoded(ids));
        };
    }

    private int[] checked(int[] ids) {
        for (int id : ids) {
            if (id >= model.vocabularySize()) {
                throw ApiException.badParameter(
                        "prompt",
                        "Token id " + id + " is not in the vocabulary, which ends at " + (model.vocabularySize() - 1)
                                + ".");
            }
        }
        return ids;
    }

    private void checkBias() {
        for (int id : request.sampling().logitBias().keySet()) {
            if (id >= model.vocabularySize()) {
                throw ApiException.badParameter(
                        "logit_bias",
                        "'logit_bias' has token id " + id + "; the vocabulary ends at " + (model.vocabularySize() - 1)
                                + ".");
            }
        }
    }

    private String decoded(int[] ids) {
        var bytes = new ByteArrayOutputStream();
        for (int id : ids) {
            bytes.writeBytes(model.bytes(id));
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    /// The whole answer.
    ///
    /// @throws CancelledException when cancelled
    ObjectNode answer() {
        var choices = new ArrayList<ObjectNode>();
        for (Prompt prompt : prompts) {
            List<ScoredToken> echoed = echoedTokens(prompt);
            for (Candidate candidate : best(prompt)) {
                var tokens = new ArrayList<>(echoed);
                tokens.addAll(candidate.tokens());
                String text = request.echo() ? prompt.text() + candidate.text() : candidate.text();
                ObjectNode logprobs =
                        request.logprobs().isPresent() ? logprobs(prompt).next(tokens) : null;
                choices.add(CompletionShapes.choice(choices.size(), text, logprobs, candidate.finish()));
            }
        }
        return shapes.completion(choices).set("usage", usage.json());
    }

    /// The answer as a stream of chunks; each goes to `chunk` as soon as its text is certain.
    ///
    /// @throws CancelledException when cancelled
    void stream(Consumer<ObjectNode> chunk) {
        int index = 0;
        for (Prompt prompt : prompts) {
            List<ScoredToken> echoed = echoedTokens(prompt);
            for (int sample = 0; sample < request.n(); sample++) {
                streamChoice(prompt, echoed, sample, index++, chunk);
            }
        }
        if (request.includeUsage()) {
            chunk.accept(shapes.completion(List.of()).set("usage", usage.json()));
        }
    }

    private void streamChoice(
            Prompt prompt, List<ScoredToken> echoed, int sample, int index, Consumer<ObjectNode> chunk) {
        CompletionShapes.Logprobs logprobs = logprobs(prompt);
        Consumer<GenerationPiece> listener = piece -> chunk.accept(chunk(CompletionShapes.choice(
                index, piece.text(), request.logprobs().isPresent() ? logprobs.next(piece.tokens()) : null, null)));
        if (request.echo()) {
            listener.accept(new GenerationPiece(prompt.text(), echoed));
        }
        GenerationResult result = generate(prompt, sample, listener);
        chunk.accept(chunk(CompletionShapes.choice(index, "", null, result.finish())));
    }

    private ObjectNode chunk(ObjectNode choice) {
        ObjectNode chunk = shapes.completion(List.of(choice));
        // With usage asked for, every chunk has the field and only the last one a value.
        return request.includeUsage() ? chunk.set("usage", NullNode.getInstance()) : chunk;
    }

    private List<ScoredToken> echoedTokens(Prompt prompt) {
        boolean wanted = request.echo() && request.logprobs().isPresent() && prompt.ids().length > 0;
        return wanted ? model.score(prompt.ids(), request.logprobs().getAsInt()) : List.of();
    }

    /// Offsets count from the beginning of the prompt, echoed or not.
    private CompletionShapes.Logprobs logprobs(Prompt prompt) {
        int characters = prompt.text().codePointCount(0, prompt.text().length());
        return new CompletionShapes.Logprobs(request.logprobs().orElse(0), request.echo() ? 0 : characters);
    }

    private List<Candidate> best(Prompt prompt) {
        var candidates = new ArrayList<Candidate>();
        for (int sample = 0; sample < request.bestOf(); sample++) {
            candidates.add(candidate(prompt, sample));
        }
        if (request.bestOf() > request.n()) {
            candidates.sort(
                    Comparator.comparingDouble(Candidate::meanLogProbability).reversed());
        }
        return candidates.subList(0, request.n());
    }

    private Candidate candidate(Prompt prompt, int sample) {
        var tokens = new ArrayList<ScoredToken>();
        GenerationResult result = generate(prompt, sample, piece -> tokens.addAll(piece.tokens()));
        double mean = tokens.stream()
                .mapToDouble(ScoredToken::logProbability)
                .average()
                .orElse(Double.NEGATIVE_INFINITY);
        return new Candidate(result.text(), tokens, result.finish(), mean);
    }

    private GenerationResult generate(Prompt prompt, int sample, Consumer<GenerationPiece> listener) {
        if (cancelled.getAsBoolean()) {
            throw new CancelledException();
        }
        if (request.maxTokens() == 0) {
            return new GenerationResult("", FinishReason.LENGTH, prompt.ids().length, 0);
        }
        Sampling sampling = request.sampling().withSeed(seed + sample * SEED_STEP);
        GenerationResult result = generate(prompt, sampling, listener);
        if (result.finish() == FinishReason.CANCELLED) {
            throw new CancelledException();
        }
        usage = usage.plusCompletion(result.completionTokens());
        return result;
    }

    private GenerationResult generate(Prompt prompt, Sampling sampling, Consumer<GenerationPiece> listener) {
        var generation = new GenerationRequest(
                prompt.ids(),
                request.maxTokens(),
                sampling,
                request.stop(),
                request.logprobs().orElse(0),
                request.constraint());
        try {
            return model.generate(generation, listener, cancelled);
        } catch (ConstraintException e) { // known only when a text comes there
            throw ApiException.badRequest(
                    400, "constraint_failed", "The text cannot be made as it is to be: " + e.getMessage() + ".");
        }
    }
}
