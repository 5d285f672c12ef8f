package ai.epitome.cli;

import ai.epitome.serve.ServerStartException;
import ai.epitome.train.TrainingException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;

/// Tells a failure to a person: one line that says what and where, and the stack trace only when it is our own mistake
/// or
/// `EPITOME_DEBUG` is set.
final class Failures {
    private static final int FAILED = 1;

    private Failures() {}

    /// Prints `failure` and returns the exit code.
    static int report(Exception failure, PrintWriter err) {
        err.println("epitome: " + describe(failure));
        boolean expected = switch (failure) {
            case IOException _,
                    UncheckedIOException _,
                    IllegalArgumentException _,
                    IllegalStateException _,
                    TrainingException _,
                    ServerStartException _ -> true;
            default -> false;
        };
        if (!expected || System.getenv("EPITOME_DEBUG") != null) {
            failure.printStackTrace(err);
        }
        err.flush();
        return FAILED;
    }

    private static String describe(Exception failure) {
        return switch (failure) {
            case NoSuchFileException e -> "no such file: " + e.getFile();
            case FileNotFoundException e -> "no such file: " + e.getMessage();
            case AccessDeniedException e -> "not allowed to open " + e.getFile();
            default -> failure.getMessage() == null ? failure.toString() : failure.getMessage();
        };
    }
}
