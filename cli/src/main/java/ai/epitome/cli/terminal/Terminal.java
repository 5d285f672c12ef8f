package ai.epitome.cli.terminal;

/// Which of the standard streams a person sits at. The launcher knows, and says it in system properties; Java does not
/// tell them apart.
public final class Terminal {
    private Terminal() {}

    /// Whether standard input is typed.
    public static boolean inputIsOne() {
        return Boolean.getBoolean("epitome.terminal.input");
    }

    /// Whether standard output goes to a screen.
    public static boolean outputIsOne() {
        return Boolean.getBoolean("epitome.terminal.output");
    }

    /// Whether standard error is read on a screen that moves its cursor.
    public static boolean errorIsOne() {
        return Boolean.getBoolean("epitome.terminal.error");
    }
}
