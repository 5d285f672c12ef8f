package ai.epitome.cli.terminal;

import java.nio.file.Path;
import java.util.function.Consumer;

/// Where lines for a person go, and what is said in more than one place.
public final class Notices {
    private Notices() {}

    /// Standard error, so that standard output stays clean for pipes.
    public static Consumer<String> terminal() {
        return System.err::println;
    }

    /// The last words of a run that was interrupted.
    ///
    /// @param command what goes on with it
    public static String stopped(Path model, long step, String command) {
        return step == 0
                ? "stopped before the first step: nothing was lost"
                : "stopped: step %,d is kept in %s, and %s goes on from there".formatted(step, model, command);
    }
}
