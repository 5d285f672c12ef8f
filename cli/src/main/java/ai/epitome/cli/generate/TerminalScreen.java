package ai.epitome.cli.generate;

import ai.epitome.cli.terminal.Visible;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;
import org.jline.reader.impl.DefaultParser;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;

/// A conversation on a terminal, with line editing and a history of what was typed.
final class TerminalScreen implements ChatScreen {
    private final Terminal terminal;
    private final LineReader reader;
    private final PrintWriter out;
    private volatile boolean interrupted;
    private boolean leaving;

    TerminalScreen() throws IOException {
        terminal = TerminalBuilder.builder().system(true).nativeSignals(true).build();
        terminal.handle(Terminal.Signal.INT, _ -> interrupted = true);
        out = terminal.writer();
        reader = LineReaderBuilder.builder()
                .terminal(terminal)
                // what is typed is text: quotes, backslashes and exclamation marks mean nothing
                .parser(new DefaultParser().quoteChars(new char[0]).escapeChars(new char[0]))
                .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true)
                .option(LineReader.Option.INSERT_TAB, true)
                .build();
        history().ifPresent(file -> reader.setVariable(LineReader.HISTORY_FILE, file));
    }

    /// `$XDG_STATE_HOME/epitome/chat-history`, for its owner only; nothing where it cannot be made.
    private static Optional<Path> history() {
        String state = System.getenv("XDG_STATE_HOME");
        Path base = state == null || state.isBlank()
                ? Path.of(System.getProperty("user.home"), ".local", "state")
                : Path.of(state);
        Path file = base.resolve("epitome").resolve("chat-history");
        try {
            Files.createDirectories(file.getParent());
            if (!Files.exists(file)) {
                Files.createFile(
                        file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            }
            return Optional.of(file);
        } catch (IOException | UnsupportedOperationException e) {
            return Optional.empty();
        }
    }

    /// Ctrl-C drops the line; a second one leaves, as Ctrl-D does.
    @Override
    public Optional<String> readLine(String prompt) {
        while (true) {
            try {
                String line = reader.readLine(prompt);
                leaving = false;
                return Optional.of(line);
            } catch (UserInterruptException e) {
                if (leaving && e.getPartialLine().isEmpty()) {
                    return Optional.empty();
                }
                leaving = true;
                notice("(Ctrl-C again or Ctrl-D leaves)");
            } catch (EndOfFileException e) {
                return Optional.empty();
            }
        }
    }

    @Override
    public void answer(String text) {
        out.print(Visible.lines(text));
        out.flush();
    }

    @Override
    public void notice(String line) {
        out.println(Visible.lines(line));
        out.flush();
    }

    @Override
    public boolean interrupted() {
        return interrupted;
    }

    @Override
    public void listen() {
        interrupted = false;
    }

    @Override
    public boolean closed() {
        return false;
    }

    @Override
    public void close() throws IOException {
        terminal.close();
    }
}
