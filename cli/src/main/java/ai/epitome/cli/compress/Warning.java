package ai.epitome.cli.compress;

import java.io.IOException;

/// Something that a person should know of a file, and no failure: exit code 2.
final class Warning extends IOException {
    private static final long serialVersionUID = 1;

    Warning(String message) {
        super(message);
    }
}
