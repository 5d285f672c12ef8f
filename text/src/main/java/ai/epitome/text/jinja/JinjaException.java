package ai.epitome.text.jinja;

/// A template that cannot be read, or went wrong when it was rendered: its message names the line.
public final class JinjaException extends IllegalArgumentException {
    private static final long serialVersionUID = 1;

    private final boolean placed;

    /// Somewhere in a template; [#at] says where.
    JinjaException(String message) {
        super(message);
        placed = false;
    }

    private JinjaException(int line, JinjaException cause) {
        super("chat template, line " + line + ": " + cause.getMessage(), cause);
        placed = true;
    }

    /// The same with its line, unless it has one.
    JinjaException at(int line) {
        return placed ? this : new JinjaException(line, this);
    }
}
