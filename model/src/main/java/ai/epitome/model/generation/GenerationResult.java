package ai.epitome.model.generation;

/// How a generation ended.
///
/// @param text the whole generated text, without stop string
/// @param finish why it ended
/// @param promptTokens tokens of the prompt
/// @param cachedTokens tokens of the prompt whose keys and values were known from another text that begins alike
/// @param completionTokens tokens sampled, those of a stop string and the end-of-text token included
public record GenerationResult(
        String text, FinishReason finish, int promptTokens, int cachedTokens, int completionTokens) {

    /// Of a prompt that was read whole.
    public GenerationResult(String text, FinishReason finish, int promptTokens, int completionTokens) {
        this(text, finish, promptTokens, 0, completionTokens);
    }

    /// The same, ended before its time.
    GenerationResult cancelled() {
        return new GenerationResult(text, FinishReason.CANCELLED, promptTokens, cachedTokens, completionTokens);
    }
}
