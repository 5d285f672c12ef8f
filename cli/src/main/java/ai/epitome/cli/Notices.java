package ai.epitome.cli;

import java.util.function.Consumer;

/// Where lines for a person go.
final class Notices {
    private Notices() {}

    /// Standard error, so that standard output stays clean for pipes.
    static Consumer<String> terminal() {
        return System.err::println;
    }
}
