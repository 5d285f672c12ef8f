package ai.epitome.text;

import java.nio.charset.StandardCharsets;

/// A token that stands beside the merges, as in `added_tokens` of `tokenizer.json`.
///
/// There are two kinds. A *control token* never comes from plain text: all that are marked special, and those written
/// as a tag, `<think>` or `[PAD7]`, because chat formats give them meaning even where a file does not mark them (Qwen's
/// `<tool_call>`). The others, GPT-NeoX's runs of spaces or DeepSeek's `ö`, are text, and plain text yields them.
///
/// @param id the token's id
/// @param content what it is written as in templates, or the text that it stands for
/// @param special whether it stands for no text at all, so that it vanishes in decoding
public record AddedToken(int id, String content, boolean special) {

    /// Real ones have a few dozen characters. The bound keeps the search for them fast.
    static final int LONGEST = 512;

    /// @throws IllegalArgumentException if the content is empty or longer than 512 characters, or the id negative
    public AddedToken {
        if (content.isEmpty()) {
            throw new IllegalArgumentException("added token " + id + " has no content");
        }
        if (content.length() > LONGEST) {
            throw new IllegalArgumentException("added token " + id + " has " + content.length()
                    + " characters; at most " + LONGEST + " are allowed");
        }
        if (id < 0) {
            throw new IllegalArgumentException("added token " + content + " has the negative id " + id);
        }
    }

    /// Whether plain text never yields it.
    public boolean control() {
        return special || (content.length() > 1 && (enclosed('<', '>') || enclosed('[', ']')));
    }

    private boolean enclosed(char open, char close) {
        return content.charAt(0) == open && content.charAt(content.length() - 1) == close;
    }

    /// The bytes of its content.
    byte[] bytes() {
        return content.getBytes(StandardCharsets.UTF_8);
    }
}
