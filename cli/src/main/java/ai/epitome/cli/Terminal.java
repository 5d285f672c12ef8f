package ai.epitome.cli;

/// Which of the standard streams a person sits at. The launcher knows, and says it in system properties; Java does not
/// tell them apart.
final class Terminal {
    private Terminal() {}

    /// Whether standard input is typed.
    static boolean inputIsOne() {
        return Boolean.getBoolean("epitome.terminal.input");
    }

    /// Whether standard output goes to a screen.
    static boolean outputIsOne() {
        return Boolean.getBoolean("epitome.terminal.output");
    }

    /// Whether standard error is read on a screen that moves its cursor.
    static boolean errorIsOne() {
        return Boolean.getBoolean("epitome.terminal.error");
    }
}
