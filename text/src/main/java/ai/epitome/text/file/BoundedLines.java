package ai.epitome.text.file;

import ai.epitome.text.MalformedTokenizerException;
import java.io.BufferedReader;
import java.io.IOException;

/// Lines of a file of unknown origin: a file without newlines must not fill the memory.
final class BoundedLines {
    private BoundedLines() {}

    /// The next line without its end, or null at the end of the file.
    static String next(BufferedReader reader, int longest, String where) throws IOException {
        var line = new StringBuilder();
        int c = reader.read();
        if (c < 0) {
            return null;
        }
        for (; c >= 0 && c != '\n'; c = reader.read()) {
            if (line.length() == longest) {
                throw new MalformedTokenizerException(where, "a line is longer than " + longest + " characters");
            }
            line.append((char) c);
        }
        int end = line.length();
        if (end > 0 && line.charAt(end - 1) == '\r') {
            line.setLength(end - 1);
        }
        return line.toString();
    }
}
