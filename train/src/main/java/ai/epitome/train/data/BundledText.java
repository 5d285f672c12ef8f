package ai.epitome.train.data;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/// Text that comes with Epitome, so that a first model can be trained without any download.
public final class BundledText {
    /// SHA-256 of [#tinyshakespeare], hexadecimal.
    public static final String TINYSHAKESPEARE_SHA256 =
            "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed";

    private static final String RESOURCE = "tinyshakespeare.txt";

    private BundledText() {}

    /// 1,115,394 bytes from the plays of William Shakespeare (public domain), as gathered by Andrej Karpathy for
    /// char-rnn (2015) and used by nanoGPT. All of them are ASCII, of 65 kinds.
    public static byte[] tinyshakespeare() {
        try (InputStream in = BundledText.class.getResourceAsStream(RESOURCE)) {
            if (in == null) {
                throw new IllegalStateException(
                        "the resource " + RESOURCE + " is missing from the train module's jar; build it again");
            }
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the bundled " + RESOURCE, e);
        }
    }

    /// The same as a corpus of one document.
    public static Corpus tinyshakespeareCorpus() {
        return Corpus.of(RESOURCE, tinyshakespeare());
    }
}
