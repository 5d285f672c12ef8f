package ai.epitome.serve.completion;

import ai.epitome.model.generation.CompletionModel;
import ai.epitome.model.generation.GenerationPiece;
import ai.epitome.model.generation.GenerationRequest;
import ai.epitome.model.generation.GenerationResult;
import ai.epitome.model.generation.ScoredToken;
import ai.epitome.serve.generation.Answer;
import ai.epitome.serve.generation.Generations;
import ai.epitome.serve.http.ApiException;
import ai.epitome.serve.metering.RequestMeter;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import tools.jackson.databind.node.NullNode;
import tools.jackson.databind.node.ObjectNode;

/// Works one request off on the calling thread, once: its prompts, and the completions of each, together.
public final class Completions implements Answer {
    private final CompletionRequest request;
    private final CompletionModel model;
    private final CompletionShapes shapes;
    private final Generations generations;
    private final List<Prompt> prompts;

    /// Checks the prompts against the model and the key's limits, before anything of a response is sent.
    ///
    /// @throws ApiException with status 400
    /// @throws ai.epitome.serve.account.LimitException when the key may not use so much
    public Completions(
            CompletionRequest request,
            CompletionModel model,
            CompletionShapes shapes,
            RequestMeter meter,
            BooleanSupplier cancelled) {
        this.request = request;
        this.model = model;
        this.shapes = shapes;
        this.generations = new Generations(model, meter, cancelled, request.sampling(), request.seed());
        this.prompts = request.prompts().stream().map(this::prompt).toList();
        generations.begin(
                prompts.stream().map(Prompt::text).toList(),
                "prompt",
                prompts.stream().mapToLong(prompt -> prompt.ids().length).sum(),
                (long) prompts.size() * request.bestOf() * request.maxTokens());
    }

    /// A prompt in both forms.
    private record Prompt(int[] ids, String text) {}

    /// A completion of a whole answer.
    private static final class Candidate {
        private final Prompt prompt;
        private final int sample;
        private final List<ScoredToken> tokens = new ArrayList<>();
        private GenerationResult result;

        Candidate(Prompt prompt, int sample) {
            this.prompt = prompt;
            this.sample = sample;
        }

        void take(GenerationPiece piece) {
            tokens.addAll(piece.tokens());
        }

        void end(GenerationResult ended) {
            result = ended;
        }

        double meanLogProbability() {
            return tokens.stream()
                    .mapToDouble(ScoredToken::logProbability)
                    .average()
                    .orElse(Double.NEGATIVE_INFINITY);
        }
    }

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

    private String decoded(int[] ids) {
        var bytes = new ByteArrayOutputStream();
        for (int id : ids) {
            bytes.writeBytes(model.bytes(id));
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    @Override
    public int together() {
        return Generations.together(prompts.size() * request.bestOf());
    }

    @Override
    public ObjectNode answer() {
        List<Candidate> candidates = candidates(request.bestOf());
        generations.run(candidates.stream()
                .map(each -> wanted(each.prompt, each.sample, each::take, each::end))
                .toList());
        var choices = new ArrayList<ObjectNode>();
        for (int p = 0; p < prompts.size(); p++) {
            Prompt prompt = prompts.get(p);
            List<ScoredToken> echoed = echoedTokens(prompt);
            for (Candidate each : best(candidates.subList(p * request.bestOf(), (p + 1) * request.bestOf()))) {
                var tokens = new ArrayList<>(echoed);
                tokens.addAll(each.tokens);
                String text = request.echo() ? prompt.text() + each.result.text() : each.result.text();
                ObjectNode logprobs =
                        request.logprobs().isPresent() ? logprobs(prompt).next(tokens) : null;
                choices.add(CompletionShapes.choice(choices.size(), text, logprobs, each.result.finish()));
            }
        }
        return shapes.completion(choices).set("usage", generations.usage().json());
    }

    @Override
    public void stream(Consumer<ObjectNode> chunk) {
        List<Generations.Wanted> wanted = new ArrayList<>();
        for (Prompt prompt : prompts) {
            List<ScoredToken> echoed = echoedTokens(prompt);
            for (int sample = 0; sample < request.n(); sample++) {
                wanted.add(streamed(prompt, echoed, sample, wanted.size(), chunk));
            }
        }
        generations.run(wanted);
        if (request.includeUsage()) {
            chunk.accept(shapes.completion(List.of())
                    .set("usage", generations.usage().json()));
        }
    }

    /// A choice whose chunks are sent as they come; what it echoes goes at once.
    private Generations.Wanted streamed(
            Prompt prompt, List<ScoredToken> echoed, int sample, int index, Consumer<ObjectNode> chunk) {
        CompletionShapes.Logprobs logprobs = logprobs(prompt);
        Consumer<GenerationPiece> listener = piece -> chunk.accept(chunk(CompletionShapes.choice(
                index, piece.text(), request.logprobs().isPresent() ? logprobs.next(piece.tokens()) : null, null)));
        if (request.echo()) {
            listener.accept(new GenerationPiece(prompt.text(), echoed));
        }
        return wanted(
                prompt,
                sample,
                listener,
                result -> chunk.accept(chunk(CompletionShapes.choice(index, "", null, result.finish()))));
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

    private List<Candidate> candidates(int ofEach) {
        return prompts.stream()
                .flatMap(prompt -> IntStream.range(0, ofEach).mapToObj(sample -> new Candidate(prompt, sample)))
                .toList();
    }

    private List<Candidate> best(List<Candidate> candidates) {
        return ranks()
                ? candidates.stream()
                        .sorted(Comparator.comparingDouble(Candidate::meanLogProbability)
                                .reversed())
                        .limit(request.n())
                        .toList()
                : candidates;
    }

    /// Whether candidates are compared, which takes their log-probabilities.
    private boolean ranks() {
        return request.bestOf() > request.n();
    }

    private Generations.Wanted wanted(
            Prompt prompt, int sample, Consumer<GenerationPiece> listener, Consumer<GenerationResult> ended) {
        return new Generations.Wanted(
                new GenerationRequest(
                        prompt.ids(),
                        request.maxTokens(),
                        request.sampling(),
                        request.stop(),
                        request.logprobs().orElse(ranks() ? 0 : GenerationRequest.UNSCORED),
                        request.constraint()),
                sample,
                listener,
                ended);
    }
}
