package ai.epitome.cli.terminal;

import java.nio.file.Path;

/// The command as it was typed, and where it was, for reports.
public final class TypedCommand {
    private static final String PROPERTY = "epitome.command";
    private static final String HOME = "epitome.home";

    private TypedCommand() {}

    /// Keeps what was typed, for the whole process.
    public static void remember(String... arguments) {
        System.setProperty(PROPERTY, String.join(" ", arguments));
    }

    /// The whole command line, as it could be typed again.
    public static String text() {
        return "./epitome " + System.getProperty(PROPERTY, "");
    }

    /// The launcher's folder, in which the code and its history are; the current one where there was no launcher.
    public static Path home() {
        return Path.of(System.getProperty(HOME, ""));
    }
}
