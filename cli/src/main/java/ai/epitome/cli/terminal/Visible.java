package ai.epitome.cli.terminal;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/// Bytes as a person can read them on one line.
public final class Visible {
    private Visible() {}

    /// One line of text without control characters, which could move a terminal's cursor.
    public static String line(String text) {
        return text.codePoints()
                .map(c -> Character.isISOControl(c) ? ' ' : c)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
    }

    /// A text of several lines, with other control characters written as `\x1b`.
    public static String lines(String text) {
        if (text.codePoints().noneMatch(c -> Character.isISOControl(c) && c != '\n' && c != '\t')) {
            return text;
        }
        StringBuilder visible = new StringBuilder();
        text.codePoints().forEach(c -> {
            boolean shown = !Character.isISOControl(c) || c == '\n' || c == '\t';
            visible.append(shown ? Character.toString(c) : String.format("\\x%02x", c));
        });
        return visible.toString();
    }

    /// The text with line breaks and other control characters escaped, or hexadecimal where it is no UTF-8 by itself.
    public static String of(byte[] bytes) {
        try {
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
            StringBuilder visible = new StringBuilder("'");
            text.chars()
                    .forEach(c -> visible.append(
                            switch (c) {
                                case '\n' -> "\\n";
                                case '\r' -> "\\r";
                                case '\t' -> "\\t";
                                case '\\' -> "\\\\";
                                default ->
                                    Character.isISOControl(c) ? String.format("\\x%02x", c) : String.valueOf((char) c);
                            }));
            return visible.append('\'').toString();
        } catch (CharacterCodingException e) {
            return "0x" + HexFormat.of().formatHex(bytes);
        }
    }
}
