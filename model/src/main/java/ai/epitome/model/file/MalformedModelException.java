package ai.epitome.model.file;

import java.io.IOException;
import java.nio.file.Path;

/// A file of a model breaks the rules of its format. The message names the file, where in it, what was expected and
/// what was found.
public final class MalformedModelException extends IOException {
    public MalformedModelException(Path file, String problem) {
        super(file + ": " + problem);
    }

    public MalformedModelException(Path file, String problem, Throwable cause) {
        super(file + ": " + problem, cause);
    }
}
