package ai.epitome.cli.terminal;

import ai.epitome.model.file.AtomicFile;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.file.Files;
import java.nio.file.Path;

/// A file that is written whole or not at all: a command that fails or is killed leaves what was there before. It grows
/// beside its place; of Ctrl-C and SIGTERM nothing is left of that.
public final class WholeFile {
    private static final int BUFFER = 1 << 16;

    /// Writes a file's content.
    @FunctionalInterface
    public interface Content {
        void writeTo(OutputStream out) throws IOException;
    }

    private WholeFile() {}

    /// Replaces `file`. A pipe or a device gets the content as it comes.
    public static void write(Path file, Content content) throws IOException {
        if (Files.exists(file) && !Files.isRegularFile(file)) {
            try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file), BUFFER)) {
                content.writeTo(out);
            }
            return;
        }
        Path target = Files.exists(file) ? file.toRealPath() : file; // of a link, what it leads to
        try (Unfinished _ = new Unfinished(AtomicFile.beside(target))) {
            AtomicFile.write(target, channel -> {
                OutputStream out = new BufferedOutputStream(Channels.newOutputStream(channel), BUFFER);
                content.writeTo(out);
                out.flush();
            });
        }
    }
}
