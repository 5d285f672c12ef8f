package ai.epitome.model.generation;

import ai.epitome.model.engine.Continuation;
import java.util.Arrays;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.BooleanSupplier;

/// Turns a sequence's predictions into the text that a request asks for.
final class Decoding implements Continuation {
    /// A token with its log-probability, given the logits that it was drawn from.
    interface Scoring extends BiFunction<Integer, float[], ScoredToken> {}

    private final GenerationRequest request;
    private final Set<Integer> endOfText;
    private final int vocabulary;
    private final Scoring scoring;
    private final BooleanSupplier cancelled;
    private final Generation generation;
    private final Sampler sampler;
    private final PieceBuffer buffer;
    private final StringBuilder text = new StringBuilder();
    private FinishReason finish = FinishReason.CANCELLED;
    private int sampled;

    /// @param sampler a new one
    /// @param vocabulary ids below it stand for tokens; a model may have more rows
    /// @param cancelled asked before each pass
    Decoding(
            GenerationRequest request,
            Sampler sampler,
            Set<Integer> endOfText,
            int vocabulary,
            Scoring scoring,
            BooleanSupplier cancelled,
            Generation generation) {
        this.request = request;
        this.endOfText = endOfText;
        this.vocabulary = vocabulary;
        this.scoring = scoring;
        this.cancelled = cancelled;
        this.generation = generation;
        this.sampler = sampler;
        this.buffer = new PieceBuffer(request.stop());
    }

    @Override
    public boolean cancelled() {
        return generation.isCancelled() || cancelled.getAsBoolean();
    }

    @Override
    public int next(float[] logits) {
        float[] real = logits.length == vocabulary ? logits : Arrays.copyOf(logits, vocabulary);
        int token = sampler.sample(real);
        sampled++;
        if (endOfText.contains(token)) {
            finish = FinishReason.STOP;
            generation.last(scoring.apply(token, real));
            return -1;
        }
        deliver(buffer.push(scoring.apply(token, real)));
        if (buffer.stopped() || sampler.isFinished()) {
            finish = FinishReason.STOP;
            return -1;
        }
        if (sampled == request.maxTokens()) {
            finish = FinishReason.LENGTH;
            return -1;
        }
        return token;
    }

    private void deliver(GenerationPiece piece) {
        if (!piece.text().isEmpty() || !piece.tokens().isEmpty()) {
            text.append(piece.text());
            generation.deliver(piece);
        }
    }

    @Override
    public void ended(int cached) {
        if (!buffer.stopped()) {
            deliver(buffer.finish());
        }
        int prompt = request.prompt().length;
        generation.end(new GenerationResult(text.toString(), finish, prompt, Math.min(cached, prompt), sampled));
    }

    @Override
    public void failed(Throwable failure) {
        generation.fail(failure);
    }
}
