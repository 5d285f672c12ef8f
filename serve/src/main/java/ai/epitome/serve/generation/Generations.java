package ai.epitome.serve.generation;

import ai.epitome.model.constraint.grammar.ConstraintException;
import ai.epitome.model.generation.CompletionModel;
import ai.epitome.model.generation.FinishReason;
import ai.epitome.model.generation.GenerationPiece;
import ai.epitome.model.generation.GenerationRequest;
import ai.epitome.model.generation.GenerationResult;
import ai.epitome.model.generation.Sampling;
import ai.epitome.serve.http.ApiException;
import ai.epitome.serve.metering.ContentFilter;
import ai.epitome.serve.metering.RequestMeter;
import ai.epitome.serve.metering.Usage;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/// The generations of one request: they share its seed, and are counted together.
public final class Generations {
    /// Scoring and prefill cannot be cut short, so that much is the most of one request.
    private static final int MAX_PROMPT_TOKENS = 1 << 16;
    /// Half of what the engine continues at a time: no request keeps all others waiting.
    private static final int MOST_TOGETHER = 16;
    /// 2^64 / golden ratio, the increment of SplitMix64: seeds of the further completions lie far apart.
    private static final long SEED_STEP = 0x9E3779B97F4A7C15L;

    private final CompletionModel model;
    private final RequestMeter meter;
    private final BooleanSupplier cancelled;
    private final long seed;

    /// @throws ApiException with status 400 if a bias is for no token of the model
    public Generations(
            CompletionModel model,
            RequestMeter meter,
            BooleanSupplier cancelled,
            Sampling sampling,
            OptionalLong seed) {
        this.model = model;
        this.meter = meter;
        this.cancelled = cancelled;
        this.seed = seed.orElseGet(() -> ThreadLocalRandom.current().nextLong());
        for (int id : sampling.logitBias().keySet()) {
            if (id >= model.vocabularySize()) {
                throw ApiException.badParameter(
                        "logit_bias",
                        "'logit_bias' has token id " + id + "; the vocabulary ends at " + (model.vocabularySize() - 1)
                                + ".");
            }
        }
    }

    /// Reserves what the request may use.
    ///
    /// @param texts what is asked, for the filter of contents
    /// @param field where the prompts come from
    /// @param tokens of all prompts
    /// @param mostCompletion most tokens that may be generated, of all completions together
    /// @throws ApiException with status 400 if the prompts are too long, or refused
    /// @throws ai.epitome.serve.account.LimitException when the key may not use so much
    public void begin(Collection<String> texts, String field, long tokens, long mostCompletion) {
        if (tokens > MAX_PROMPT_TOKENS) {
            throw ApiException.badParameter(
                    field, "The prompts have " + tokens + " tokens; at most " + MAX_PROMPT_TOKENS + " are taken.");
        }
        meter.filter().input(texts);
        meter.begin(model.id(), tokens, mostCompletion);
    }

    /// What the request took in and gave out. Nothing may be generated after, for it is durable when this returns.
    public Usage usage() {
        meter.settle(200);
        return meter.usage();
    }

    /// One completion that the request asks for.
    ///
    /// @param request what to generate; its seed is not used
    /// @param sample number of the completion, which its seed depends on
    /// @param listener gets its pieces
    /// @param ended gets what it has come to, behind the last piece
    public record Wanted(
            GenerationRequest request,
            int sample,
            Consumer<GenerationPiece> listener,
            Consumer<GenerationResult> ended) {}

    /// How many of `completions` are generated at the same time.
    public static int together(int completions) {
        return Math.min(completions, MOST_TOGETHER);
    }

    /// Generates all of these, many at a time; listeners are called on this thread.
    ///
    /// @throws CancelledException when cancelled
    public void run(List<Wanted> completions) {
        for (int from = 0; from < completions.size(); from += MOST_TOGETHER) {
            if (cancelled.getAsBoolean()) {
                throw new CancelledException();
            }
            generate(completions.subList(from, Math.min(completions.size(), from + MOST_TOGETHER)));
        }
    }

    private void generate(List<Wanted> completions) {
        List<CompletionModel.Choice> choices = new ArrayList<>();
        for (Wanted each : completions) {
            if (each.request.maxTokens() == 0) {
                each.ended.accept(new GenerationResult("", FinishReason.LENGTH, each.request.prompt().length, 0));
            } else {
                choices.add(choice(each));
            }
        }
        try {
            meter.generate(model, choices);
        } catch (ConstraintException e) { // known only when a text comes there
            throw ApiException.badRequest(
                    400, "constraint_failed", "The text cannot be made as it is to be: " + e.getMessage() + ".");
        }
    }

    private CompletionModel.Choice choice(Wanted wanted) {
        ContentFilter.Output filter = meter.filter().output(wanted.listener);
        return new CompletionModel.Choice(
                wanted.request.withSeed(seed + wanted.sample * SEED_STEP),
                filter,
                result -> wanted.ended.accept(end(wanted.sample, result, filter)),
                () -> filter.refused() || cancelled.getAsBoolean());
    }

    private GenerationResult end(int sample, GenerationResult generated, ContentFilter.Output filter) {
        GenerationResult result = generated;
        if (result.finish() != FinishReason.CANCELLED) {
            filter.end();
        }
        if (filter.refused()) {
            result = new GenerationResult(
                    filter.passed(),
                    FinishReason.FILTERED,
                    result.promptTokens(),
                    result.cachedTokens(),
                    result.completionTokens());
        } else if (result.finish() == FinishReason.CANCELLED) {
            throw new CancelledException();
        }
        if (sample == 0) { // the further ones know the whole prompt, which is paid for once
            meter.cached(result.cachedTokens());
        }
        return result;
    }
}
