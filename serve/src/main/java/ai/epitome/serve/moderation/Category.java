package ai.epitome.serve.moderation;

import java.util.Arrays;
import java.util.Optional;

/// What a text may be flagged for: [OpenAI's
/// categories](https://platform.openai.com/docs/guides/moderation#content-classifications).
public enum Category {
    HARASSMENT("harassment"),
    HARASSMENT_THREATENING("harassment/threatening"),
    HATE("hate"),
    HATE_THREATENING("hate/threatening"),
    ILLICIT("illicit"),
    ILLICIT_VIOLENT("illicit/violent"),
    SELF_HARM("self-harm"),
    SELF_HARM_INTENT("self-harm/intent"),
    SELF_HARM_INSTRUCTIONS("self-harm/instructions"),
    SEXUAL("sexual"),
    SEXUAL_MINORS("sexual/minors"),
    VIOLENCE("violence"),
    VIOLENCE_GRAPHIC("violence/graphic");

    private final String word;

    Category(String word) {
        this.word = word;
    }

    /// As the API writes it.
    public String word() {
        return word;
    }

    /// The category that the API writes so.
    public static Optional<Category> of(String word) {
        return Arrays.stream(values())
                .filter(category -> category.word.equals(word))
                .findFirst();
    }
}
