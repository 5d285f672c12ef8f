package ai.epitome.cli.terminal;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/// Text from a file or from standard input, as bytes: what is not UTF-8 is kept as it is. And text to standard output.
public final class StandardText {
    private StandardText() {}

    /// Standard output in UTF-8, whatever the machine is set to. It wants to be flushed at the end.
    public static PrintStream output() {
        return new PrintStream(System.out, false, StandardCharsets.UTF_8);
    }

    /// All of standard input.
    public static byte[] readBytes() throws IOException {
        if (Terminal.inputIsOne() && System.in.available() == 0) {
            System.err.println("epitome: reading text from the terminal, end it with Ctrl-D");
        }
        return System.in.readAllBytes();
    }

    /// The file, or standard input where there is none or it is `-`.
    public static byte[] readBytes(Path file) throws IOException {
        if (file == null || file.toString().equals("-")) {
            return readBytes();
        }
        requireFile(file);
        return Files.readAllBytes(file);
    }

    /// @throws IOException when it is a folder, or not there
    public static void requireFile(Path file) throws IOException {
        if (Files.isDirectory(file)) {
            throw new IOException(file + " is a folder; expected a file of text");
        }
        if (!Files.exists(file)) {
            throw new NoSuchFileException(file.toString());
        }
    }
}
