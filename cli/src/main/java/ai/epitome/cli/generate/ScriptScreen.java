package ai.epitome.cli.generate;

import ai.epitome.cli.terminal.StandardText;
import ai.epitome.cli.terminal.Visible;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/// A conversation from standard input to standard output: answers only, so that they can be used; all else goes to
/// standard error. Ctrl-C ends the process.
final class ScriptScreen implements ChatScreen {
    private static final int LONGEST_LINE = 1 << 20;

    private final BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    private final PrintStream out = StandardText.output();
    private boolean closed;

    @Override
    public Optional<String> readLine(String prompt) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int c = in.read(); c != '\n'; c = in.read()) {
            if (c < 0) {
                return line.isEmpty() ? Optional.empty() : Optional.of(line.toString());
            }
            if (line.length() == LONGEST_LINE) {
                throw new IOException("a line of standard input has more than %,d characters".formatted(LONGEST_LINE));
            }
            line.append((char) c);
        }
        return Optional.of(line.toString());
    }

    @Override
    public void answer(String text) {
        out.print(Visible.lines(text));
        out.flush();
        closed |= out.checkError();
    }

    @Override
    public void notice(String line) {
        System.err.println(line);
    }

    @Override
    public boolean interrupted() {
        return false;
    }

    @Override
    public void listen() {}

    @Override
    public boolean closed() {
        return closed;
    }

    @Override
    public void close() {
        out.flush();
    }
}
