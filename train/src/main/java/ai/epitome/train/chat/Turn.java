package ai.epitome.train.chat;

/// What one speaker says.
///
/// @param speaker who
/// @param text what, not empty
/// @param learned whether a model is to learn to say it; of assistants' turns only
public record Turn(Speaker speaker, String text, boolean learned) {
    public Turn {
        if (text.isEmpty() || learned && speaker != Speaker.ASSISTANT) {
            throw new IllegalArgumentException("a turn needs text, and only an assistant's is learned");
        }
    }

    /// A turn that is learned where an assistant says it.
    public Turn(Speaker speaker, String text) {
        this(speaker, text, speaker == Speaker.ASSISTANT);
    }
}
