package ai.epitome.serve.conversation;

import java.util.Arrays;
import java.util.Locale;

/// How a conversation is answered.
///
/// @param model id of the model; empty for the first that is served
/// @param system what the model is told before everything; empty for nothing
/// @param maxTokens most tokens of an answer
public record Settings(Mode mode, String model, String system, double temperature, double topP, int maxTokens) {
    public static final Settings DEFAULT = new Settings(Mode.CHAT, "", "", 0.8, 0.95, 512);

    /// What is made of the messages.
    public enum Mode {
        /// A conversation, as the model's template writes it.
        CHAT,
        /// One text, which the model goes on with: for models that know no conversations.
        TEXT;

        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }

        /// @throws IllegalArgumentException when there is no such mode
        public static Mode of(String word) {
            return Arrays.stream(values())
                    .filter(mode -> mode.word().equals(word))
                    .findFirst()
                    .orElseThrow(() -> new IllegalArgumentException("'mode' must be chat or text"));
        }
    }
}
