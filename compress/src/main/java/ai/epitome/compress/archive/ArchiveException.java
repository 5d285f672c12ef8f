package ai.epitome.compress.archive;

import java.io.IOException;

/// An archive that cannot be read. The message begins with the [Reason], for programs, and says where.
public final class ArchiveException extends IOException {
    private final Reason reason;

    public ArchiveException(Reason reason, String message) {
        super(reason + ": " + message);
        this.reason = reason;
    }

    public Reason reason() {
        return reason;
    }
}
