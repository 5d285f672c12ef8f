package ai.epitome.train.data;

import java.io.IOException;

/// Something about the given text is wrong in a way that its owner can put right; the message says where and how.
public final class CorpusException extends IOException {
    private static final long serialVersionUID = 1;

    public CorpusException(String message) {
        super(message);
    }

    public CorpusException(String message, Throwable cause) {
        super(message, cause);
    }
}
