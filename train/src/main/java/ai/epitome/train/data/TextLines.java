package ai.epitome.train.data;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

/// The lines of a file that are not blank, one after another, with their numbers.
final class TextLines {
    private final String name;
    private final InputStream in;
    private final int maximum;
    private final byte[] buffer = new byte[1 << 16];
    private int at;
    private int end;
    private long number;

    /// @param name of the file, for errors
    /// @param maximum bytes of a line
    TextLines(String name, InputStream in, int maximum) {
        this.name = name;
        this.in = in;
        this.maximum = maximum;
    }

    /// The next line that is not blank, or null at the end.
    byte[] next() throws IOException {
        byte[] line = read();
        while (line != null && isBlank(line)) {
            line = read();
        }
        return line;
    }

    /// The number of the line that was read last, from 1.
    long number() {
        return number;
    }

    /// `FILE, line NUMBER: `, how errors begin.
    String where() {
        return name + ", line " + number + ": ";
    }

    /// The bytes up to the next line break or the end, or null where nothing is left.
    private byte[] read() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        number++;
        while (fill()) {
            int stop = at;
            while (stop < end && buffer[stop] != '\n') {
                stop++;
            }
            if ((long) bytes.size() + stop - at > maximum) {
                throw new CorpusException(
                        where() + "the line is longer than " + maximum + " bytes; cut it into several documents");
            }
            bytes.write(buffer, at, stop - at);
            at = stop + 1;
            if (stop < end) {
                return bytes.toByteArray();
            }
        }
        return bytes.size() == 0 ? null : bytes.toByteArray();
    }

    private boolean fill() throws IOException {
        if (at >= end) {
            at = 0;
            end = Math.max(0, in.read(buffer, 0, buffer.length));
        }
        return end > 0;
    }

    private static boolean isBlank(byte[] bytes) {
        for (byte b : bytes) {
            if (b != ' ' && b != '\t' && b != '\r') {
                return false;
            }
        }
        return true;
    }

    /// The beginning of a line, for errors.
    static String shown(byte[] bytes) {
        String start = new String(bytes, 0, Math.min(60, bytes.length), StandardCharsets.UTF_8);
        return "`" + start + (bytes.length > 60 ? "..." : "") + "`";
    }
}
