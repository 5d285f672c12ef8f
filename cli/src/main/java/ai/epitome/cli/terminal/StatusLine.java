package ai.epitome.cli.terminal;

import java.io.PrintStream;

/// A line at the bottom of a terminal that is written anew again and again, with ordinary lines above it. The terminal
/// itself cuts what is too long: wrapping is off while the line is written, so its width need not be known, and may
/// change. For one thread.
public final class StatusLine {
    private static final String CLEAR = "\r\u001b[K";
    private static final String WRAP_OFF = "\u001b[?7l";
    private static final String WRAP_ON = "\u001b[?7h";

    private final PrintStream out;
    private final boolean terminal;
    private String status = "";

    /// @param terminal without one there are lines only, free of control characters
    public StatusLine(PrintStream out, boolean terminal) {
        this.out = out;
        this.terminal = terminal;
    }

    /// Shows another status; the empty one takes it away.
    public void show(String text) {
        if (terminal && !(text.isEmpty() && status.isEmpty())) {
            status = text;
            out.print(CLEAR + WRAP_OFF + text + WRAP_ON);
            out.flush();
        }
    }

    /// Writes a line that stays.
    public void line(String text) {
        out.println((status.isEmpty() ? "" : CLEAR) + text);
        show(status);
    }

    /// The same, cut where the terminal ends.
    public void shortLine(String text) {
        line(terminal ? WRAP_OFF + text + WRAP_ON : text);
    }
}
