package ai.epitome.serve.generation;

import ai.epitome.model.constraint.ConstraintException;
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
import java.util.Collection;
import java.util.OptionalLong;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/// The generations of one request: they share its seed, and are counted together.
public final class Generations {
    /// Scoring and prefill cannot be cut short, so that much is the most of one request.
    private static final int MAX_PROMPT_TOKENS = 1 << 16;
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

    /// @param sample number of the completion, which its seed depends on; that of the request is not used
    /// @throws CancelledException when cancelled
    public GenerationResult run(GenerationRequest request, int sample, Consumer<GenerationPiece> listener) {
        if (cancelled.getAsBoolean()) {
            throw new CancelledException();
        }
        if (request.maxTokens() == 0) {
            return new GenerationResult("", FinishReason.LENGTH, request.prompt().length, 0);
        }
        ContentFilter.Output filter = meter.filter().output(listener);
        GenerationResult result = generate(request.withSeed(seed + sample * SEED_STEP), filter);
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

    private GenerationResult generate(GenerationRequest request, ContentFilter.Output filter) {
        try {
            return meter.generate(model, request, filter, () -> filter.refused() || cancelled.getAsBoolean());
        } catch (ConstraintException e) { // known only when a text comes there
            throw ApiException.badRequest(
                    400, "constraint_failed", "The text cannot be made as it is to be: " + e.getMessage() + ".");
        }
    }
}
