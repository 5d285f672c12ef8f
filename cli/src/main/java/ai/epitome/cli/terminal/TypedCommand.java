package ai.epitome.cli.terminal;

/// The command as it was typed, for reports.
public final class TypedCommand {
    private static final String PROPERTY = "epitome.command";

    private TypedCommand() {}

    public static void remember(String... arguments) {
        System.setProperty(PROPERTY, String.join(" ", arguments));
    }

    public static String text() {
        return "./epitome " + System.getProperty(PROPERTY, "");
    }
}
