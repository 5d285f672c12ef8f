package ai.epitome.serve.conversation;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/// One message of a conversation.
///
/// @param number from 1, in the order in which they were written
/// @param parent the message before it; 0 for the first ones. Versions of one message have the same parent.
/// @param attachments files that a person added
/// @param model who answered; empty for people
/// @param used what an answer took
/// @param rating 1 for good, -1 for bad, 0 where nothing was said
/// @param note why
/// @param created milliseconds since 1970
public record Message(
        int number,
        int parent,
        Role role,
        String content,
        List<Attachment> attachments,
        State state,
        String model,
        Used used,
        int rating,
        String note,
        long created) {

    public Message {
        attachments = List.copyOf(attachments);
    }

    /// A text file.
    public record Attachment(String name, String text) {}

    /// What an answer took.
    ///
    /// @param completionTokens of one that was cut short, as many as were generated
    /// @param milliseconds from the first token to the last
    /// @param costPico millionths of a millionth of the currency
    public record Used(int promptTokens, int completionTokens, long milliseconds, long costPico) {
        public static final Used NOTHING = new Used(0, 0, 0, 0);
    }

    /// Who speaks.
    public enum Role {
        USER,
        ASSISTANT;

        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }

        /// @throws IllegalArgumentException when there is no such role
        public static Role of(String word) {
            return Arrays.stream(values())
                    .filter(role -> role.word().equals(word))
                    .findFirst()
                    .orElseThrow(() -> new IllegalArgumentException("'role' must be user or assistant"));
        }
    }

    /// How whole it is.
    public enum State {
        DONE,
        /// Being written; or the service was killed while it was.
        RUNNING,
        /// Somebody stopped it.
        STOPPED,
        /// The allowed number of tokens was reached.
        LENGTH,
        /// The moderation policy let no more of it through.
        FILTERED,
        FAILED;

        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }

        /// @throws IllegalArgumentException when there is no such state
        public static State of(String word) {
            return Arrays.stream(values())
                    .filter(state -> state.word().equals(word))
                    .findFirst()
                    .orElseThrow(() -> new IllegalArgumentException(
                            "'state' must be done, running, stopped, length, filtered or failed"));
        }
    }

    /// What a person says.
    public static Message said(int parent, String content, List<Attachment> attachments) {
        return new Message(0, parent, Role.USER, content, attachments, State.DONE, "", Used.NOTHING, 0, "", 0);
    }

    /// An answer of which nothing is known yet.
    public static Message begun(int parent, String model) {
        return new Message(0, parent, Role.ASSISTANT, "", List.of(), State.RUNNING, model, Used.NOTHING, 0, "", 0);
    }

    /// As it is stored.
    Message stored(int newNumber, int newParent, long time) {
        return new Message(
                newNumber,
                newParent,
                role,
                content,
                attachments,
                state,
                model,
                used,
                rating,
                note,
                created == 0 ? time : created);
    }

    /// An answer as far as it came.
    public Message with(String newContent, State newState, Used newUsed) {
        return new Message(
                number, parent, role, newContent, attachments, newState, model, newUsed, rating, note, created);
    }

    /// What a model reads: the files, each in a code block under its name, and what was said.
    public String prompt() {
        if (attachments.isEmpty()) {
            return content;
        }
        var text = new StringBuilder();
        for (Attachment file : attachments) {
            String fence = "```";
            while (file.text().contains(fence)) { // a block ends at its own fence alone
                fence += "`";
            }
            text.append(file.name()).append(":\n").append(fence).append('\n').append(file.text());
            text.append(file.text().endsWith("\n") ? "" : "\n").append(fence).append("\n\n");
        }
        return text.append(content).toString();
    }

    /// UTF-16 units of all that it holds.
    long characters() {
        return content.length()
                + attachments.stream()
                        .mapToLong(file -> file.name().length() + file.text().length())
                        .sum();
    }
}
