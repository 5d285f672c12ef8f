package ai.epitome.cli.generate;

import java.io.IOException;
import java.util.Optional;

/// Where a conversation is typed and shown.
interface ChatScreen extends AutoCloseable {
    /// The next line, without its end; nothing when there are no more.
    Optional<String> readLine(String prompt) throws IOException;

    /// Shows a part of an answer at once. Its control characters are made visible.
    void answer(String text);

    /// Tells something that is not the model's.
    void notice(String line);

    /// Whether Ctrl-C has come up since [#listen()].
    boolean interrupted();

    /// Forgets that Ctrl-C has come up.
    void listen();

    /// Whether nobody reads on.
    boolean closed();

    @Override
    void close() throws IOException;
}
