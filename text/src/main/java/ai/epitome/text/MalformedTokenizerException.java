package ai.epitome.text;

import java.io.IOException;

/// A tokenizer file breaks a rule of its format, or asks for something that this system does not do. The message
/// names the file and the rule.
public final class MalformedTokenizerException extends IOException {
    private static final long serialVersionUID = 1;

    public MalformedTokenizerException(String where, String rule) {
        super(where + ": " + rule);
    }

    public MalformedTokenizerException(String where, Exception cause) {
        super(where + ": " + cause.getMessage(), cause);
    }
}
