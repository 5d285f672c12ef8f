package ai.epitome.text.jinja;

/// What Python says of characters.
final class Characters {
    private Characters() {}

    /// `str.isspace()`.
    static boolean isSpace(int c) {
        return (c >= 0x09 && c <= 0x0D)
                || (c >= 0x1C && c <= 0x20)
                || c == 0x85
                || (c > 0x7F && (Character.isSpaceChar(c)));
    }

    static boolean isDigit(int c) {
        return c >= '0' && c <= '9';
    }

    /// Where `str.splitlines()` cuts.
    static boolean isLineBreak(int c) {
        return (c >= 0x0A && c <= 0x0D) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 || c == 0x2029;
    }

    /// Whether `repr()` shows it as it is.
    static boolean isPrintable(int c) {
        return c == ' '
                || switch (Character.getType(c)) {
                    case Character.CONTROL,
                            Character.FORMAT,
                            Character.SURROGATE,
                            Character.PRIVATE_USE,
                            Character.UNASSIGNED,
                            Character.LINE_SEPARATOR,
                            Character.PARAGRAPH_SEPARATOR,
                            Character.SPACE_SEPARATOR -> false;
                    default -> true;
                };
    }
}
