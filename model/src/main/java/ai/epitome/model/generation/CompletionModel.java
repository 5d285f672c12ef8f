package ai.epitome.model.generation;

import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/// What a service needs of a model: text to tokens, tokens to bytes, more tokens after those, and the probability of
/// tokens.
///
/// All methods may be called from any thread. Several requests make progress together.
public interface CompletionModel {
    /// The name that the model goes by.
    String id();

    /// Positions that the model can look at. Longer prompts are allowed: what falls out of the context is forgotten.
    int contextLength();

    /// Number of tokens that the model tells apart: ids are 0 to `vocabularySize() - 1`.
    int vocabularySize();

    /// The tokens of `text`. Never a control token, whatever the text says.
    int[] encode(String text);

    /// The bytes that token `id` stands for; empty for a control token.
    byte[] bytes(int id);

    /// Continues `request.prompt()`. Runs on the calling thread, which gets each piece as soon as it is certain.
    ///
    /// @param listener gets the pieces in order; an exception that it throws ends the generation and is passed on
    /// @param cancelled asked before each token, from any thread; true ends the generation with
    /// [FinishReason#CANCELLED]
    /// @throws IllegalArgumentException when a prompt id is outside the vocabulary
    /// @throws ai.epitome.model.constraint.grammar.ConstraintException when no token can go on as the request asks
    GenerationResult generate(GenerationRequest request, Consumer<GenerationPiece> listener, BooleanSupplier cancelled);

    /// One of several generations that begin together.
    ///
    /// @param listener gets the pieces in order
    /// @param ended gets the result, behind the last piece
    /// @param cancelled as [#generate] asks it
    record Choice(
            GenerationRequest request,
            Consumer<GenerationPiece> listener,
            Consumer<GenerationResult> ended,
            BooleanSupplier cancelled) {}

    /// Continues all of these, together where the model can: what their prompts begin with alike is then
    /// read once. Runs on the calling thread, which gets pieces and results as they come. An exception of
    /// one of them, or that a listener throws, ends them all and is passed on; the others then get results with
    /// [FinishReason#CANCELLED], and what they throw is suppressed.
    default void generate(List<Choice> choices) {
        for (Choice choice : choices) {
            choice.ended().accept(generate(choice.request(), choice.listener(), choice.cancelled()));
        }
    }

    /// The probability of each token of `ids` after those before it. The first was predicted by nothing: its
    /// log-probability is NaN and it has no alternatives.
    ///
    /// @param top alternatives to give for each token, the likeliest first; 0 for none
    /// @throws IllegalArgumentException when an id is outside the vocabulary
    List<ScoredToken> score(int[] ids, int top);

    /// What a text is about, as a vector: the mean of the last hidden states, (C), not normalised.
    ///
    /// @param ids at least one token and no more than the context has
    /// @throws IllegalArgumentException when there is none, or too many, or one is outside the vocabulary
    float[] embed(int[] ids);
}
