package ai.epitome.cli.terminal;

import ai.epitome.serve.ServerStartException;
import ai.epitome.serve.account.DatabaseException;
import ai.epitome.train.TrainingException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/// Tells a failure to a person in one line: what and where. The stack trace is for `EPITOME_DEBUG` only.
public final class Failures {
    private static final int FAILED = 1;
    private static final int MISUSED = 2;

    private Failures() {}

    /// Prints `failure` and returns the exit code.
    public static int report(Throwable failure, PrintWriter err) {
        Throwable cause = failure instanceof UncheckedIOException unchecked ? unchecked.getCause() : failure;
        boolean debug = System.getenv("EPITOME_DEBUG") != null;
        err.println("epitome: " + describe(cause));
        if (!isExpected(cause) && !debug) {
            err.println("That is a mistake in Epitome. With EPITOME_DEBUG=1 in the environment it shows where.");
        }
        if (debug) {
            failure.printStackTrace(err);
        }
        err.flush();
        return FAILED;
    }

    /// Prints what is wrong with a command line, in a line or two: the usage would push it off the screen.
    public static int misused(ParameterException failure, String[] arguments) {
        CommandLine command = failure.getCommandLine();
        PrintWriter err = command.getErr();
        if (arguments.length == 0) {
            command.usage(err);
            return MISUSED;
        }
        err.println("epitome: " + misuse(failure, command));
        UnmatchedArgumentException.printSuggestions(failure, err);
        err.println("See: " + command.getCommandSpec().qualifiedName() + " --help");
        err.flush();
        return MISUSED;
    }

    private static String misuse(ParameterException failure, CommandLine command) {
        return failure instanceof UnmatchedArgumentException unmatched
                        && !unmatched.isUnknownOption()
                        && !command.getSubcommands().isEmpty()
                ? "unknown command '%s'".formatted(unmatched.getUnmatched().getFirst())
                : failure.getMessage();
    }

    /// Whether it lies at what was given to the program, and not at the program.
    static boolean isExpected(Throwable failure) {
        return switch (failure) {
            case IOException _,
                    IllegalArgumentException _,
                    IllegalStateException _,
                    TrainingException _,
                    ServerStartException _,
                    DatabaseException _,
                    OutOfMemoryError _ -> true;
            default -> false;
        };
    }

    /// What happened, in one line.
    public static String describe(Throwable failure) {
        return switch (failure) {
            case NoSuchFileException e when e.getReason() != null -> e.getFile() + ": " + e.getReason();
            case NoSuchFileException e -> "no such file or folder: " + e.getFile();
            case FileNotFoundException e -> "no such file: " + e.getMessage();
            case AccessDeniedException e -> "no permission for " + e.getFile();
            case FileAlreadyExistsException e -> e.getFile() + " is there already, and is not a folder";
            case NotDirectoryException e -> e.getFile() + " is not a folder";
            case OutOfMemoryError e ->
                "out of memory (%s). The Java heap may take %,d MB; EPITOME_JAVA_OPTIONS=-Xmx... in the environment sets another limit"
                        .formatted(e.getMessage(), Runtime.getRuntime().maxMemory() >> 20);
            default -> failure.getMessage() == null ? failure.toString() : failure.getMessage();
        };
    }
}
